import type { AnswerAction } from '../../dialplan/dialplan.js';
import { ParleyError } from '../../errors.js';
import type { JournalEvent } from '../../journal/events.js';
import { infoContext, secretsOf, variablesOf } from './context.js';
import { segmentOf } from './segment.js';

/** A call that an IVR may tell more about. */
interface Informed {
  action: AnswerAction;
  inform(variables: Record<string, unknown>, secrets: Record<string, unknown>): void;
}

/** An IVR in front tells more by INFO; false where the dialplan does not trust it. */
export function informed(body: string, call: Informed | undefined, record: (event: JournalEvent) => void): boolean {
  if (!call?.action.context?.trust) return false;
  const read = infoContext(body);
  if (read instanceof ParleyError) {
    record({ type: 'error', code: read.code, message: read.message });
    return true;
  }
  const { ivr: _, ...variables } = variablesOf(read);
  // First: from here on nothing of what is secret is on record.
  call.inform(variables, secretsOf(read));
  for (const { event } of segmentOf({ document: read, createdAt: Date.now() }, 'info', Date.now())) record(event);
  return true;
}
