import { createHash, createHmac, verify, X509Certificate } from 'node:crypto';
import { type Fingerprint, fingerprintOf } from './certificate.js';

/** One handshake message as it counts in the transcript: with its header, in one piece (RFC 6347, 4.2.6). */
export interface HandshakeMessage {
  type: number;
  bytes: Buffer;
}

const CERTIFICATE = 11;
const CERTIFICATE_VERIFY = 15;
const FINISHED = 20;
const HEADER = 12;
const VERIFY_DATA = 12;
/** By the hash's number in TLS (RFC 5246, 7.4.1.4.1); weaker ones prove nothing. */
const HASHES: Readonly<Record<number, string>> = { 4: 'sha256', 5: 'sha384', 6: 'sha512' };

/**
 * Proves that the client is who SDP named, and that nobody changed the handshake on its way: the certificate has one
 * of the fingerprints (RFC 5763, 5), the client has its key (CertificateVerify), and both saw the same messages (Finished).
 * The library leaves all three to its user.
 *
 * @param messages of the whole handshake, both sides', in their order up to the client's Finished
 * @returns what is wrong, if anything is
 */
export function verifyClient(
  messages: readonly HandshakeMessage[],
  masterSecret: Buffer,
  fingerprints: readonly Fingerprint[],
): string | undefined {
  const certificates = messages.filter(({ type }) => type === CERTIFICATE).map(({ bytes }) => firstCertificate(bytes));
  // Ours was sent before the client's.
  const certificate = certificates[1];
  if (!certificate) return 'the peer shows no certificate';
  if (!fingerprints.some(({ hash, value }) => fingerprintOf(certificate, hash) === value)) {
    return 'the certificate is not the one whose fingerprint is in SDP';
  }
  if (!isSigned(messages, certificate)) return 'the peer does not have the key of its certificate';
  return isFinished(messages, masterSecret) ? undefined : 'the handshake was changed on its way';
}

function isSigned(messages: readonly HandshakeMessage[], certificate: Buffer): boolean {
  const at = messages.findIndex(({ type }) => type === CERTIFICATE_VERIFY);
  const body = messages[at]?.bytes.subarray(HEADER);
  if (!body || body.length < 4) return false;
  const hash = HASHES[body[0]!];
  if (!hash) return false;
  const signature = body.subarray(4, 4 + body.readUInt16BE(2));
  try {
    return verify(hash, transcript(messages.slice(0, at)), new X509Certificate(certificate).publicKey, signature);
  } catch {
    return false;
  }
}

function isFinished(messages: readonly HandshakeMessage[], masterSecret: Buffer): boolean {
  const at = messages.findIndex(({ type }) => type === FINISHED);
  const given = messages[at]?.bytes.subarray(HEADER);
  const digest = createHash('sha256')
    .update(transcript(messages.slice(0, at)))
    .digest();
  const seed = Buffer.concat([Buffer.from('client finished'), digest]);
  // One block of P_SHA256 is longer than what is needed (RFC 5246, 5).
  const first = createHmac('sha256', masterSecret).update(seed).digest();
  const expected = createHmac('sha256', masterSecret).update(first).update(seed).digest().subarray(0, VERIFY_DATA);
  return given !== undefined && expected.equals(given);
}

function transcript(messages: readonly HandshakeMessage[]): Buffer {
  return Buffer.concat(messages.map(({ bytes }) => bytes));
}

/** DER of the first of a list, each with three octets of length before it. */
function firstCertificate(message: Buffer): Buffer | undefined {
  const list = message.subarray(HEADER + 3);
  if (list.length < 3) return undefined;
  const length = list.readUIntBE(0, 3);
  return length > 0 && length <= list.length - 3 ? list.subarray(3, 3 + length) : undefined;
}
