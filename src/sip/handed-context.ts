/*
 * What the INVITE to a person says of the call that is handed to them: caller identity (RFC 3325), Subject, User-to-User
 * (RFC 7433), Call-Info, Diversion (RFC 5806), History-Info (RFC 7044), Referred-By (RFC 3892), and JSON in a multipart body.
 */
import { randomBytes } from 'node:crypto';
import { ParleyError } from '../errors.js';
import { checkLength } from './message-limit.js';

/** What a phone is told. */
export interface HandedContext {
  /** Parley's id of the call. */
  call: string;
  /** The caller's number or name as From had it. */
  caller: string;
  /** Whose number the phone shows. */
  shown: string;
  /** Request-URI of the caller's INVITE. */
  called: string;
  subject: string;
  /** Page with the whole context. */
  url: string | undefined;
  /** For programs: User-to-User has as much of it as fits, the body all. */
  data: Readonly<Record<string, unknown>>;
  /** Whether the body has `data`, too. */
  json: boolean;
  /** Headers besides, for the trunk that is called; they win over those of the same name. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Value for a Replaces header. */
  replaces: string | undefined;
}

/** Octets of User-to-User data; as hex they are twice as many. */
const UUI_MAX = 512;
const SUBJECT_MAX = 200;
const JSON_MAX = 2500;

/**
 * Headers and body of the INVITE. What is too much for one message is left out: first the body's JSON, then User-to-User.
 *
 * @param to Request-URI
 * @throws ParleyError `PARLEY_ERR_SIP_TOO_LONG` when the session description alone is too long
 */
export function handedContext(
  context: HandedContext,
  to: string,
  sdp: string,
): { headers: Record<string, string>; body: string } {
  const must = required(context, to);
  const uui = userToUser(context.data);
  const full = { ...must, ...uui };
  const json = JSON.stringify(context.data);
  const tries = [
    ...(context.json && Buffer.byteLength(json) <= JSON_MAX ? [multipart(full, sdp, json)] : []),
    { headers: full, body: sdp },
    { headers: must, body: sdp },
  ];
  for (const made of tries) {
    try {
      checkLength(made.headers, made.body);
      return made;
    } catch (error) {
      if (!(error instanceof ParleyError)) throw error;
    }
  }
  return { headers: {}, body: sdp };
}

function required(
  { call, shown, called, subject, url, caller, replaces, headers = {} }: HandedContext,
  to: string,
): Record<string, string> {
  // The server below puts its own address in the place of localhost.
  const identity = `<sip:${userPart(shown)}@localhost>`;
  const before = /^sips?:[^<>\s"]+$/i.test(called) ? called.replace(/[;?].*$/, '') : undefined;
  const others = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const usual = {
    From: caller === shown ? identity : `"${quoted(caller)}" ${identity}`,
    'P-Asserted-Identity': `<sip:${userPart(caller)}@localhost>`,
    Subject: cut(plain(subject), SUBJECT_MAX),
    'X-Parley-Call': plain(call),
    ...(url !== undefined && { 'Call-Info': `<${plain(url)}>;purpose=info` }),
    ...(before !== undefined && {
      Diversion: `<${before}>;reason=unknown;counter=1`,
      'History-Info': `<${before}>;index=1, <${to.replace(/\?.*$/, '')}>;index=1.1;mp=1`,
    }),
    ...(replaces !== undefined && { Replaces: replaces, Require: 'replaces' }),
  };
  const kept = Object.entries(usual).filter(([name]) => !others.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...headers };
}

/** As much of the data as fits, as JSON in hex. */
function userToUser(data: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(data);
  for (let count = entries.length; count > 0; count--) {
    const text = JSON.stringify(Object.fromEntries(entries.slice(0, count)));
    if (Buffer.byteLength(text) > UUI_MAX) continue;
    return { 'User-to-User': `${Buffer.from(text, 'utf8').toString('hex')};encoding=hex` };
  }
  return {};
}

function multipart(
  headers: Record<string, string>,
  sdp: string,
  json: string,
): { headers: Record<string, string>; body: string } {
  const boundary = `parley-${randomBytes(9).toString('hex')}`;
  const part = (type: string, more: string, text: string) =>
    `--${boundary}\r\nContent-Type: ${type}\r\n${more}\r\n${text}\r\n`;
  const optional = 'Content-Disposition: info;handling=optional\r\n';
  const body = `${part('application/sdp', '', sdp.trimEnd())}${part('application/json', optional, json)}--${boundary}--\r\n`;
  return { headers: { ...headers, 'Content-Type': `multipart/mixed;boundary=${boundary}` }, body };
}

/** User part of a URI: everything that is not plainly a user is escaped (RFC 3261 25.1). */
function userPart(text: string): string {
  const escaped = encodeURIComponent(cut(plain(text), 64)).replaceAll('%2B', '+');
  return escaped === '' ? 'anonymous' : escaped;
}

function quoted(text: string): string {
  return cut(plain(text), 64).replace(/["\\]/g, ' ');
}

/** One line, whatever was said or sent. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** At most so many characters; none is cut in two, and half of one that came so is none: it can't be encoded. */
function cut(text: string, length: number): string {
  return [...text.replace(/\p{Surrogate}/gu, '')].slice(0, length).join('');
}
