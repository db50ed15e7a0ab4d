import { randomBytes } from 'node:crypto';
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
