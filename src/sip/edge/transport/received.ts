import { type CSeq, listOf, parseCSeq, parseNameAddress, parseVia, split, type Via } from '../message/headers.js';
import { fieldOf, fieldsOf, header, type SipMessage, type SipRequest, type SipResponse } from '../message/message.js';
import { type Fault, LIMITS } from '../message/parse.js';
import { parseUri, schemeOf } from '../message/uri.js';
import type { Peer } from './transport.js';

/** A message from the network that passed every check, with the fields by which it is matched. */
export interface Received<M extends SipMessage = SipMessage> {
  readonly message: M;
  readonly source: Peer;
  /** Bytes on the wire. */
  readonly bytes: number;
  readonly via: Via;
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  readonly cseq: CSeq;
}

export type ReceivedRequest = Received<SipRequest>;
export type ReceivedResponse = Received<SipResponse>;

const SINGLE = ['from', 'to', 'call-id', 'cseq', 'max-forwards'] as const;
/** Lists of addresses that routing relies on. */
const ADDRESSES = ['contact', 'route', 'record-route'] as const;

/** Checks what RFC 3261 8.1.1 and 16.3 demand of any message; the fault says what is missing or wrong. */
export function admit(message: SipMessage, source: Peer, bytes: number): Received | Fault {
  for (const key of SINGLE) {
    if (fieldsOf(message, key).length > 1) return { status: 400, reason: `more than one ${key}` };
  }
  const via = checkVias(message);
  if (!via) return { status: 400, reason: 'missing or malformed Via' };
  const callId = fieldOf(message, 'call-id') ?? '';
  if (!/^[!-{}~]{1,1024}$/.test(callId)) return { status: 400, reason: 'missing or malformed Call-ID' };
  const from = parseNameAddress(fieldOf(message, 'from') ?? '');
  const to = parseNameAddress(fieldOf(message, 'to') ?? '');
  if (!from || !to) return { status: 400, reason: `missing or malformed ${from ? 'To' : 'From'}` };
  const fromTag = from.params.get('tag') ?? '';
  const toTag = to.params.get('tag') ?? '';
  // Tags become fields of drachtio frames, where '|' separates.
  if (/[\s|"]/.test(fromTag + toTag)) return { status: 400, reason: 'malformed tag' };
  const cseq = parseCSeq(fieldOf(message, 'cseq') ?? '');
  if (!cseq) return { status: 400, reason: 'missing or malformed CSeq' };
  const fault = message.kind === 'request' ? checkRequest(message, cseq) : undefined;
  return fault ?? { message, source, bytes, via, callId, fromTag, toTag, cseq };
}

function checkVias(message: SipMessage): Via | undefined {
  const values = fieldsOf(message, 'via').flatMap((line) => split(line, ','));
  const vias = values.map(parseVia);
  return vias.every((via) => via !== undefined) ? vias[0] : undefined;
}

function checkRequest(request: SipRequest, cseq: CSeq): Fault | undefined {
  if (cseq.method !== request.method) return { status: 400, reason: 'CSeq does not name the method' };
  const forwards = fieldOf(request, 'max-forwards');
  if (forwards !== undefined && !(/^0*\d{1,3}$/.test(forwards) && Number(forwards) < 256)) {
    return { status: 400, reason: 'malformed Max-Forwards' };
  }
  for (const key of ADDRESSES) {
    const values = listOf(request, key);
    const readable = values.every(
      (value) => parseNameAddress(value) || (value === '*' && key === 'contact' && request.method === 'REGISTER'),
    );
    if (!readable) return { status: 400, reason: `malformed ${header(key, '').name}` };
  }
  const registered = parseNameAddress(fieldOf(request, 'to') ?? '')?.uri ?? '';
  if (request.method === 'REGISTER' && !/^sips?:/i.test(registered)) {
    return { status: 400, reason: 'To is no address of record' };
  }
  const scheme = schemeOf(request.uri);
  if (scheme === '') return { status: 400, reason: 'malformed Request-URI' };
  if (scheme === 'tel') return undefined;
  if (scheme !== 'sip' && scheme !== 'sips') return { status: 416, reason: `scheme ${scheme.slice(0, 40)}` };
  const uri = parseUri(request.uri);
  return uri && uri.headers === '' ? undefined : { status: 400, reason: 'malformed Request-URI' };
}

/** The declared body length: `undefined` when none is declared, -1 when malformed or contradictory. */
export function contentLength(values: readonly string[]): number | undefined {
  if (values.length === 0) return undefined;
  const [first = ''] = values;
  if (values.some((value) => value !== first) || !/^\d{1,9}$/.test(first)) return -1;
  return Number(first) > LIMITS.message ? -1 : Number(first);
}

/**
 * Cuts the body of a datagram to Content-Length (RFC 3261 18.3): less than was sent is cut, more than was sent is
 * a fault.
 */
export function cutBody<M extends SipMessage>(message: M): M | Fault {
  const length = contentLength(fieldsOf(message, 'content-length'));
  if (length === undefined || length === message.body.length) return message;
  if (length < 0) return { status: 400, reason: 'malformed Content-Length' };
  if (length > message.body.length) return { status: 400, reason: 'Content-Length exceeds the message' };
  return { ...message, body: message.body.slice(0, length) };
}

/**
 * Notes where the request really came from in its top Via (RFC 3261 18.2.1, RFC 3581 4), so that the response finds
 * its way back through a NAT.
 */
export function markSource(request: SipRequest, via: Via, source: Peer): SipRequest {
  const wantsPort = via.params.has('rport');
  if (!wantsPort && via.host === source.host) return request;
  const at = request.headers.findIndex((line) => line.key === 'via');
  const line = request.headers[at];
  if (!line) return request;
  const [top = '', ...others] = split(line.value, ',');
  const kept = split(top, ';').filter((part) => !/^(received|rport)[ \t]*(=|$)/i.test(part));
  const marks = wantsPort ? [`received=${source.host}`, `rport=${source.port}`] : [`received=${source.host}`];
  const value = [[...kept, ...marks].join(';'), ...others].join(', ');
  return { ...request, headers: request.headers.with(at, header('Via', value)) };
}

/**
 * Where a response to this request goes (RFC 3261 18.2.2, RFC 3581 4): back on the connection; over UDP to the
 * source address, at the port it came from when asked (`rport`), else at the Via's. `maddr` is not honoured: a
 * response never goes to an address that did not send.
 */
export function replyPath({ source, via }: Pick<ReceivedRequest, 'source' | 'via'>): Peer {
  if (source.protocol === 'tcp') return { ...source, port: via.port ?? 5060 };
  return via.params.has('rport') ? source : { ...source, port: via.port ?? 5060 };
}
