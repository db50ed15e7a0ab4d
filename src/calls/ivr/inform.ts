import { ParleyError } from '../../errors.js';
import type { JournalEvent } from '../../journal/events.js';
import type { AnswerAction } from '../prepare.js';
import { infoContext, variablesOf } from './context.js';
import { segmentOf } from './segment.js';

/** A call that an IVR may tell more about. */
interface Informed {
  action: AnswerAction;
  inform(variables: Record<string, unknown>): void;
}

/** An IVR in front tells more by INFO; false where the dialplan does not trust it. */
export function informed(body: string, call: Informed | undefined, record: (event: JournalEvent) => void): boolean {
  if (!call?.action.context?.trust) return false;
  const read = infoContext(body);
  if (read instanceof ParleyError) {
    record({ type: 'error', code: read.code, message: read.message });
    return true;
  }
  for (const { event } of segmentOf({ document: read, createdAt: Date.now() }, 'info', Date.now())) record(event);
  const { ivr: _, ...variables } = variablesOf(read);
  call.inform(variables);
  return true;
}
