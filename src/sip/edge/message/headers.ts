/**
 * The structured header values that the edge itself reads (RFC 3261 25.1). Every function makes one pass over its
 * input; no regular expression here can backtrack.
 */
import { fieldsOf, type SipMessage } from './message.js';

/** Name-addr or addr-spec with its header parameters: From, To, Contact, Route, Record-Route. */
export interface NameAddress {
  /** Display name as written, quotes included; empty when there is none. */
  readonly display: string;
  readonly uri: string;
  readonly params: ReadonlyMap<string, string>;
}

export interface Via {
  /** Upper case, e.g. `UDP`. */
  readonly transport: string;
  /** Without brackets when an IPv6 reference. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: ReadonlyMap<string, string>;
}

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** RFC 3261 `token`. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Most values in one list, and parameters of one value: what follows stays in one piece, which nothing can read. */
const PARTS_MAX = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x3c;
const CLOSE = 0x3e;

/** Takes a value apart at `separator`, outside quoted strings and angle brackets; parts are trimmed. */
export function split(value: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  const at = separator.charCodeAt(0);
  let start = 0;
  let quoted = false;
  let angle = false;
  for (let i = 0; i < value.length && parts.length < PARTS_MAX; i++) {
    const c = value.charCodeAt(i);
    if (quoted) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) quoted = false;
    } else if (c === QUOTE) quoted = true;
    else if (c === OPEN) angle = true;
    else if (c === CLOSE) angle = false;
    else if (c === at && !angle) {
      parts.push(value.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(value.slice(start).trim());
  return parts;
}

/** All values of a list header, from every line and every comma list, in order. */
export function listOf(message: SipMessage, key: string): string[] {
  return fieldsOf(message, key).flatMap((line) => split(line, ',').filter((value) => value !== ''));
}

/**
 * Parameters `;a=b;c`; names in lower case, values with quotes kept. `undefined` when malformed; a separator too many
 * at the end is forgiven, since some phones write one.
 */
function parseParams(parts: readonly string[]): Map<string, string> | undefined {
  const params = new Map<string, string>();
  const written = parts.at(-1) === '' ? parts.slice(0, -1) : parts;
  for (const part of written) {
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (!isToken(name)) return undefined;
    if (!params.has(name)) params.set(name, equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  return params;
}

/** Where the `<` of a name-addr stands; -1 without one, -2 when a quote is not closed. */
function openAngle(value: string): number {
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') return i;
  }
  return quoted ? -2 : -1;
}

export function parseNameAddress(value: string): NameAddress | undefined {
  const open = openAngle(value);
  if (open === -2) return undefined;
  if (open === -1) {
    // Without brackets every parameter belongs to the header, and '?' and ',' are not allowed (RFC 3261 20.10).
    const [uri = '', ...rest] = split(value, ';');
    const params = parseParams(rest);
    return params && usableUri(uri) && !/[?,]/.test(uri) ? { display: '', uri, params } : undefined;
  }
  const close = value.indexOf('>', open);
  if (close < 0) return undefined;
  const uri = value.slice(open + 1, close);
  const display = value.slice(0, open).trim();
  const after = value.slice(close + 1).trim();
  if (!usableUri(uri) || !usableDisplay(display) || (after !== '' && !after.startsWith(';'))) return undefined;
  const params = after === '' ? new Map<string, string>() : parseParams(split(after.slice(1), ';'));
  return params && { display, uri, params };
}

/**
 * Quoted, or tokens and blanks; letters beyond ASCII and the like are forgiven, characters that separate values or
 * strings are not.
 */
function usableDisplay(display: string): boolean {
  return display.startsWith('"') ? /^"(?:[^"\\]|\\.)*"$/.test(display) : !/[,;"\\]/.test(display);
}

function usableUri(uri: string): boolean {
  return uri.includes(':') && !/[\s<>"]/.test(uri);
}

/** `host`, `host:port`, `[v6]:port`; blanks round the colon are legal in Via. `undefined` when malformed. */
export function parseHostPort(text: string): { host: string; port: number | undefined } | undefined {
  const close = text.startsWith('[') ? text.indexOf(']') : -1;
  if (text.startsWith('[') && close < 0) return undefined;
  const colon = text.indexOf(':', close + 1);
  const name = (colon < 0 ? text : text.slice(0, colon)).trim();
  const host = close > 0 ? name.slice(1, -1) : name;
  if (host === '' || (close > 0 ? !/^[0-9A-Fa-f:.]+$/.test(host) : !/^[A-Za-z0-9._-]+$/.test(host))) return undefined;
  if (colon < 0) return { host, port: undefined };
  const digits = text.slice(colon + 1).trim();
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return port > 0 && port < 65536 ? { host, port } : undefined;
}

export function parseVia(value: string): Via | undefined {
  const [head = '', ...rest] = split(value, ';');
  const first = head.indexOf('/');
  const second = head.indexOf('/', first + 1);
  if (first < 0 || second < 0) return undefined;
  if (head.slice(0, first).trim().toUpperCase() !== 'SIP' || head.slice(first + 1, second).trim() !== '2.0') return;
  const sent = head.slice(second + 1).trim();
  const blank = sent.search(/[ \t]/);
  if (blank < 0) return undefined;
  const transport = sent.slice(0, blank).toUpperCase();
  const sentBy = parseHostPort(sent.slice(blank).trim());
  const params = parseParams(rest);
  return sentBy && params && isToken(transport) ? { transport, ...sentBy, params } : undefined;
}

/** A Via as far as it can be read, so that a request whose very Via is at fault can still be answered. */
export function sentBy(value: string): Via | undefined {
  const whole = parseVia(value);
  if (whole) return whole;
  const [, transport = '', host = ''] =
    /^\s*SIP\s*\/\s*[\d.]+\s*\/\s*(\S+)\s+([^;,]+)/i.exec(value.slice(0, 512)) ?? [];
  const place = parseHostPort(host.trim());
  return place && isToken(transport) ? { transport: transport.toUpperCase(), ...place, params: new Map() } : undefined;
}

/** RFC 3261 8.1.1.5: the number is below 2^31. */
export function parseCSeq(value: string): CSeq | undefined {
  const blank = value.search(/[ \t]/);
  if (blank < 1) return undefined;
  const digits = value.slice(0, blank);
  const method = value.slice(blank).trim();
  const number = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
  return number < 2 ** 31 && isToken(method) ? { number, method } : undefined;
}

/** The tag of a From or To value; empty when there is none. */
export function tagOf(value: string | undefined): string {
  return (value !== undefined && parseNameAddress(value)?.params.get('tag')) || '';
}
