import {
  DtlsClient,
  DtlsServer,
  type DtlsSocket,
  HashAlgorithm,
  SignatureAlgorithm,
} from 'werift-dtls/lib/dtls/src/index.js';
import { type SrtpKey, SUITE_FACTS } from '../srtp/suites.js';
import type { DtlsIdentity, Fingerprint } from './certificate.js';
import { type HandshakeMessage, verifyClient, verifyServer } from './verify.js';

/** What we are in a handshake: the client begins it. */
export type DtlsRole = 'client' | 'server';

/** What a handshake leads to. */
export interface HandshakeListener {
  send(datagram: Uint8Array): void;
  /** Both sides are known: keys of what we send, and of what comes. */
  keys(local: SrtpKey, remote: SrtpKey): void;
  failed(reason: string): void;
}

/** What every peer can; also the only one of ours that the library lets negotiate. */
const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const EXPORTER = 'EXTRACTOR-dtls_srtp';
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const HELLO_VERIFY_REQUEST = 3;
const FINISHED = 20;
const RECORD_HEADER = 13;
/** A flight that nothing waits for any more: the library then ends its repetitions. */
const LAST_FLIGHT = 7;

/** Our side of one DTLS handshake, and SRTP keys out of it (RFC 5764). */
export class DtlsHandshake {
  private readonly socket: DtlsSocket;
  private connected = false;
  private closed = false;
  private receiving: (datagram: Buffer) => void = () => undefined;
  /** What the server ends with; the library keeps all messages but this. */
  private serverFinished: HandshakeMessage | undefined;

  constructor(
    private readonly role: DtlsRole,
    { certificate, key }: DtlsIdentity,
    private readonly fingerprints: readonly Fingerprint[],
    private readonly listener: HandshakeListener,
  ) {
    const options: DtlsSocket['options'] = {
      cert: certificate,
      key,
      signatureHash: { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
      srtpProfiles: [1],
      certificateRequest: true,
      extendedMasterSecret: true,
      transport: this.transport(),
    };
    this.socket = role === 'client' ? this.client(options) : new DtlsServer(options);
    this.socket.onConnect.subscribe(() => this.finished());
    this.socket.onError.subscribe((error) => this.fail(String(error)));
  }

  /** A datagram of DTLS from the peer. */
  receive(datagram: Buffer): void {
    // The library would begin anew for anybody who says hello; who really does comes with another offer.
    if (this.closed || (this.connected && (this.role === 'client' || isHello(datagram)))) return;
    try {
      this.receiving(datagram);
    } catch {
      // What cannot be read is nobody's, or comes again.
    }
  }

  close(): void {
    this.closed = true;
    this.socket.dtls.flight = LAST_FLIGHT;
  }

  /** Begins at once, and repeats its hello until something comes. */
  private client(options: DtlsSocket['options']): DtlsSocket {
    const client = new DtlsClient(options);
    const handle = client.onHandleHandshakes;
    const seen = new Set<number>();
    // Of each message the library would use the last that comes, but remember the first, by which we judge.
    client.onHandleHandshakes = (messages) =>
      handle(
        messages.filter((message) => {
          const { msg_type: type } = message;
          if (seen.has(type) || (type === HELLO_VERIFY_REQUEST && seen.has(SERVER_HELLO))) return false;
          seen.add(type);
          if (type === FINISHED) this.serverFinished = { type, bytes: message.serialize() };
          return true;
        }),
      );
    // When what listens is in place.
    setImmediate(() => {
      if (!this.closed) client.connect().catch((error: unknown) => this.fail(String(error)));
    });
    return client;
  }

  /** What the library takes for its socket. It puts its own function where datagrams are to go. */
  private transport(): ConstructorParameters<typeof DtlsServer>[0]['transport'] {
    const set = (receive: (datagram: Buffer, address: [string, number]) => void): void => {
      this.receiving = (datagram) => receive(datagram, ['', 0]);
    };
    return {
      type: 'udp',
      address: { address: '', family: '', port: 0 },
      closed: false,
      get onData() {
        return () => undefined;
      },
      set onData(receive) {
        set(receive);
      },
      send: async (datagram) => {
        if (!this.closed) this.listener.send(datagram);
      },
      close: async () => undefined,
    };
  }

  private finished(): void {
    if (this.connected || this.closed) return;
    const problem = this.socket.srtp.srtpProfile ? this.verify() : 'the peer does not ask for SRTP';
    if (problem !== undefined) return this.fail(problem);
    this.connected = true;
    const { key, salt } = SUITE_FACTS[SUITE];
    const material = this.socket.exportKeyingMaterial(EXPORTER, 2 * (key + salt));
    // Client's key, server's key, client's salt, server's salt (RFC 5764, 4.2).
    const side = (n: 0 | 1): SrtpKey => {
      const salts = 2 * key + n * salt;
      const parts = [material.subarray(n * key, n * key + key), material.subarray(salts, salts + salt)];
      return { suite: SUITE, inline: Buffer.concat(parts).toString('base64') };
    };
    if (this.role === 'client') this.listener.keys(side(0), side(1));
    else this.listener.keys(side(1), side(0));
  }

  private verify(): string | undefined {
    const { dtls, cipher } = this.socket;
    const messages = dtls.sortedHandshakeCache.map((message) => ({
      type: message.msg_type,
      bytes: message.serialize(),
    }));
    if (this.role === 'server') return verifyClient(messages, cipher.masterSecret, this.fingerprints);
    if (!this.serverFinished) return 'the handshake has no end';
    return verifyServer([...messages, this.serverFinished], cipher.masterSecret, this.fingerprints);
  }

  private fail(reason: string): void {
    if (this.closed || this.connected) return;
    this.close();
    this.listener.failed(reason);
  }
}

function isHello(datagram: Buffer): boolean {
  if (datagram.length <= RECORD_HEADER || datagram[0] !== HANDSHAKE_RECORD) return false;
  return datagram.readUInt16BE(3) === 0 && datagram[RECORD_HEADER] === CLIENT_HELLO;
}
