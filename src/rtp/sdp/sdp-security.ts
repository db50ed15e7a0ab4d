import { ParleyError } from '../../errors.js';
import { type Fingerprint, ownIdentity } from '../dtls/certificate.js';
import type { DtlsRole } from '../dtls/handshake.js';
import type { MediaSecurity } from '../negotiated.js';
import { SRTP_SUITES, type SrtpKey, type SrtpSuite, SUITE_FACTS } from '../srtp/suites.js';
import type { SdpSession } from './sdp-session.js';
import { type MediaDescription, valuesOf, wholeNumber } from './session-description.js';

/** Whether media is encrypted: never, where the peer can, or always. */
export const SRTP_POLICIES = ['off', 'preferred', 'required'] as const;

/** See {@link SRTP_POLICIES}. */
export type SrtpPolicy = (typeof SRTP_POLICIES)[number];

/** A key as the peer gave it, under the tag that an answer repeats. */
interface OfferedKey {
  tag: string;
  key: SrtpKey;
}

/** What a line says of its security, as far as we take it. */
type LineSecurity =
  | { kind: 'plain' }
  | { kind: 'sdes'; offered: OfferedKey }
  | { kind: 'dtls'; fingerprints: Fingerprint[] };

const PLAIN = /^RTP\/AVPF?$/;
const SECURE = /^(UDP\/TLS\/)?RTP\/SAVPF?$/;
/** By the names of RFC 8122; MD5 and MD2 prove nothing. */
const HASHES: Readonly<Record<string, string>> = {
  'sha-1': 'sha1',
  'sha-224': 'sha224',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};

/** Whether we know the transport of a line, secure or not. */
export function isRtp(line: MediaDescription): boolean {
  const protocol = line.protocol.toUpperCase();
  return PLAIN.test(protocol) || SECURE.test(protocol);
}

/** Why a line does not fit the policy, or undefined when it does. */
export function misfit(line: MediaDescription, policy: SrtpPolicy): string | undefined {
  const security = readSecurity(line, policy);
  return typeof security === 'string' ? security : undefined;
}

/** Whether a line that fits will be encrypted. */
export function isSecured(line: MediaDescription, policy: SrtpPolicy): boolean {
  const security = readSecurity(line, policy);
  return typeof security !== 'string' && security.kind !== 'plain';
}

/** The line's security, or why it is none that the policy takes. */
function readSecurity(line: MediaDescription, policy: SrtpPolicy): LineSecurity | string {
  const protocol = line.protocol.toUpperCase();
  const secure = SECURE.test(protocol);
  if (secure && policy === 'off') return `${line.protocol} is offered`;
  const fingerprints = fingerprintsOf(line);
  if (secure && fingerprints.length > 0) {
    return setupOf(line) === 'holdconn' ? 'a=setup:holdconn is offered' : { kind: 'dtls', fingerprints };
  }
  // Many phones write their keys under RTP/AVP: whoever does not know them passes over them.
  const offered = policy === 'off' ? undefined : best(cryptoOf(line));
  if (offered) return { kind: 'sdes', offered };
  if (secure) return `${line.protocol} comes without a key or fingerprint that Parley can use`;
  return policy === 'required' ? `${line.protocol} comes without keys` : { kind: 'plain' };
}

/** Answers the security of a line that fits. */
export function answerSecurity(
  line: MediaDescription,
  policy: SrtpPolicy,
  session: SdpSession,
): { security: MediaSecurity | undefined; lines: string[] } {
  const security = readSecurity(line, policy);
  if (typeof security === 'string') throw policyError(policy, security);
  if (security.kind === 'plain') return { security: undefined, lines: [] };
  if (security.kind === 'dtls') {
    const identity = ownIdentity();
    const { fingerprints } = security;
    const role = answeredRole(setupOf(line), session);
    const lines = dtlsLines(identity.fingerprint, role === 'client' ? 'active' : 'passive');
    return { security: { kind: 'dtls', role, identity, fingerprints }, lines };
  }
  const { tag, key: remote } = security.offered;
  const local = session.keyAgainst(remote);
  return { security: { kind: 'sdes', local, remote }, lines: [cryptoLine(tag, local)] };
}

/**
 * What an offer of ours says. `preferred` offers keys under RTP/AVP: many PBXs refuse RTP/SAVP, and those that know no
 * keys pass over them.
 */
export function offerSecurity(policy: SrtpPolicy, session: SdpSession): { protocol: string; lines: string[] } {
  const { agreed } = session;
  if (agreed?.security === 'dtls') {
    // The roles stay as they are; the answer says them again (RFC 8842, 5).
    return { protocol: agreed.protocol, lines: dtlsLines(ownIdentity().fingerprint, 'actpass') };
  }
  if (policy === 'off' || agreed?.security === 'plain') return { protocol: agreed?.protocol ?? 'RTP/AVP', lines: [] };
  const lines = SRTP_SUITES.map((suite, n) => cryptoLine(String(n + 1), session.key(suite)));
  return { protocol: agreed?.protocol ?? (policy === 'required' ? 'RTP/SAVP' : 'RTP/AVP'), lines };
}

