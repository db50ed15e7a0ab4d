import type { DtmfMethod, JournalEvent } from '../journal/events.js';
import type { CallSession } from './legs/call-session.js';
import type { Participants } from './participants.js';
import type { Supervision } from './supervision.js';

/** The call that is told what to do. */
export interface CommandedCall {
  readonly supervision: Supervision;
  readonly participants: Participants;
  /** The caller's session. @throws ParleyError PARLEY_ERR_CALL_NOT_UP: not yet, or no more */
  session(): CallSession;
  hangUp(reason: string): void;
  record(event: JournalEvent): void;
}

/** What a program or a supervisor can have a live call do. */
export class CallCommands {
  constructor(private readonly call: CommandedCall) {}

  /** What supervisors do to it. */
  get supervision(): Supervision {
    return this.call.supervision;
  }

  /** People who take part beside the agent. */
  get participants(): Participants {
    return this.call.participants;
  }

  /**
   * Puts the caller on hold, with music in place of the agent.
   *
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP, PARLEY_ERR_SESSION_REFUSED: the call is as it was
   */
  async hold(): Promise<void> {
    await this.call.session().hold(true);
  }

  /** Takes the caller back. @throws ParleyError as {@link hold} */
  async resume(): Promise<void> {
    await this.call.session().hold(false);
  }

  /**
   * Sends keys to the caller's side; `,` is a pause of 1 s, `w` of 500 ms.
   *
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP, PARLEY_ERR_DIGITS_INVALID, PARLEY_ERR_SESSION_REFUSED
   */
  async sendDigits(text: string, method: DtmfMethod): Promise<void> {
    await this.call.session().sendDigits(text, method);
  }

  /**
   * Silence in the recording's place, or sound again.
   *
   * @param reason who or what asks for it, for the journal
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP
   */
  recording(action: 'pause' | 'resume', reason: string): void {
    this.call.session().pauseRecording(action === 'pause', reason);
  }

  /** Ends the call. @throws ParleyError PARLEY_ERR_CALL_NOT_UP */
  hangUp(reason: string): void {
    this.call.hangUp(reason);
  }

  /** Puts on record who did what to this call. */
  audit(action: string, by: string, role: string): void {
    this.call.record({ type: 'audit', action, by, role });
  }
}
