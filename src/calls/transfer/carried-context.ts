import type { HandedContext } from '../../sip/handed-context.js';
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
  const { id, identity: who, to, secrets } = call;
  const { from, withheld } = who;
  // Who is withheld is told to a network that keeps it from its phones (RFC 3325 7), and to nobody else.
  const known = !withheld || route?.trusted === true;
  const caller = known ? from : 'anonymous';
  const told = withheld ? { caller: 'anonymous' } : { caller: from, name: who.name };
  const { json, identity, sensitive } = settings.context;
  const { topics, facts, done, failed, reason, lastWords, ivr } = handOver;
  const shown = sensitive.filter((name) => Object.hasOwn(secrets, name)).map((name) => [name, secrets[name]]);
  const before = { ...ivr, ...Object.fromEntries(shown) };
  const more = Object.keys(before).length > 0 ? { ivr: before } : {};
  return {
    call: id,
    caller: known ? from : undefined,
    name: known ? who.name : undefined,
    withheld,
    shown: route?.from ?? (identity === 'own' ? to : undefined),
    called: call.calledUri,
    divertedBy,
    subject: subjectOf(handOver),
    url: url?.replaceAll('{{call}}', encodeURIComponent(id)),
    data: { call: id, ...told, topic: topics.at(-1), facts, reason, done, failed, said: lastWords, ...more },
    json,
    headers: headersFrom(route?.headers ?? {}, { ...call.given, ...facts, call: id, caller, called: to }),
  };
}