/**
 * What the answer to an offer of ours says.
 *
 * @throws ParleyError PARLEY_ERR_SRTP_POLICY when it is not what the policy allows
 */
export function acceptSecurity(
  offered: MediaDescription,
  answered: MediaDescription,
  policy: SrtpPolicy,
): MediaSecurity | undefined {
  const fingerprints = fingerprintsOf(answered);
  if (fingerprintsOf(offered).length > 0 && fingerprints.length > 0) {
    const role = setupOf(answered) === 'passive' ? 'client' : 'server';
    return { kind: 'dtls', role, identity: ownIdentity(), fingerprints };
  }
  const ours = cryptoOf(offered);
  const theirs = cryptoOf(answered)[0];
  const match = theirs && ours.find(({ tag, key }) => tag === theirs.tag && key.suite === theirs.key.suite);
  if (match) return { kind: 'sdes', local: match.key, remote: theirs.key };
  if (SECURE.test(answered.protocol.toUpperCase())) throw policyError(policy, 'the answer has no key that was offered');
  if (policy === 'required') throw policyError(policy, 'the answer has no key');
  return undefined;
}

/** An error of the kind that this file throws. */
export function policyError(policy: SrtpPolicy, reason: string): ParleyError {
  return new ParleyError('PARLEY_ERR_SRTP_POLICY', { policy, reason });
}

function dtlsLines(fingerprint: string, setup: 'active' | 'passive' | 'actpass'): string[] {
  return [`a=fingerprint:sha-256 ${fingerprint}`, `a=setup:${setup}`];
}

/** Of an offer that leaves it to us (actpass, RFC 5763, 5) we let the peer begin, unless we began before. */
function answeredRole(setup: string, session: SdpSession): DtlsRole {
  if (setup !== 'actpass' || session.dtlsRole === undefined)
    session.dtlsRole = setup === 'passive' ? 'client' : 'server';
  return session.dtlsRole;
}

/** Who begins: by default who answers (RFC 4145, 4). */
function setupOf(line: MediaDescription): string {
  return valuesOf(line, 'setup')[0]?.toLowerCase() ?? 'active';
}

function fingerprintsOf(line: MediaDescription): Fingerprint[] {
  return valuesOf(line, 'fingerprint').flatMap((text) => {
    const [name = '', value = ''] = text.split(/\s+/);
    const hash = HASHES[name.toLowerCase()];
    return hash && /^[\dA-F]{2}(:[\dA-F]{2})+$/i.test(value) ? [{ hash, value: value.toUpperCase() }] : [];
  });
}

/** a=crypto with the key, as RFC 4568, 9.1 writes it. */
function cryptoLine(tag: string, { suite, inline }: SrtpKey): string {
  return `a=crypto:${tag} ${suite} inline:${inline}`;
}

/** The first by our own order of suites. */
function best(offered: readonly OfferedKey[]): OfferedKey | undefined {
  return SRTP_SUITES.flatMap((suite) => offered.find(({ key }) => key.suite === suite) ?? [])[0];
}

/** The keys of a line that we can use. */
function cryptoOf(line: MediaDescription): OfferedKey[] {
  return (line.attributes.get('crypto') ?? []).flatMap((text) => {
    const [tag = '', suite = '', keys = '', ...parameters] = text.split(/\s+/);
    const known = SRTP_SUITES.find((name) => name === suite.toUpperCase());
    // Parameters of the session must be known, but those that say they need not be (RFC 4568, 6.3.7).
    const usable = parameters.every((parameter) => parameter.startsWith('-') || /^WSH=/i.test(parameter));
    const key = known && usable && /^\d{1,9}$/.test(tag) ? keyOf(known, keys) : undefined;
    return key ? [{ tag, key }] : [];
  });
}

/** `inline:key|lifetime|MKI:length`. One key is enough; packets under several could not be told apart. */
function keyOf(suite: SrtpSuite, text: string): SrtpKey | undefined {
  if (!/^inline:/i.test(text) || text.includes(';')) return undefined;
  const [inline = '', ...rest] = text.slice('inline:'.length).split('|');
  const { key, salt } = SUITE_FACTS[suite];
  const master = Buffer.from(inline, 'base64');
  if (!/^[\w+/-]+=*$/.test(inline) || master.length !== key + salt) return undefined;
  const marked = rest.find((part) => part.includes(':'));
  const mki = marked === undefined ? 0 : wholeNumber(marked.split(':')[1] ?? '', 128);
  if (mki === undefined) return undefined;
  return { suite, inline: master.toString('base64'), ...(mki > 0 && { mki }) };
}
