import { isToken } from './headers.js';
import { type Header, header, type SipMessage } from './message.js';

/** Limits, in bytes and lines. Beyond them a message is refused with 400, whatever it says. */
export const LIMITS = { message: 65_536, line: 16_384, headers: 256 } as const;

/** What is wrong with a message, and the status (RFC 3261 21.4) that answers a request for it. */
export interface Fault {
  readonly status: 400 | 413 | 416 | 505;
  readonly reason: string;
}

/** As much of the message as could be read; `message` lacks only when the start line itself is unreadable. */
export interface Parsed {
  readonly message?: SipMessage;
  readonly fault?: Fault;
}

/**
 * Reads one SIP message (RFC 3261 7) in one pass. Header lines that cannot be read are left out and reported in
 * `fault`, so that a request can still be answered and an application's message still be sent without them.
 *
 * @param text one character per byte; everything after the header block is the body
 */
export function parseMessage(text: string): Parsed {
  if (text.length > LIMITS.message) return { fault: bad('message is longer than 64 kB') };
  let start = 0;
  while (text.startsWith('\r\n', start)) start += 2;
  const end = text.indexOf('\r\n\r\n', start);
  const head = text.slice(start, end < 0 ? text.length : end);
  const lines = unfold(head);
  const startLine = parseStartLine(lines.texts[0] ?? '');
  if (startLine.message === undefined) return startLine;
  const fields = parseFields(lines.texts);
  const fault =
    startLine.fault ?? lines.fault ?? fields.fault ?? (end < 0 ? bad('header block does not end') : undefined);
  const body = end < 0 ? '' : text.slice(end + 4);
  const message: SipMessage = { ...startLine.message, headers: fields.headers, body };
  return fault ? { message, fault } : { message };
}

function bad(reason: string): Fault {
  return { status: 400, reason };
}

function unfold(head: string): { texts: string[]; fault?: Fault } {
  const texts: string[] = [];
  let parts: string[] = [];
  let length = 0;
  let position = 0;
  while (position <= head.length) {
    if (length > LIMITS.line) return { texts, fault: bad('a line is longer than 16 kB') };
    if (texts.length > LIMITS.headers) return { texts, fault: bad(`more than ${LIMITS.headers} header lines`) };
    const found = head.indexOf('\r\n', position);
    const end = found < 0 ? head.length : found;
    const line = head.slice(position, end);
    position = end + 2;
    // A blank at the start continues the line before (RFC 3261 7.3.1); nothing can be continued by the start line.
    if ((line.startsWith(' ') || line.startsWith('\t')) && (texts.length > 0 || parts.length > 0)) {
      parts.push(line.trim());
      length += line.length + 2;
    } else {
      if (parts.length > 0) texts.push(parts.join(' '));
      parts = [line];
      length = line.length;
    }
  }
  if (length > LIMITS.line) return { texts, fault: bad('a line is longer than 16 kB') };
  texts.push(parts.join(' '));
  return { texts };
}

function parseStartLine(line: string): Parsed {
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  if (hasControl(line) || first < 1) return { fault: bad('unreadable start line') };
  if (line.slice(0, 4).toUpperCase() === 'SIP/') return parseStatusLine(line, first);
  const method = line.slice(0, first);
  const uri = line.slice(first + 1, last);
  const version = line.slice(last + 1);
  if (!isToken(method)) return { fault: bad('unreadable start line') };
  const message: SipMessage = { kind: 'request', method, uri, headers: [], body: '' };
  if (/^SIP\/\d+\.\d+$/i.test(version) && version.slice(4) !== '2.0') {
    return { message, fault: { status: 505, reason: `version ${version.slice(0, 20)}` } };
  }
  if (version.toUpperCase() !== 'SIP/2.0' || last <= first) return { message, fault: bad('unreadable start line') };
  if (uri === '' || /[\s<>"]/.test(uri)) return { message, fault: bad('unreadable Request-URI') };
  return { message };
}

function parseStatusLine(line: string, first: number): Parsed {
  const code = line.slice(first + 1, first + 4);
  const after = line.slice(first + 4);
  if (line.slice(0, first).toUpperCase() !== 'SIP/2.0') return { fault: { status: 505, reason: 'version' } };
  if (!/^[1-6]\d\d$/.test(code) || (after !== '' && !after.startsWith(' '))) return { fault: bad('unreadable status') };
  return { message: { kind: 'response', status: Number(code), reason: after.trim(), headers: [], body: '' } };
}

function parseFields(lines: readonly string[]): { headers: Header[]; fault?: Fault } {
  const headers: Header[] = [];
  let fault: Fault | undefined;
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? '';
    const colon = line.indexOf(':');
    const name = colon < 0 ? '' : line.slice(0, colon).trimEnd();
    if (!isToken(name) || hasControl(line)) fault ??= bad('unreadable header line');
    else if (headers.length >= LIMITS.headers) fault ??= bad(`more than ${LIMITS.headers} header lines`);
    else headers.push(header(name, line.slice(colon + 1).trim()));
  }
  return fault ? { headers, fault } : { headers };
}

/** Control characters are legal only as a quoted pair in a quoted string (RFC 3261 25.1), and CR and LF never. */
function hasControl(line: string): boolean {
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (quoted && code === 0x5c) {
      i++;
      if (line[i] === '\r' || line[i] === '\n') return true;
    } else if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
    else if (code === 0x22) quoted = !quoted;
  }
  return false;
}
