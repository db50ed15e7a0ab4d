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
  { settings, route }: Destination,
  call: Pick<TransferredCall, 'id' | 'from' | 'to' | 'calledUri' | 'secrets' | 'given'>,
  handOver: HandOver,
  url: string | undefined,
): Omit<HandedContext, 'replaces'> {
  const { id, from, to, secrets } = call;
  const { json, identity, sensitive } = settings.context;
  const { topics, facts, done, failed, reason, lastWords, ivr } = handOver;
  const shown = sensitive.filter((name) => Object.hasOwn(secrets, name)).map((name) => [name, secrets[name]]);
  const told = { ...ivr, ...Object.fromEntries(shown) };
  const more = Object.keys(told).length > 0 ? { ivr: told } : {};
  return {
    call: id,
    caller: from,
    shown: route?.from ?? (identity === 'own' ? to : from),
    called: call.calledUri,
    subject: subjectOf(handOver),
    url: url?.replaceAll('{{call}}', encodeURIComponent(id)),
    data: { call: id, caller: from, topic: topics.at(-1), facts, reason, done, failed, said: lastWords, ...more },
    json,
    headers: headersFrom(route?.headers ?? {}, { ...call.given, ...facts, call: id, caller: from, called: to }),
  };
}
