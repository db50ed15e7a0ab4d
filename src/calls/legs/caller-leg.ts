import { reasonOf } from '../../errors.js';
import type { JournalEvent } from '../../journal/events.js';
import type { Dialog, ReplacingInvite } from '../../sip/dialog.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { CallVoice } from '../voice/call-voice.js';
import { CallSession } from './call-session.js';
import type { LegMedia } from './leg-media.js';
import type { MediaControl } from './media-control.js';
import { letGo, takeOver } from './take-over.js';

/** The call that a caller's leg belongs to. */
export interface CallerLegHost {
  call: string;
  media: LegMedia;
  control: MediaControl | undefined;
  recorded(): boolean;
  /** Of the agent that has the call now. */
  voice(): CallVoice | undefined;
  record(event: JournalEvent): void;
  /** The caller has our 200. */
  confirmed(): void;
  /** @param transferred the caller's side has gone to whom it was sent */
  ended(reason: string, transferred: boolean): void;
  lost(reason: string): void;
  /** JSON that came by INFO; false when nobody is to be told such things. */
  json(body: string): boolean;
}

/** The caller's leg from the answer to the end, whatever phone they go on by. */
export class CallerLeg {
  private current: { dialog: Dialog; session: CallSession };
  private over = false;

  constructor(
    dialog: Dialog,
    private readonly host: CallerLegHost,
  ) {
    this.current = { dialog, session: this.sessionOf(dialog, false) };
  }

  get dialog(): Dialog {
    return this.current.dialog;
  }

  get session(): CallSession {
    return this.current.session;
  }

  /** Tells its call from now on; what came before is told at once. */
  listen(): void {
    const { host } = this;
    const { dialog, session } = this.current;
    dialog.listen({
      ack: (sdp) => this.acked(session, sdp),
      ended: (reason) => host.ended(reason, dialog.handingOver),
      offered: async (offer) => session.offered(offer),
      key: ({ digit, durationMs }) => host.voice()?.key('info', digit, durationMs, monotonicMs()),
      replaced: (invite) => void this.replacedBy(invite),
      json: (body) => host.json(body),
    });
  }

  /** The call is over: nothing changes any more. */
  end(): void {
    this.over = true;
    this.session.end();
  }

  private sessionOf(dialog: Dialog, wasHeld: boolean): CallSession {
    const { call, media, control, recorded, record, lost, voice } = this.host;
    const held = (on: boolean) => voice()?.hold(on);
    return new CallSession({ call, dialog, media, control, recorded, wasHeld, record, lost, held });
  }

  /** The caller goes on by another phone: an INVITE with Replaces. */
  private async replacedBy(invite: ReplacingInvite): Promise<void> {
    const { current: before, host } = this;
    if (this.over) return invite.reject(481);
    const wasHeld = host.media.held;
    const dialog = await takeOver(invite, host.media);
    if (!dialog) return;
    if (this.over || this.current !== before) return letGo(dialog);
    before.session.end();
    host.record({ type: 'caller.replaced', from: invite.from, sipCallId: invite.sipCallId });
    this.current = { dialog, session: this.sessionOf(dialog, wasHeld) };
    this.listen();
    letGo(before.dialog);
  }

  private acked(session: CallSession, answer: string | undefined): void {
    try {
      session.acked(answer);
      this.host.confirmed();
    } catch (error) {
      this.host.lost(reasonOf(error));
    }
  }
}
