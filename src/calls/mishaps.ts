import type { Conversation } from '../conversation/conversation.js';
import { reasonOf } from '../errors.js';
import type { MediaFlow } from '../journal/events.js';
import type { CallEvent } from './call-state.js';
import type { CallSession } from './legs/call-session.js';
import { MediaRecovery, type RecoveryHost } from './legs/media-recovery.js';
import type { CallTargets } from './targets/call-targets.js';

/** The call that something befalls. */
export interface StruckCall extends Omit<RecoveryHost, 'failed'> {
  /** The caller's, from the answer on. */
  session(): CallSession | undefined;
  over(): boolean;
  /** While the agent, or what stands in for it, talks with the caller. */
  conversation(): Pick<Conversation, 'farewell'> | undefined;
  targets: Pick<CallTargets, 'fallback' | 'refers'>;
  dispatch(event: CallEvent): void;
}

/** What befalls a call from within the server or on the line: it goes on, or the people behind its agent have it, or it ends. */
export class Mishaps {
  private readonly recovery: MediaRecovery;

  constructor(private readonly call: StruckCall) {
    this.recovery = new MediaRecovery({ ...call, failed: () => this.toFallback('media worker lost') });
  }

  /** An error that nothing caught: the agent's part of the call is over. */
  failed(error: unknown): void {
    const { call } = this;
    call.record({ type: 'error', code: 'PARLEY_ERR_INTERNAL', message: reasonOf(error) });
    if (!call.session()) return call.dispatch({ type: 'lost', reason: 'internal error' });
    this.toFallback('internal error');
  }

  /** Its media worker is lost. */
  mediaLost(): void {
    const { call } = this;
    if (call.over() || this.recovery.begin(call.session())) return;
    call.dispatch({ type: 'lost', reason: 'media worker lost' });
  }

  /** RTP of one direction has been missing for so long that the call is not to stay as it is. */
  silence(direction: MediaFlow, seconds: number, action: 'none' | 'hangup' | 'fallback'): void {
    const { call } = this;
    if (action === 'none' || call.session()?.onHold) return;
    const reason = `no RTP ${direction} for ${seconds} s`;
    call.dispatch({ type: 'silent', action, target: call.targets.fallback, reason });
  }

  /**
   * The process is about to end: the caller goes to the people behind the agent where they can be reached without this
   * process (by REFER), else the agent says farewell.
   */
  async shutdown(): Promise<void> {
    const { targets } = this.call;
    const conversation = this.call.conversation();
    if (!conversation) return;
    const { fallback } = targets;
    if (fallback !== undefined && (await targets.refers(fallback))) this.toFallback('shutdown');
    else conversation.farewell('shutdown', 'shutdown');
  }

  /** Hands the call to the people behind its agent, or ends it where there are none. */
  private toFallback(reason: string): void {
    const { call } = this;
    call.dispatch({ type: 'silent', action: 'fallback', target: call.targets.fallback, reason });
  }
}
