/*
 * Who calls, and whether others may know: From (RFC 3261 20.20), P-Asserted-Identity (RFC 3325), Privacy (RFC 3323 4.2,
 * RFC 3325 9.3), and Remote-Party-ID of older PBXs.
 */
import type { HeaderOf } from './header-of.js';
import { type Party, parties, partyOf } from './headers/address.js';
import { parseRemotePartyId } from './headers/remote-party-id.js';

/** Who calls. */
export interface CallerIdentity {
  /** Number or name: the network's word for it, or else From, decoded; the whole URI when it has none. */
  readonly from: string;
  /** Display name, where it says more than the number: the network's word for it; From's only where the network says nothing of the caller. */
  readonly name: string | undefined;
  /** That of From, which whoever calls writes. */
  readonly ownName: string | undefined;
  /** Number and name are the network's word (P-Asserted-Identity). */
  readonly asserted: boolean;
  /** The caller does not want whom they call to know. */
  readonly withheld: boolean;
}

/** What asks that the caller is not named: `user` and `header` ask for more than that. */
const WITHHOLDING = new Set(['id', 'user', 'header', 'full']);
/** Display names that name nobody. */
const NAMELESS = /^(?:anonymous|unknown|unavailable|private|restricted|withheld)(?: (?:caller|number))?$/i;

/**
 * Reads it of an INVITE.
 *
 * @param user who has shown that it is them: whose From says so, too, is a telephone, and may not assert to be somebody else
 *   (RFC 3325 5); a PBX that logs in calls for others
 */
export function callerIdentity(header: HeaderOf, user: string | undefined): CallerIdentity {
  const written = header('From') ?? '';
  const stated = partyOf(written);
  const isPhone = user !== undefined && stated?.user === user;
  const asserted = isPhone ? [] : parties(header('P-Asserted-Identity') ?? '');
  const known = [...asserted, ...(stated ? [stated] : [])];
  const number = known.map((one) => one.user).find((one) => one !== '');
  const from = line(number ?? stated?.uri ?? written);
  const nameIn = (some: readonly Party[]) => some.map((one) => line(one.display)).find((one) => says(one, from));
  const ownName = nameIn(stated ? [stated] : []);
  // Beside a number that the network vouches for, a name that the caller wrote would be believed, too.
  const name = asserted.length > 0 ? nameIn(asserted) : ownName;
  return { from, name, ownName, asserted: asserted.length > 0, withheld: isWithheld(header, stated) };
}

function isWithheld(header: HeaderOf, stated: Party | undefined): boolean {
  const wishes = (header('Privacy') ?? '').toLowerCase().split(/[\s;,]+/);
  if (wishes.some((wish) => WITHHOLDING.has(wish))) return true;
  const calling = parseRemotePartyId(header('Remote-Party-ID') ?? '').filter(({ party }) => party === 'calling');
  if (calling.some((one) => one.private)) return true;
  // Some send no more than this (RFC 3323 4.1.1.3).
  return !wishes.includes('none') && stated !== undefined && isAnonymous(stated);
}

function isAnonymous({ uri, user }: Party): boolean {
  return /^anonymous$/i.test(user) || /[@:]anonymous\.invalid(?:[:;?]|$)/i.test(uri);
}

/** Whether a display name is none of those that say nothing, and not the number once more. */
function says(name: string, number: string): boolean {
  const bare = (text: string) => text.replace(/[\s()./+-]/g, '').toLowerCase();
  return name !== '' && !NAMELESS.test(name) && bare(name) !== bare(number);
}

/** What was escaped may be anything: one line, without marks that turn the direction of what is shown. */
function line(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, '').trim();
}
