/** Builds the messages that the edge sends, from what an application wrote and what the dialog and stack know. */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { listOf, parseNameAddress, tagOf } from './message/headers.js';
import { fieldOf, type Header, header, type SipMessage, type SipRequest, type SipResponse } from './message/message.js';
import { wantsReliability } from './message/option-tags.js';
import { hostText, parseUri, requestUri } from './message/uri.js';
import { newBranch } from './transaction/transactions.js';
import type { LocalEnd } from './transport/local-address.js';

/** Headers of an application's message that the edge writes itself, or never lets an application set. */
const OWN = new Set([
  'via',
  'route',
  'record-route',
  'rseq',
  'content-length',
  'from',
  'to',
  'call-id',
  'cseq',
  'contact',
  'max-forwards',
]);

/** Requests that make a dialog or refresh its target: they carry a Contact (RFC 3261 8.1.1.8, 12.2.1.1). */
const WITH_CONTACT = new Set(['INVITE', 'SUBSCRIBE', 'UPDATE', 'REFER', 'NOTIFY', 'OPTIONS']);

/** Requests whose 2xx makes a dialog. */
export function makesDialog(method: string): boolean {
  return method === 'INVITE' || method === 'SUBSCRIBE';
}

export function newTag(): string {
  return randomBytes(8).toString('hex');
}

/** Why an application's request can't be sent as it stands; `undefined` when it can. */
export function refusalOf(message: SipRequest): string | undefined {
  return message.body !== '' && bodyType(message) === undefined ? 'missing content-type' : undefined;
}

/** The headers an application may set, with the Content-Type that a session description has anyway. */
export function applicationHeaders(message: SipMessage): Header[] {
  const headers = message.headers.filter((line) => !OWN.has(line.key));
  const type = bodyType(message);
  if (message.body !== '' && type !== undefined && fieldOf(message, 'content-type') === undefined) {
    headers.push(header('Content-Type', type));
  }
  return headers;
}

function bodyType(message: SipMessage): string | undefined {
  return fieldOf(message, 'content-type') ?? (message.body.startsWith('v=0') ? 'application/sdp' : undefined);
}

function ownUri(local: LocalEnd): string {
  return `${hostText(local.host)}:${local.port}`;
}

/** `@localhost` stands for this edge's own address; an address without brackets gets them. */
function localise(value: string, where: string): string {
  const address = parseNameAddress(value);
  const bracketed =
    !address || value.includes('<')
      ? value
      : [`<${address.uri}>`, ...[...address.params].map(([k, v]) => (v === '' ? k : `${k}=${v}`))].join(';');
  return bracketed.replace(/@localhost(:\d{1,5})?(?![\w.-])/gi, `@${where}`);
}

/** @param secure whether the peer was addressed by `sips:`, and has to reach us by it too (RFC 3261 8.1.1.8, 12.1.1) */
function contactLine(message: SipMessage, method: string, local: LocalEnd, secure: boolean): Header[] {
  const where = secure
    ? ownUri({ ...local, port: local.tlsPort ?? local.port })
    : ownUri(local) + (local.protocol === 'udp' ? '' : `;transport=${local.protocol}`);
  const scheme = secure ? 'sips' : 'sip';
  const given = message.headers.filter((line) => line.key === 'contact');
  if (given.length === 0) return WITH_CONTACT.has(method) ? [header('Contact', `<${scheme}:${where}>`)] : [];
  const fitting = (value: string) => (secure ? value.replace(/\bsip:(?=[^@]*@localhost\b)/i, 'sips:') : value);
  return given.map((line) => header('Contact', localise(fitting(line.value), where)));
}

function isSecure(uri: string | undefined): boolean {
  return /^sips:/i.test(uri ?? '');
}

/** Whether the dialog that this request makes has to be kept by `sips:` (RFC 3261 12.1.1). */
function asksForSecurity(request: SipRequest): boolean {
  const [first] = [...listOf(request, 'record-route'), ...listOf(request, 'contact')];
  return isSecure(request.uri) || isSecure(parseNameAddress(first ?? '')?.uri);
}

/** The Via of a request of this edge, with a new branch. */
export function viaLine(local: LocalEnd): Header {
  return header('Via', `SIP/2.0/${local.protocol.toUpperCase()} ${ownUri(local)};rport;branch=${newBranch()}`);
}

/** The same request with a Via of its own: for another target, or another transport. */
export function reroute(request: SipRequest, local: LocalEnd): SipRequest {
  const top = request.headers.findIndex((line) => line.key === 'via');
  return { ...request, headers: request.headers.with(top, viaLine(local)) };
}

