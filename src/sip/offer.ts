/** What an INVITE has to offer, and whether it can be answered at all (RFC 3261 8.1.1.8, 8.2.2.3, 8.2.3). */
import type { HeaderOf } from './header-of.js';
import { partsOf, typeOf } from './headers/multipart.js';
import { intervalRefusal, type SessionTimerConfig } from './session-interval.js';

/** Extensions that an INVITE may require of Parley. */
const SUPPORTED = new Set(['100rel', 'replaces', 'timer']);

const SDP = 'application/sdp';

/** Why an INVITE can't be taken, as status and headers; `undefined` when it can. */
export function inviteRefusal(
  header: HeaderOf,
  body: string,
  timer: SessionTimerConfig,
): { status: number; headers: Record<string, string> } | undefined {
  // RFC 3261 section 8.1.1.8: without it no dialog can be made, and drachtio-srf would answer 200 all the same.
  if (!header('Contact')) return { status: 400, headers: {} };
  const unsupported = list(header('Require')).filter((tag) => !SUPPORTED.has(tag));
  if (unsupported.length > 0) return { status: 420, headers: { Unsupported: unsupported.join(', ') } };
  const encoding = (header('Content-Encoding') ?? 'identity').trim().toLowerCase();
  if (encoding !== 'identity') return { status: 415, headers: { 'Accept-Encoding': 'identity' } };
  if (body !== '' && sdpOf(header('Content-Type') ?? SDP, body) === undefined) {
    return { status: 415, headers: { Accept: SDP } };
  }
  const accepts = list(header('Accept')).map((range) => typeOf(range));
  const answerable = accepts.length === 0 || [SDP, 'application/*', '*/*'].some((range) => accepts.includes(range));
  return answerable ? intervalRefusal(header, timer) : { status: 406, headers: {} };
}

/** The session description in a body, which may be one part of several (RFC 5621); `undefined` without one. */
export function sdpOf(contentType: string, body: string): string | undefined {
  if (typeOf(contentType) === SDP) return body;
  const part = partsOf(contentType, body).find(({ type }) => type === SDP);
  return part && `${part.body.trimEnd()}\r\n`;
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .toLowerCase()
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
