import { z } from 'zod';
import { type CallFacts, type DialplanAction, redirectionText } from '../dialplan/dialplan.js';
import type { Settings } from '../settings.js';
import { Trunks } from '../sip/trunks.js';

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
  return {
    to: call.to,
    from: call.from,
    source: call.source,
    trunk: call.trunk ?? new Trunks(trunks).of(call.source)?.name,
    headers: (name) => headers.get(name.toLowerCase()),
    at: call.at === undefined ? undefined : Date.parse(call.at),
    id: call.id,
    running: (entry) => call.running[entry] ?? 0,
  };
}

/** An action in words. */
export function actionText(action: DialplanAction): string {
  switch (action.type) {
    case 'answer': {
      const extras = [
        action.notice && `after the notice "${action.notice}"`,
        action.record && 'recorded',
        Object.keys(action.variables).length > 0 && `with ${JSON.stringify(action.variables)}`,
      ];
      return [`answered by agent ${action.agent}`, ...extras.filter(Boolean)].join(', ');
    }
    case 'redirect':
      return `redirected to ${redirectionText(action.to)}`;
    case 'reject':
      return `rejected with ${action.status} ${action.reason}`.trim();
  }
}