/** A request outside any dialog. Call-ID, From with its tag and CSeq are the application's when it gives them. */
export function requestOutside(message: SipRequest, local: LocalEnd): SipRequest {
  const where = ownUri(local);
  const uri = requestUri(message.uri);
  const from = localise(fieldOf(message, 'from') ?? `<sip:${where}>`, where);
  const sequence = /^\d{1,9}/.exec(fieldOf(message, 'cseq') ?? '')?.[0] ?? String(randomInt(1, 1 << 16));
  const headers = [
    viaLine(local),
    header('Max-Forwards', fieldOf(message, 'max-forwards') ?? '70'),
    header('From', tagOf(from) === '' ? `${from};tag=${newTag()}` : from),
    header('To', localise(fieldOf(message, 'to') ?? `<${uri}>`, where)),
    header('Call-ID', fieldOf(message, 'call-id') ?? randomUUID()),
    header('CSeq', `${sequence} ${message.method}`),
    ...contactLine(message, message.method, local, isSecure(uri)),
    ...applicationHeaders(message).map((line) =>
      line.key === 'p-asserted-identity' ? header(line.name, localise(line.value, where)) : line,
    ),
  ];
  return { kind: 'request', method: message.method, uri, headers, body: message.body };
}

/** What the dialog decides about a request sent in it. */
export interface DialogPart {
  readonly uri: string;
  readonly routes: readonly Header[];
  readonly localParty: string;
  readonly remoteParty: string;
  readonly callId: string;
  readonly sequence: number;
}

export function requestInDialog(message: SipRequest, part: DialogPart, local: LocalEnd): SipRequest {
  const headers = [
    viaLine(local),
    ...part.routes,
    header('Max-Forwards', '70'),
    header('From', part.localParty),
    header('To', part.remoteParty),
    header('Call-ID', part.callId),
    header('CSeq', `${part.sequence} ${message.method}`),
    ...(message.method === 'ACK' ? [] : contactLine(message, message.method, local, isSecure(part.uri))),
    ...applicationHeaders(message),
  ];
  return { kind: 'request', method: message.method, uri: part.uri, headers, body: message.body };
}

/** RFC 3261 9.1: the INVITE's own URI, branch, route and parties. */
export function cancelOf(invite: SipRequest, message: SipRequest): SipRequest {
  const copy = (...keys: string[]) => invite.headers.filter((line) => keys.includes(line.key));
  const sequence = (fieldOf(invite, 'cseq') ?? '').split(' ')[0];
  const headers = [
    ...copy('via', 'route', 'max-forwards', 'from', 'to', 'call-id'),
    header('CSeq', `${sequence} CANCEL`),
    ...applicationHeaders({ ...message, body: '' }),
  ];
  return { kind: 'request', method: 'CANCEL', uri: invite.uri, headers, body: '' };
}

/** The fields of a response that its request decides (RFC 3261 8.2.6.2), the To tag excepted. */
function mirrored(request: SipRequest, status: number, toTag: string): Header[] {
  const dialogMaking = makesDialog(request.method) && status > 100 && status < 300;
  const headers: Header[] = [];
  const once = new Set(['from', 'to', 'call-id', 'cseq']);
  for (const line of request.headers) {
    if (line.key !== 'to' && once.delete(line.key)) headers.push(line);
    else if (line.key === 'via' || (line.key === 'record-route' && dialogMaking)) headers.push(line);
    else if (line.key === 'timestamp' && status === 100) headers.push(line);
    else if (line.key === 'to' && once.delete('to')) {
      const untagged = status === 100 || toTag === '' || tagOf(line.value) !== '';
      headers.push(untagged ? line : header('To', `${bracket(line.value)};tag=${toTag}`));
    }
  }
  return headers;
}

/** A URI with parameters of its own must not swallow the tag. */
function bracket(value: string): string {
  const address = parseNameAddress(value);
  return address && !value.includes('<') && parseUri(address.uri) ? localise(value, 'localhost') : value;
}

/** A response that the edge makes itself. */
export function plainResponse(
  request: SipRequest,
  status: number,
  reason: string,
  toTag: string,
  extra: readonly Header[] = [],
): SipResponse {
  return { kind: 'response', status, reason, headers: [...mirrored(request, status, toTag), ...extra], body: '' };
}

/** A response that an application gave. */
export function applicationResponse(
  request: SipRequest,
  given: SipResponse,
  toTag: string,
  local: LocalEnd,
): SipResponse {
  const { status, reason, body } = given;
  const reliable = wantsReliability(given);
  const accepts = status >= 200 && status < 300 && (makesDialog(request.method) || request.method === 'UPDATE');
  const contact = contactLine(given, accepts || reliable ? request.method : '', local, asksForSecurity(request));
  const headers = [...mirrored(request, status, toTag), ...contact, ...applicationHeaders(given)];
  return { kind: 'response', status, reason: reason === '' ? 'Unknown' : reason, headers, body };
}
