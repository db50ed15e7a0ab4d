/** What an INVITE tells of the call's way here, as the dialplan can name it. */

import { parseAssertedIdentity } from '../../sip/headers/asserted-identity.js';
import { parseCallInfo } from '../../sip/headers/call-info.js';
import { parseDiversion } from '../../sip/headers/diversion.js';
import { parseHistoryInfo } from '../../sip/headers/history-info.js';
import { partsOf } from '../../sip/headers/multipart.js';
import { parseReferredBy } from '../../sip/headers/referred-by.js';
import { parseRemotePartyId } from '../../sip/headers/remote-party-id.js';
import { parseUserToUser } from '../../sip/headers/user-to-user.js';

/** What is read of an INVITE. */
export interface InviteText {
  /** Header lines joined by commas, by name as written. */
  headers: Readonly<Record<string, string>>;
  contentType: string | undefined;
  body: string;
  uri: string;
}

/** One header as read: its text, decoded, and what is in it by name. */
export interface Fact {
  text: string;
  fields: Readonly<Record<string, unknown>>;
}

type Reader = (value: string) => Fact[];

const READERS: Readonly<Record<string, Reader>> = {
  'user-to-user': (value) =>
    parseUserToUser(value).flatMap(({ text }) => (text === undefined ? [] : { text, fields: dataOf(text) ?? {} })),
  diversion: (value) => parseDiversion(value).map(fact),
  'history-info': (value) => parseHistoryInfo(value).map(fact),
  'p-asserted-identity': (value) => parseAssertedIdentity(value).map(fact),
  'remote-party-id': (value) => parseRemotePartyId(value).map(fact),
  'referred-by': (value) => [parseReferredBy(value)].flatMap((one) => (one ? fact(one) : [])),
  'call-info': (value) => parseCallInfo(value).map(fact),
};

/** The facts of the headers that an IVR may use: those above, and every one that begins with `X-`. */
export function factsOf(invite: InviteText): Map<string, Fact[]> {
  const facts = new Map<string, Fact[]>();
  for (const [written, value] of Object.entries(invite.headers)) {
    const name = written.toLowerCase();
    const read = READERS[name];
    if (read) facts.set(name, read(value));
    else if (name.startsWith('x-')) facts.set(name, [{ text: value.trim(), fields: dataOf(value) ?? {} }]);
  }
  return facts;
}

/** The JSON parts of the body. */
export function jsonParts({ contentType, body }: InviteText): string[] {
  return partsOf(contentType ?? '', body).flatMap((part) =>
    /^application\/(?:.+\+)?json$/.test(part.type) ? part.body : [],
  );
}

/** An object written as JSON, or pairs: `a=1;b=2`, `a=1&b=2`, with percent escapes; undefined when it is neither. */
export function dataOf(text: string): Record<string, unknown> | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) {
    try {
      const value: unknown = JSON.parse(trimmed);
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
    } catch {
      return undefined;
    }
  }
  const pairs = trimmed.split(trimmed.includes('&') ? '&' : ';').filter((pair) => pair.trim() !== '');
  const read = pairs.map((pair) => /^\s*([A-Za-z_][\w.-]{0,99})\s*=(.*)$/s.exec(pair));
  if (read.length === 0 || read.some((pair) => pair === null)) return undefined;
  return Object.fromEntries(read.flatMap((pair) => (pair ? [[pair[1] ?? '', decoded(pair[2] ?? '')]] : [])));
}

function fact(party: { uri: string; user: string; display: string; params: ReadonlyMap<string, string> }): Fact {
  const { params, ...fields } = party;
  return { text: party.user || party.uri, fields: { ...Object.fromEntries(params), ...fields } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.trim().replaceAll('+', ' '));
  } catch {
    return text.trim();
  }
}
