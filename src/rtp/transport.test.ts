import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { DtlsClient, type DtlsSocket, HashAlgorithm, SignatureAlgorithm } from 'werift-dtls/lib/dtls/src/index.js';
import { makeIdentity } from './dtls/certificate.js';
import { ATTRIBUTE, BINDING, parseStun, writeStun } from './ice/stun.js';
import type { MediaSecurity, NegotiatedMedia } from './negotiated.js';
import { type RtpFields, writeRtpHeader } from './packet.js';
import { SRTP_OVERHEAD, SrtpReceiver, SrtpSender } from './srtp/session.js';
import { type SrtpKey, type SrtpSuite, SUITE_FACTS } from './srtp/suites.js';
import { MediaTransport } from './transport.js';

const HOST = '127.0.0.1';
/** Linux has the whole block, so that a stranger can have another address. */
const STRANGER = '127.0.0.2';
const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Datagrams in the order they came; each can be waited for once. */
class Inbox {
  private readonly waiting: ((bytes: Buffer) => void)[] = [];
  readonly all: Buffer[] = [];
  private taken = 0;

  put(bytes: Uint8Array): void {
    this.all.push(Buffer.from(bytes));
    this.waiting.shift()?.(this.all[this.taken++]!);
  }

  next(): Promise<Buffer> {
    const ready = this.all[this.taken];
    if (ready && this.waiting.length === 0) {
      this.taken++;
      return Promise.resolve(ready);
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

class Peer {
  readonly inbox = new Inbox();

  private constructor(readonly socket: Socket) {
    socket.on('message', (bytes) => this.inbox.put(bytes));
  }

  static async bind(address = HOST): Promise<Peer> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    open.push(() => new Promise((resolve) => socket.close(() => resolve(undefined))));
    return new Peer(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(bytes: Uint8Array, port: number): void {
    this.socket.send(bytes, port, HOST);
  }
}

async function transport() {
  const rtp = new Inbox();
  const rtcp = new Inbox();
  const listener = {
    rtp: (bytes: Uint8Array, { payloadEnd }: RtpFields) => rtp.put(bytes.subarray(0, payloadEnd)),
    rtcp: (bytes: Uint8Array) => rtcp.put(bytes),
    error: (error: Error) => {
      throw error;
    },
  };
  for (let port = 40_000 + (process.pid % 4000) * 2; ; port += 2) {
    try {
      const bound = await MediaTransport.bind(HOST, port, listener);
      open.push(() => bound.close());
      return { bound, port, rtp, rtcp };
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('EADDRINUSE')) throw error;
    }
  }
}

function media(port: number, more: Partial<NegotiatedMedia> = {}): NegotiatedMedia {
  return {
    remote: { address: HOST, port },
    codec: { name: 'PCMU', payloadType: 0, clockRate: 8000 },
    receives: [{ payloadType: 0, name: 'PCMU' }],
    ptime: 20,
    direction: 'sendrecv',
    ...more,
  };
}

function packet(sequence: number, ssrc = 7, payloadType = 0): Buffer {
  const bytes = Buffer.alloc(172, sequence);
  writeRtpHeader(bytes, payloadType, false, sequence, sequence * 160, ssrc);
  return bytes;
}

const REPORT = Buffer.from('81c8000600000007000000000000000000000000000000010000000100000000', 'hex').subarray(0, 28);

function keyOf(suite: SrtpSuite, fill: number): SrtpKey {
  const { key, salt } = SUITE_FACTS[suite];
  return { suite, inline: Buffer.alloc(key + salt, fill).toString('base64') };
}

function protect(sender: SrtpSender, plain: Buffer): Buffer {
  const out = Buffer.alloc(plain.length + SRTP_OVERHEAD);
  return out.subarray(0, sender.protectRtp(plain, out));
}

describe('plain', () => {
  it('brings the packets of the peer both ways, and nothing of strangers', async () => {
    const peer = await Peer.bind();
    const stranger = await Peer.bind(STRANGER);
    const { bound, port, rtp } = await transport();
    expect(bound.canSend).toBe(false);
    bound.negotiated(media(peer.port));
    bound.sendRtp(packet(100));
    expect(await peer.inbox.next()).toEqual(packet(100));
    peer.send(packet(1), port);
    expect(await rtp.next()).toEqual(packet(1));
    for (let n = 0; n < 20; n++) stranger.send(packet(n, 7), port);
    for (const junk of ['', '80', 'ff00', '8000', '90000001000000010000000200000001'])
      stranger.send(Buffer.from(junk, 'hex'), port);
    stranger.send(packet(3, 7, 96), port);
    peer.send(packet(2), port);
    expect(await rtp.next()).toEqual(packet(2));
    bound.sendRtp(packet(101));
    expect(await peer.inbox.next()).toEqual(packet(101));
    expect(rtp.all).toHaveLength(2);
    expect(stranger.inbox.all).toHaveLength(0);
    expect(bound.counts.foreign).toBe(20);
    expect(bound.counts.malformed).toBeGreaterThan(2);
  });

  it('has RTCP on its own port, or on that of RTP when that was agreed', async () => {
    const peer = await Peer.bind();
    const control = await Peer.bind();
    const { bound, port, rtcp } = await transport();
    bound.negotiated(media(peer.port, { rtcp: { address: HOST, port: control.port } }));
    bound.sendRtcp(REPORT);
    expect(await control.inbox.next()).toEqual(REPORT);
    control.send(REPORT, port + 1);
    expect(await rtcp.next()).toEqual(REPORT);
    bound.negotiated(media(peer.port, { rtcpMux: true }));
    peer.send(REPORT, port);
    expect(await rtcp.next()).toEqual(REPORT);
    bound.sendRtcp(REPORT);
    expect(await peer.inbox.next()).toEqual(REPORT);
  });
});

describe('SRTP', () => {
  it('is authentic both ways, from wherever the peer sends', async () => {
    const local = keyOf('AES_CM_128_HMAC_SHA1_80', 1);
    const remote = keyOf('AES_CM_128_HMAC_SHA1_80', 2);
    const security: MediaSecurity = { kind: 'sdes', local, remote };
    const peer = await Peer.bind();
    const nat = await Peer.bind(STRANGER);
    const { bound, port, rtp, rtcp } = await transport();
    bound.negotiated(media(peer.port, { security }));
    const theirs = new SrtpSender(remote);
    const ours = new SrtpReceiver(local);
    const first = protect(theirs, packet(1));
    nat.send(packet(1), port);
    nat.send(Buffer.from(first).fill(0, 100, 110), port);
    nat.send(first, port);
    expect(await rtp.next()).toEqual(packet(1));
    nat.send(first, port);
    nat.send(protect(theirs, packet(2)), port);
    expect(await rtp.next()).toEqual(packet(2));
    expect(bound.counts).toEqual({ foreign: 0, unauthenticated: 2, replayed: 1, malformed: 0 });
    // It is not where SDP said: packets follow it, under the same keys after an offer that changes nothing.
    bound.sendRtp(packet(50));
    bound.negotiated(media(peer.port, { security: structuredClone(security) }));
    bound.sendRtp(packet(51));
    for (const n of [50, 51]) {
      const bytes = await nat.inbox.next();
      expect(bytes.subarray(12, 172)).not.toEqual(packet(n).subarray(12));
      expect(ours.unprotectRtp(bytes)).toBe(172);
      expect(bytes.subarray(0, 172)).toEqual(packet(n));
    }
    const report = Buffer.alloc(REPORT.length + SRTP_OVERHEAD);
    nat.send(report.subarray(0, theirs.protectRtcp(REPORT, report)), port + 1);
    expect(await rtcp.next()).toEqual(REPORT);
  });
});

describe('ICE and DTLS', () => {
  it('answers checks, goes where the peer nominates, and gets its keys there', async () => {
    const identity = makeIdentity(Date.now());
    const theirs = makeIdentity(Date.now());
    const ice = {
      local: { ufrag: 'ours', pwd: 'our-password-of-22-chr' },
      remote: { ufrag: 'them', pwd: 'their-password-of-22-c' },
      remoteLite: false,
    };
    const peer = await Peer.bind();
    const { bound, port, rtp } = await transport();
    bound.negotiated(
      media(9, {
        remote: { address: '0.0.0.0', port: 9 },
        rtcpMux: true,
        ice,
        security: {
          kind: 'dtls',
          role: 'server',
          identity,
          fingerprints: [{ hash: 'sha256', value: theirs.fingerprint }],
        },
      }),
    );
    peer.send(
      writeStun(
        BINDING.request,
        Buffer.alloc(12, 5),
        [
          [ATTRIBUTE.username, Buffer.from('ours:them')],
          [ATTRIBUTE.useCandidate, Buffer.alloc(0)],
        ],
        ice.local.pwd,
      ),
      port,
    );
    expect(parseStun(await peer.inbox.next())?.type).toBe(BINDING.success);
    expect(bound.canSend).toBe(false);

    const wire: DtlsSocket['options']['transport'] = {
      type: 'udp',
      address: { address: '', family: '', port: 0 },
      closed: false,
      onData: () => undefined,
      send: async (datagram) => peer.send(datagram, port),
      close: async () => undefined,
    };
    const client = new DtlsClient({
      cert: theirs.certificate,
      key: theirs.key,
      signatureHash: { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
      srtpProfiles: [1],
      extendedMasterSecret: true,
      certificateRequest: true,
      transport: wire,
    });
    const connected = new Promise<void>((resolve) => client.onConnect.subscribe(() => resolve()));
    peer.socket.on('message', (bytes) => {
      if (bytes[0]! >= 20 && bytes[0]! <= 63) wire.onData(bytes, ['', 0]);
    });
    void client.connect().catch(() => undefined);
    await connected;
    const keys = client.extractSessionKeys(16, 14);
    const keyFrom = (key: Buffer, salt: Buffer): SrtpKey => ({
      suite: 'AES_CM_128_HMAC_SHA1_80',
      inline: Buffer.concat([key, salt]).toString('base64'),
    });
    // Our side may have its keys a moment later than the client.
    const sender = new SrtpSender(keyFrom(keys.localKey, keys.localSalt));
    const heard = rtp.next();
    for (let n = 1; rtp.all.length === 0; n++) {
      peer.send(protect(sender, packet(n)), port);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await heard).subarray(8)).toHaveLength(164);
    bound.sendRtp(packet(9));
    let bytes = await peer.inbox.next();
    while (bytes[0]! < 128) bytes = await peer.inbox.next();
    expect(new SrtpReceiver(keyFrom(keys.remoteKey, keys.remoteSalt)).unprotectRtp(bytes)).toBe(172);
    expect(bytes.subarray(0, 172)).toEqual(packet(9));
  });

  it('begins the handshake with a peer that waits, on the port of RTCP too', async () => {
    const [client, server] = [await transport(), await transport()];
    const identities = { client: makeIdentity(Date.now()), server: makeIdentity(Date.now()) };
    const security = (role: 'client' | 'server'): MediaSecurity => ({
      kind: 'dtls',
      role,
      identity: identities[role],
      fingerprints: [{ hash: 'sha256', value: identities[role === 'client' ? 'server' : 'client'].fingerprint }],
    });
    // The hello that comes before the other side has negotiated is lost, and repeated.
    client.bound.negotiated(media(server.port, { security: security('client') }));
    server.bound.negotiated(media(client.port, { security: security('server') }));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const heard = to.rtp.next();
      for (let n = 1; to.rtp.all.length === 0; n++) {
        from.bound.sendRtp(packet(n));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(await heard).toHaveLength(172);
      const reported = to.rtcp.next();
      while (to.rtcp.all.length === 0) {
        from.bound.sendRtcp(REPORT);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(await reported).toEqual(REPORT);
    }
  });
});
