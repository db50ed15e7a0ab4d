import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate of ours with its key. Plain text, so that it can go to a worker. */
export interface DtlsIdentity {
  /** PEM */
  certificate: string;
  /** PEM, PKCS #8 */
  key: string;
  /** Of the certificate, by SHA-256, as a=fingerprint has it: pairs of hexadecimal digits with colons. */
  fingerprint: string;
}

/** a=fingerprint of a peer (RFC 8122, 5). */
export interface Fingerprint {
  /** As node:crypto names it: sha1, sha256... */
  hash: string;
  /** In capitals. */
  value: string;
}

const DAY_MS = 86_400_000;
/** The certificate counts by its fingerprint alone; its dates only have to include the present. */
const BEFORE_MS = DAY_MS;
const AFTER_MS = 3650 * DAY_MS;

let own: DtlsIdentity | undefined;

/** The certificate of this process, made when it is first asked for and new at each start. */
export function ownIdentity(): DtlsIdentity {
  own ??= makeIdentity(Date.now());
  return own;
}

/** A self-signed certificate (RFC 5280) with an ECDSA key on P-256, as browsers make theirs. @param now ms since 1970 */
export function makeIdentity(now: number): DtlsIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(der(0x31, sequence(Buffer.concat([OID.commonName, der(0x0c, Buffer.from('parley'))]))));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial()),
    ECDSA_SHA256,
    name,
    sequence(generalizedTime(now - BEFORE_MS), generalizedTime(now + AFTER_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = der(0x03, Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]));
  const certificate = sequence(body, ECDSA_SHA256, signature);
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: fingerprintOf(certificate, 'sha256'),
  };
}

/** @param hash as node:crypto names it */
export function fingerprintOf(certificate: Uint8Array, hash: string): string {
  const digest = createHash(hash).update(certificate).digest('hex').toUpperCase();
  return digest.match(/../g)?.join(':') ?? '';
}

const OID = {
  ecdsaWithSha256: der(0x06, Buffer.from('2a8648ce3d040302', 'hex')),
  commonName: der(0x06, Buffer.from('550403', 'hex')),
};
const ECDSA_SHA256 = sequence(OID.ecdsaWithSha256);

/** Positive, and of full length. */
function serial(): Buffer {
  const octets = randomBytes(16);
  octets[0] = (octets[0]! & 0x3f) | 0x40;
  return octets;
}

function generalizedTime(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(text));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** An element of DER (X.690): tag, length, contents. */
function der(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), contents]);
}

function pem(label: string, contents: Buffer): string {
  const lines = contents.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
