import { z } from 'zod';
import {
  type CallFacts,
  type Consent,
  type DialplanAction,
  type Fallback,
  noticeOf,
  redirectionText,
} from '../dialplan/dialplan.js';
import type { Settings } from '../settings.js';
import { variablesFrom } from '../sip/trunks/trunk-headers.js';
import { Trunks } from '../sip/trunks/trunks.js';

/** A call as people write it down: for `parley explain`, and in tests of dialplans. */
export const writtenCall = z.strictObject({
  to: z.string(),
  from: z.string().default('anonymous'),
  /** ISO 8601 with an offset or Z; now when left out. */
  at: z.iso.datetime({ offset: true, error: 'must be a time such as "2026-12-24T18:30:00+01:00"' }).optional(),
  source: z.string().default('127.0.0.1'),
  trunk: z.string().optional(),
  headers: z.record(z.string(), z.string()).default({}),
  /** Call-ID, which decides on shares. */
  id: z.string().default(''),
  /** Calls that entries have at the moment, by `file#name`. */
  running: z.record(z.string(), z.number().int().min(0)).default({}),
});

export type WrittenCall = z.output<typeof writtenCall>;

/** What the dialplan is asked with. */
export function factsOf(call: WrittenCall, { trunks }: Settings): CallFacts {
  const headers = new Map(Object.entries(call.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const trunk = call.trunk ?? new Trunks(trunks).of(call.source)?.name;
  const header = (name: string) => headers.get(name.toLowerCase());
  const map = trunks.find(({ name }) => name === trunk)?.headers.in ?? {};
  return {
    to: call.to,
    from: call.from,
    source: call.source,
    trunk,
    headers: header,
    variables: variablesFrom(map, header),
    at: call.at === undefined ? undefined : Date.parse(call.at),
    id: call.id,
    running: (entry) => call.running[entry] ?? 0,
  };
}

/** An action in words. */
export function actionText(action: DialplanAction): string {
  switch (action.type) {
    case 'answer':
      return `answered by agent ${action.agent}`;
    case 'redirect':
      return `redirected to ${redirectionText(action.to)}`;
    case 'reject':
      return `rejected with ${action.status} ${action.reason}`.trim();
  }
}

/** All that holds for an answered call, a line each: what it is, and how it is. Nothing for what is not set. */
export function detailsOf(action: DialplanAction, usual: string): [what: string, how: string][] {
  if (action.type !== 'answer') return [];
  const { language, notice, earlyMedia, consent, record, variables, context, requireStore, fallback } = action;
  const said = noticeOf(action, usual);
  const beep = typeof record === 'object' && record.beep ? ', with a beep' : '';
  const heard = earlyMedia ? ' before the answer' : notice?.interruptible ? ', may be talked over' : '';
  const details: [string, string | undefined | false][] = [
    ['language', language],
    ['notice', said !== undefined && `"${said}"${heard}`],
    ['consent', consent && consentText(consent)],
    ['recording', record !== false && `${consent ? 'from a yes on' : 'from the answer on'}${beep}`],
    ['variables', Object.keys(variables).length > 0 && JSON.stringify(variables)],
    ['from headers', Object.keys(context?.variables ?? {}).length > 0 && JSON.stringify(context?.variables)],
    ['store', requireStore && 'no call without it'],
    ['fallback', fallback && fallbackText(fallback)],
  ];
  return details.filter((detail): detail is [string, string] => typeof detail[1] === 'string');
}

function consentText({ ask, key, refuseKey, tries, waitMs, refused }: Consent): string {
  const otherwise =
    refused === 'unrecorded'
      ? 'the agent goes on, unrecorded'
      : 'transfer' in refused
        ? `to target ${refused.transfer}`
        : `"${refused.hangUp}" and the end`;
  return `"${ask}" (yes: ${key}, no: ${refuseKey}; asked ${tries} times, ${waitMs} ms each); without a yes: ${otherwise}`;
}

function fallbackText({ say, target, redirect }: Fallback): string {
  const to = target !== undefined ? `target ${target}` : (redirect ?? 'the end');
  return say === undefined ? to : `"${say}", then ${to}`;
}
