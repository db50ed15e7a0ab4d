import type { CallerIdentity } from '../../sip/caller-identity.js';
import type { HandedContext } from '../../sip/handed-context.js';
import { unescaped } from '../../sip/headers/address.js';
import { headersFrom } from '../../sip/trunks/trunk-headers.js';
import type { Destination } from '../targets/targets.js';
import { type HandOver, subjectOf } from './briefing.js';
import type { TransferredCall } from './caller-side.js';

/**
 * What goes to a person's phone in the INVITE.
 *
 * @param url where it can be read, with `{{call}}` for the call's id
 */
export function contextFor(
  { settings, route, divertedBy }: Destination,
  call: Pick<TransferredCall, 'id' | 'identity' | 'to' | 'calledUri' | 'secrets' | 'given'>,
  handOver: HandOver,
  url: string | undefined,
): Omit<HandedContext, 'replaces'> {
  const { id, identity: who, to, secrets, given } = call;
  const { from, withheld } = who;
  // Who is withheld is told to a network that keeps it from its phones (RFC 3325 7), and to nobody else.
  const known = !withheld || route?.trusted === true;
  const caller = known ? from : 'anonymous';
  const told = withheld ? { caller: 'anonymous' } : { caller: from, name: who.name };
  const { json, identity, sensitive } = settings.context;
  const { topics, facts, done, failed, reason, lastWords } = handOver;
  const ivr = withheld ? without(who, handOver.ivr) : handOver.ivr;
  const shown = sensitive.filter((name) => Object.hasOwn(secrets, name)).map((name) => [name, secrets[name]]);
  const before = { ...ivr, ...Object.fromEntries(shown) };
  const more = Object.keys(before).length > 0 ? { ivr: before } : {};
  return {
    call: id,
    caller: known ? from : undefined,
    name: known ? (who.name ?? who.ownName) : undefined,
    assertedName: known && who.asserted ? who.name : undefined,
    withheld,
    shown: route?.from ?? (identity === 'own' ? to : undefined),
    called: call.calledUri,
    divertedBy,
    subject: subjectOf(handOver),
    url: url?.replaceAll('{{call}}', encodeURIComponent(id)),
    data: { call: id, ...told, topic: topics.at(-1), facts, reason, done, failed, said: lastWords, ...more },
    json,
    headers: headersFrom(route?.headers ?? {}, {
      ...(known ? given : without(who, given)),
      ...{ ...facts, call: id, caller, called: to },
    }),
  };
}

/** Variables but those that tell a caller's number, be it in a URI or written with spaces, or their name. */
function without(
  { from, name, ownName }: CallerIdentity,
  variables: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const known = [from.replace(/^(?:\+|00)/, ''), name, ownName].filter((text) => text !== undefined);
  const words = known.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
  const telling = new RegExp(`(?<![\\p{L}\\p{N}])(?:00)?(?:${words})(?![\\p{L}\\p{N}])`, 'iu');
  const tells = (value: unknown) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    return [text, unescaped(text), text.replace(/[\s()./-]/g, '')].some((one) => telling.test(one));
  };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => !tells(value)));
}
