import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DtlsClient, type DtlsSocket, HashAlgorithm, SignatureAlgorithm } from 'werift-dtls/lib/dtls/src/index.js';
import type { SrtpKey } from '../srtp/suites.js';
import { type DtlsIdentity, makeIdentity } from './certificate.js';
import { DtlsHandshake } from './handshake.js';

interface Outcome {
  keys?: { local: SrtpKey; remote: SrtpKey };
  failure?: string;
}

/** The library's own client against our side, datagrams handed over directly. */
function shake(client: { certificate: string; key: string }, fingerprint: string, lossy = false) {
  return new Promise<Outcome & { client: DtlsClient; server: DtlsHandshake }>((resolve) => {
    let sent = 0;
    const server = new DtlsHandshake(makeIdentity(Date.now()), [{ hash: 'sha256', value: fingerprint }], {
      send: (datagram) => {
        // The first ServerHello is lost.
        if (!lossy || ++sent !== 2) setImmediate(() => transport.onData(Buffer.from(datagram), ['', 0]));
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
        setImmediate(() => server.receive(copy));
      },
      close: async () => undefined,
    };
    const peer = new DtlsClient({
      cert: client.certificate,
      key: client.key,
      signatureHash: { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
      srtpProfiles: [1],
      extendedMasterSecret: true,
      certificateRequest: true,
      transport,
    });
    const done = (outcome: Outcome): void => resolve({ ...outcome, client: peer, server });
    void peer.connect().catch(() => undefined);
  });
}

describe('DtlsHandshake', () => {
  const identity: DtlsIdentity = makeIdentity(Date.now());

  it('agrees on keys with a client whose certificate SDP named', async () => {
    const { keys, client, server } = await shake(identity, identity.fingerprint);
    const theirs = client.extractSessionKeys(16, 14);
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
      server.receive(junk);
    }
    server.close();
  });

  it('repeats what is lost', async () => {
    const { keys, server } = await shake(identity, identity.fingerprint, true);
    expect(keys).toBeDefined();
    server.close();
  });

  it("refuses another certificate, and one that is not the client's own", async () => {
    const other = makeIdentity(Date.now());
    expect((await shake(other, identity.fingerprint)).failure).toContain('not the one');
    // The right certificate, copied from an earlier call, by somebody who has not its key.
    const copied = { certificate: identity.certificate, key: other.key };
    expect((await shake(copied, identity.fingerprint)).failure).toContain('does not have the key');
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasOpenssl)('against OpenSSL', () => {
  it.each([['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], ['rsa:2048']])(
    'gets the keys that it exports, with a certificate of %s',
    async (...algorithm) => {
      const folder = mkdtempSync(join(tmpdir(), 'parley-dtls-'));
      const socket = createSocket('udp4');
      try {
        const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
        const request = ['req', '-x509', '-newkey', ...algorithm, '-nodes', '-keyout', key, '-out', certificate];
        execFileSync('openssl', [...request, '-days', '2', '-subj', '/CN=peer'], { stdio: 'ignore' });
        const printed = execFileSync('openssl', ['x509', '-in', certificate, '-noout', '-fingerprint', '-sha256']);
        const value = printed.toString().trim().split('=')[1] ?? '';
        socket.bind(0, '127.0.0.1');
        await once(socket, 'listening');

        let peer = 0;
        const agreed = new Promise<{ local: SrtpKey; remote: SrtpKey }>((resolve, reject) => {
          const server = new DtlsHandshake(makeIdentity(Date.now()), [{ hash: 'sha256', value }], {
            send: (datagram) => socket.send(datagram, peer, '127.0.0.1'),
            keys: (local, remote) => resolve({ local, remote }),
            failed: (reason) => reject(new Error(reason)),
          });
          socket.on('message', (datagram, source) => {
            peer = source.port;
            server.receive(datagram);
          });
        });
        const client = spawn(
          'openssl',
          ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${socket.address().port}`, '-cert', certificate, '-key', key]
            .concat(['-use_srtp', 'SRTP_AES128_CM_SHA1_80'])
            .concat(['-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', '60']),
        );
        const exported = new Promise<Buffer>((resolve) => {
          let text = '';
          client.stdout.on('data', (chunk) => {
            text += String(chunk);
            const hex = /Keying material: ([\dA-F]{120})/.exec(text)?.[1];
            if (hex) resolve(Buffer.from(hex, 'hex'));
          });
        });
        const ended = once(client, 'close');
        const both = Promise.all([agreed, exported]).finally(() => client.kill());
        const [{ local, remote }, material] = await both;
        await ended;
        const part = (from: number, octets: number): Buffer => material.subarray(from, from + octets);
        expect(remote.inline).toBe(Buffer.concat([part(0, 16), part(32, 14)]).toString('base64'));
        expect(local.inline).toBe(Buffer.concat([part(16, 16), part(46, 14)]).toString('base64'));
      } finally {
        socket.close();
        rmSync(folder, { recursive: true });
      }
    },
  );
});
