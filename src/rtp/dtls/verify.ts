import { createHash, createHmac, verify, X509Certificate } from 'node:crypto';
import { type Fingerprint, fingerprintOf } from './certificate.js';

/** One handshake message as it counts in the transcript: with its header, in one piece (RFC 6347, 4.2.6). */
export interface HandshakeMessage {
  type: number;
  bytes: Buffer;
}

const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const SERVER_KEY_EXCHANGE = 12;
const CERTIFICATE_VERIFY = 15;
const FINISHED = 20;
const HEADER = 12;
const VERSION = 2;
const RANDOM = 32;
/** Kind of curve, curve, length of the point. */
const CURVE = 4;
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
  // Ours was sent before the client's.
  const certificate = certificatesOf(messages)[1];
  const stranger = unlikeSdp(certificate, fingerprints);
  if (!certificate || stranger) return stranger;
  const at = messages.findIndex(({ type }) => type === CERTIFICATE_VERIFY);
  const signed = transcript(messages.slice(0, at));
  if (!isSigned(messages[at]?.bytes.subarray(HEADER), signed, certificate)) return NO_KEY;
  const end = messages.findIndex(({ type }) => type === FINISHED);
  return isFinished(messages.slice(0, end + 1), 'client finished', masterSecret) ? undefined : CHANGED;
}

/**
 * The same for a server: its certificate has one of the fingerprints, its share of the key exchange is signed with the
 * certificate's key, and its Finished is over what both saw.
 *
 * @param messages of the whole handshake up to the server's Finished
 * @returns what is wrong, if anything is
 */
export function verifyServer(
  messages: readonly HandshakeMessage[],
  masterSecret: Buffer,
  fingerprints: readonly Fingerprint[],
): string | undefined {
  const certificate = certificatesOf(messages)[0];
  const stranger = unlikeSdp(certificate, fingerprints);
  if (!certificate || stranger) return stranger;
  const body = (wanted: number) => messages.find(({ type }) => type === wanted)?.bytes.subarray(HEADER);
  const [client, server, exchange] = [CLIENT_HELLO, SERVER_HELLO, SERVER_KEY_EXCHANGE].map(body);
  if (!client || !server || !exchange || exchange.length < CURVE) return NO_KEY;
  const parameters = exchange.subarray(0, CURVE + exchange[CURVE - 1]!);
  const randoms = [client, server].map((hello) => hello.subarray(VERSION, VERSION + RANDOM));
  const signed = Buffer.concat([...randoms, parameters]);
  if (!isSigned(exchange.subarray(parameters.length), signed, certificate)) return NO_KEY;
  return isFinished(messages, 'server finished', masterSecret) ? undefined : CHANGED;
}

const NO_KEY = 'the peer does not have the key of its certificate';
const CHANGED = 'the handshake was changed on its way';

function unlikeSdp(certificate: Buffer | undefined, fingerprints: readonly Fingerprint[]): string | undefined {
  if (!certificate) return 'the peer shows no certificate';
  if (fingerprints.some(({ hash, value }) => fingerprintOf(certificate, hash) === value)) return undefined;
  return 'the certificate is not the one whose fingerprint is in SDP';
}

/** @param proof algorithm, length, signature (RFC 5246, 4.7) */
function isSigned(proof: Buffer | undefined, signed: Buffer, certificate: Buffer): boolean {
  if (!proof || proof.length < 4) return false;
  const hash = HASHES[proof[0]!];
  if (!hash) return false;
  const signature = proof.subarray(4, 4 + proof.readUInt16BE(2));
  try {
    return verify(hash, signed, new X509Certificate(certificate).publicKey, signature);
  } catch {
    return false;
  }
}

/** Whether the last message proves all before it. */
function isFinished(messages: readonly HandshakeMessage[], label: string, masterSecret: Buffer): boolean {
  const given = messages.at(-1)?.bytes.subarray(HEADER);
  const digest = createHash('sha256')
    .update(transcript(messages.slice(0, -1)))
    .digest();
  const seed = Buffer.concat([Buffer.from(label), digest]);
  // One block of P_SHA256 is longer than what is needed (RFC 5246, 5).
  const first = createHmac('sha256', masterSecret).update(seed).digest();
  const expected = createHmac('sha256', masterSecret).update(first).update(seed).digest().subarray(0, VERIFY_DATA);
  return given !== undefined && expected.equals(given);
}

function transcript(messages: readonly HandshakeMessage[]): Buffer {
  return Buffer.concat(messages.map(({ bytes }) => bytes));
}

function certificatesOf(messages: readonly HandshakeMessage[]): (Buffer | undefined)[] {
  return messages.filter(({ type }) => type === CERTIFICATE).map(({ bytes }) => firstCertificate(bytes));
}

/** DER of the first of a list, each with three octets of length before it. */
function firstCertificate(message: Buffer): Buffer | undefined {
  const list = message.subarray(HEADER + 3);
  if (list.length < 3) return undefined;
  const length = list.readUIntBE(0, 3);
  return length > 0 && length <= list.length - 3 ? list.subarray(3, 3 + length) : undefined;
}
