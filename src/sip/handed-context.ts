/*
 * What the INVITE to a person says of the call that is handed to them: caller identity (RFC 3325) or that it is withheld (RFC 3323), Subject, User-to-User
 * (RFC 7433), Call-Info, Diversion (RFC 5806), History-Info (RFC 7044), and JSON in a multipart body.
 */
import { randomBytes } from 'node:crypto';
import { ParleyError } from '../errors.js';
import { checkLength } from './message-limit.js';

/** What a phone is told. */
export interface HandedContext {
  /** Parley's id of the call. */
  call: string;
  /** The caller's number or name. Undefined: it is not for this phone. */
  caller: string | undefined;
  /** Their display name. */
  name: string | undefined;
  /** The same as the network has told it: nothing else may be asserted to others (RFC 3325). */
  assertedName: string | undefined;
  /** The caller does not want to be known: what is told of them all the same is for the network alone. */
  withheld: boolean;
  /** Whose number the phone shows, when not the caller's. */
  shown: string | undefined;
  /** Request-URI of the caller's INVITE. */
  called: string;
  /** Number or name of the phone that sent the call on to this one; its address is nobody's business. */
  divertedBy?: string | undefined;
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
/** Of a display name, and of a number, in characters. */
const NAME_MAX = 64;
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

function required(context: HandedContext, to: string): Record<string, string> {
  const { call, called, divertedBy, subject, url, replaces, headers = {} } = context;
  const before = plainUri(called).flatMap((uri) =>
    divertedBy === undefined ? [uri] : [uri, `sip:${userPart(divertedBy)}@${uri.replace(/^(?:.*@|sips?:)/i, '')}`],
  );
  const others = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const usual = {
    ...identityOf(context),
    Subject: cut(plain(subject), SUBJECT_MAX),
    'X-Parley-Call': plain(call),
    ...(url !== undefined && { 'Call-Info': `<${plain(url)}>;purpose=info` }),
    ...(before.length > 0 && { Diversion: diversionOf(before), 'History-Info': historyOf(before, to) }),
    ...(replaces !== undefined && { Replaces: replaces, Require: 'replaces' }),
  };
  const kept = Object.entries(usual).filter(([name]) => !others.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...headers };
}

/** A SIP URI without parameters; nothing when it is none. */
function plainUri(uri: string): string[] {
  return /^sips?:[^<>\s"]+$/i.test(uri) ? [uri.replace(/^([^@]*@)?([^;?]*).*$/, '$1$2')] : [];
}

/** Those that the call was for, the latest first (RFC 5806 4). */
function diversionOf(before: readonly string[]): string {
  const reason = (n: number) => (n === 0 ? 'unknown' : 'deflection');
  return before
    .map((uri, n) => `<${uri}>;reason=${reason(n)};counter=1`)
    .reverse()
    .join(', ');
}

/** The same from the first on, with the present one; each was mapped from the one before (RFC 7044 10.3). */
function historyOf(before: readonly string[], to: string): string {
  const index = (n: number) =>
    Array(n + 1)
      .fill('1')
      .join('.');
  return [...before, to.replace(/\?.*$/, '')]
    .map((uri, n) => `<${uri}>;index=${index(n)}${n === 0 ? '' : `;mp=${index(n - 1)}`}`)
    .join(', ');
}

/** Who calls. The server below puts its own address in the place of localhost. */
function identityOf({ caller, name, assertedName, withheld, shown }: HandedContext): Record<string, string> {
  const asserted: Record<string, string> =
    caller === undefined ? {} : { 'P-Asserted-Identity': `${display(assertedName)}${addressOf(caller)}` };
  if (withheld) {
    const nobody = shown === undefined ? '<sip:anonymous@anonymous.invalid>' : addressOf(shown);
    return { From: `"Anonymous" ${nobody}`, Privacy: 'id', ...asserted };
  }
  const who = caller ?? '';
  // A phone that shows another number has the caller's in the name.
  const told = shown === undefined ? name : name === undefined ? who : `${cut(name, NAME_MAX / 2)} (${who})`;
  return { From: `${display(told)}${addressOf(shown ?? who)}`, ...asserted };
}

function addressOf(user: string): string {
  return `<sip:${userPart(user)}@localhost>`;
}

/** A display name as a quoted-string (RFC 3261 25.1), without what phones that look for the first `<` trip over; nothing when there is none. */
function display(name: string | undefined): string {
  const text = cut(plain((name ?? '').replace(/[<>]/g, ' ')), NAME_MAX).replace(/["\\]/g, '\\$&');
  return text === '' ? '' : `"${text}" `;
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
  const escaped = encodeURIComponent(cut(plain(text), NAME_MAX)).replaceAll('%2B', '+');
  return escaped === '' ? 'anonymous' : escaped;
}

/** One line, whatever was said or sent. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}

/** At most so many characters; none is cut in two, and half of one that came so is none: it can't be encoded. */
function cut(text: string, length: number): string {
  return [...text.replace(/\p{Surrogate}/gu, '')].slice(0, length).join('');
}
