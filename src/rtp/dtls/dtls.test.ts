import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  DtlsClient,
  DtlsServer,
  type DtlsSocket,
  HashAlgorithm,
  SignatureAlgorithm,
} from 'werift-dtls/lib/dtls/src/index.js';
import type { SrtpKey } from '../srtp/suites.js';
import { type DtlsIdentity, makeIdentity } from './certificate.js';
import { DtlsHandshake, type DtlsRole } from './handshake.js';

interface Outcome {
  keys?: { local: SrtpKey; remote: SrtpKey };
  failure?: string;
}

/** The library's own other side against ours, datagrams handed over directly; `lost` of those we send do not come. */
function shake(
  role: DtlsRole,
  theirs: { certificate: string; key: string },
  fingerprint: string,
  lost: readonly number[] = [],
) {
  return new Promise<Outcome & { peer: DtlsSocket; ours: DtlsHandshake }>((resolve) => {
    let sent = 0;
    const ours = new DtlsHandshake(role, makeIdentity(Date.now()), [{ hash: 'sha256', value: fingerprint }], {
      send: (datagram) => {
        if (!lost.includes(++sent)) setImmediate(() => transport.onData(Buffer.from(datagram), ['', 0]));
      },
      keys: (local, remote) => done({ keys: { local, remote } }),
      failed: (failure) => done({ failure }),
    });
    const transport: DtlsSocket['options']['transport'] = {
      type: 'udp',
      address: { address: '', family: '', port: 0 },
      closed: false,
      onData: () => undefined,
      send: async (datagram) => {
        const copy = Buffer.from(datagram);
        setImmediate(() => ours.receive(copy));
      },
      close: async () => undefined,
    };
    const options: DtlsSocket['options'] = {
      cert: theirs.certificate,
      key: theirs.key,
      signatureHash: { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
      srtpProfiles: [1],
      extendedMasterSecret: true,
      certificateRequest: true,
      transport,
    };
    const done = (outcome: Outcome): void => resolve({ ...outcome, peer, ours });
    const peer = role === 'server' ? new DtlsClient(options) : new DtlsServer(options);
    if (peer instanceof DtlsClient) void peer.connect().catch(() => undefined);
  });
}

describe.each(['server', 'client'] as const)('DtlsHandshake as the %s', (role) => {
  const identity: DtlsIdentity = makeIdentity(Date.now());

  it('agrees on keys with a peer whose certificate SDP named', async () => {
    const { keys, peer, ours } = await shake(role, identity, identity.fingerprint);
    const theirs = peer.extractSessionKeys(16, 14);
    expect(keys).toEqual({
      local: {
        suite: 'AES_CM_128_HMAC_SHA1_80',
        inline: Buffer.concat([theirs.remoteKey, theirs.remoteSalt]).toString('base64'),
      },
      remote: {
        suite: 'AES_CM_128_HMAC_SHA1_80',
        inline: Buffer.concat([theirs.localKey, theirs.localSalt]).toString('base64'),
      },
    });
    // Junk afterwards changes nothing.
    for (const junk of [
      Buffer.alloc(0),
      Buffer.from([22]),
      randomBytes(60),
      Buffer.concat([Buffer.from([22, 254, 253]), randomBytes(40)]),
    ]) {
      ours.receive(junk);
    }
    ours.close();
  });

  it('repeats what is lost', async () => {
    // As the server its first ServerHello, as the client its hello with the cookie.
    const { keys, ours } = await shake(role, identity, identity.fingerprint, [2]);
    expect(keys).toBeDefined();
    ours.close();
  });

  it("refuses another certificate, and one that is not the peer's own", async () => {
    const other = makeIdentity(Date.now());
    expect((await shake(role, other, identity.fingerprint)).failure).toContain('not the one');
    // The right certificate, copied from an earlier call, by somebody who has not its key.
    const copied = { certificate: identity.certificate, key: other.key };
    expect((await shake(role, copied, identity.fingerprint)).failure).toContain('does not have the key');
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A certificate of OpenSSL's making with its key, and its fingerprint. */
function opensslIdentity(folder: string, algorithm: readonly string[]) {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const request = ['req', '-x509', '-newkey', ...algorithm, '-nodes', '-keyout', key, '-out', certificate];
  execFileSync('openssl', [...request, '-days', '2', '-subj', '/CN=peer'], { stdio: 'ignore' });
  const printed = execFileSync('openssl', ['x509', '-in', certificate, '-noout', '-fingerprint', '-sha256']);
  return { files: ['-cert', certificate, '-key', key], value: printed.toString().trim().split('=')[1] ?? '' };
}

/** The keying material that OpenSSL prints. */
function exportedBy(program: ChildProcessWithoutNullStreams): Promise<Buffer> {
  return new Promise((resolve) => {
    let text = '';
    program.stdout.on('data', (chunk) => {
      text += String(chunk);
      const hex = /Keying material: ([\dA-F]{120})/.exec(text)?.[1];
      if (hex) resolve(Buffer.from(hex, 'hex'));
    });
  });
}

const EXPORT = ['-use_srtp', 'SRTP_AES128_CM_SHA1_80', '-keymatexport', 'EXTRACTOR-dtls_srtp'].concat([
  '-keymatexportlen',
  '60',
]);

describe.skipIf(!hasOpenssl)('against OpenSSL', () => {
  it.each([
    ['server', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ['server', 'rsa:2048'],
    ['client', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ['client', 'rsa:2048'],
  ] as const)('as the %s gets the keys that it exports, with a certificate of %s', async (role, ...algorithm) => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-dtls-'));
    const socket = createSocket('udp4');
    let program: ChildProcessWithoutNullStreams | undefined;
    try {
      const { files, value } = opensslIdentity(folder, algorithm);
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const openssl = (...args: string[]) => spawn('openssl', [...args, '-dtls1_2', ...files, ...EXPORT]);
      let peer = 0;
      if (role === 'server') program = openssl('s_client', '-connect', `127.0.0.1:${socket.address().port}`);
      else {
        peer = await freePort();
        program = openssl('s_server', '-accept', `127.0.0.1:${peer}`, '-Verify', '1');
        await once(program.stdout, 'data');
      }
      const agreed = new Promise<{ local: SrtpKey; remote: SrtpKey }>((resolve, reject) => {
        const ours = new DtlsHandshake(role, makeIdentity(Date.now()), [{ hash: 'sha256', value }], {
          send: (datagram) => socket.send(datagram, peer, '127.0.0.1'),
          keys: (local, remote) => resolve({ local, remote }),
          failed: (reason) => reject(new Error(reason)),
        });
        socket.on('message', (datagram, source) => {
          peer = source.port;
          ours.receive(datagram);
        });
      });
      const [{ local, remote }, material] = await Promise.all([agreed, exportedBy(program)]);
      const key = (n: 0 | 1) =>
        Buffer.concat([material.subarray(16 * n, 16 * n + 16), material.subarray(32 + 14 * n, 46 + 14 * n)]);
      const [client, server] = [key(0).toString('base64'), key(1).toString('base64')];
      expect([local.inline, remote.inline]).toEqual(role === 'server' ? [server, client] : [client, server]);
    } finally {
      program?.kill();
      if (program && program.exitCode === null && program.signalCode === null) await once(program, 'close');
      socket.close();
      rmSync(folder, { recursive: true });
    }
  });
});

async function freePort(): Promise<number> {
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  return port;
}
