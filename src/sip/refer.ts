/*
 * What REFER says (RFC 3515), and what a dialog is named by in it (RFC 3891 Replaces, RFC 5589 attended transfer).
 */

/** The dialog that an INVITE is to take the place of, as its `Replaces` names it. */
export interface Replaces {
  callId: string;
  /** Of the side that gets the INVITE. */
  toTag: string;
  fromTag: string;
  /** Only while it is early. */
  earlyOnly?: boolean;
}

/** Where a Refer-To points. */
export interface ReferTo {
  /** Without its headers. */
  uri: string;
  /** Value for a Replaces header. */
  replaces: string | undefined;
}

/** Reads a Refer-To; undefined when it is none that can be called. */
export function readReferTo(value: string | undefined): ReferTo | undefined {
  const text = value?.trim() ?? '';
  const uri = /<\s*(sips?:[^<>\s]+)\s*>/i.exec(text)?.[1] ?? /^(sips?:[^;<>\s]+)/i.exec(text)?.[1];
  if (uri === undefined || (/[;?&]method=/i.test(uri) && !/[;?&]method=INVITE\b/i.test(uri))) return undefined;
  const [plain = '', headers = ''] = uri.split('?', 2);
  const replaces = headers
    .split('&')
    .map((header) => /^replaces=(.*)$/i.exec(header)?.[1])
    .find((found) => found !== undefined);
  try {
    const decoded = replaces === undefined ? undefined : decodeURIComponent(replaces);
    if (decoded !== undefined && !readReplaces(decoded)) return undefined;
    return { uri: plain, replaces: decoded };
  } catch {
    return undefined;
  }
}

/** Reads a Replaces; undefined when it is malformed. */
export function readReplaces(value: string | undefined): Replaces | undefined {
  const [callId = '', ...parameters] = (value ?? '').split(';').map((part) => part.trim());
  const tag = (name: string) =>
    parameters.map((part) => new RegExp(`^${name}=(\\S+)$`, 'i').exec(part)?.[1]).find((found) => found !== undefined);
  const toTag = tag('to-tag');
  const fromTag = tag('from-tag');
  if (!/^[^\s<>"]+$/.test(callId) || toTag === undefined || fromTag === undefined) return undefined;
  return { callId, toTag, fromTag, ...(parameters.some((part) => /^early-only$/i.test(part)) && { earlyOnly: true }) };
}

/** The Refer-To of an attended transfer: the target, who is to get the INVITE with this Replaces. */
export function referToReplacing(uri: string, { callId, toTag, fromTag }: Replaces): string {
  const replaces = encodeURIComponent(`${callId};to-tag=${toTag};from-tag=${fromTag}`);
  return `<${uri}?Replaces=${replaces}>`;
}

/** The status in a report of a REFER (RFC 3515 2.4.5), 0 when there is none. */
export function statusOf(fragment: string | undefined): { status: number; reason: string } {
  const [, status, reason] = /^SIP\/2\.0 (\d{3})(?: ([^\r\n]*))?/.exec(fragment ?? '') ?? [];
  return { status: Number(status ?? 0), reason: reason?.trim() ?? '' };
}
