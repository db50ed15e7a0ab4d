import { ParleyError, reasonOf } from '../../errors.js';
import type { DtmfMethod, JournalEvent } from '../../journal/events.js';
import type { Dialog } from '../../sip/dialog.js';
import type { LegMedia } from './leg-media.js';
import type { MediaControl } from './media-control.js';

/** What a session needs of its call. */
export interface SessionHost {
  call: string;
  dialog: Dialog;
  media: LegMedia;
  control: MediaControl | undefined;
  /** Who is at the other end; the caller when left out. */
  who?: 'caller' | 'person';
  /** They had us on hold in the session before this one. */
  wasHeld?: boolean;
  /** Whether the call is recorded. */
  recorded(): boolean;
  record(event: JournalEvent): void;
  /** Either side has the other on hold, or no longer. */
  held(on: boolean): void;
  /** The session can't go on: the call has to be ended. */
  lost(reason: string): void;
}

/** How long a key is held that we send by INFO, ms. */
const KEY_MS = 160;
/** Pauses among keys, ms. */
const PAUSES: Record<string, number> = { ',': 1000, w: 500 };
const KEYS = /^[0-9*#A-D,w]{1,64}$/;

/** What happens to the session of a call that stands: hold by either side, new offers, keys that are sent, recording. */
export class CallSession {
  /** Changes of ours are made one after another. */
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private ended = false;
  private wake: (() => void) | undefined;

  constructor(private readonly host: SessionHost) {
    if (host.media.held !== (host.wasHeld ?? false)) this.heldByCaller(host.media.held);
  }

  /** Changes under way, for leak tests. */
  get pending(): number {
    return this.waiting;
  }

  /** Whether either side has the other on hold. */
  get onHold(): boolean {
    return this.host.media.holds || this.host.media.held;
  }

  /** The ACK of our 200, or of the one to a re-INVITE. @throws ParleyError as `LegMedia.accept` */
  acked(answer: string | undefined): void {
    this.heldByCaller(this.host.media.accept(answer));
  }

  /** The peer's offer, or its wish for ours. @throws ParleyError when it can't be: the session stays as it was then */
  offered(offer: string | undefined): string {
    const { sdp, held } = this.host.media.reoffered(offer);
    this.heldByCaller(held);
    return sdp;
  }

  /**
   * Puts the caller on hold, with music, or takes them back.
   *
   * @throws ParleyError PARLEY_ERR_SESSION_REFUSED: the session is as it was
   */
  hold(on: boolean): Promise<void> {
    return this.inTurn(() => this.change(on));
  }

  /**
   * Sends keys to the caller's side; `,` is a pause of 1 s, `w` of 500 ms.
   *
   * @throws ParleyError PARLEY_ERR_DIGITS_INVALID, PARLEY_ERR_SESSION_REFUSED, PARLEY_ERR_CALL_NOT_UP
   */
  async sendDigits(text: string, method: DtmfMethod): Promise<void> {
    const digits = text.replace(/\s/g, '').toUpperCase().replaceAll('W', 'w');
    if (!KEYS.test(digits)) throw new ParleyError('PARLEY_ERR_DIGITS_INVALID', { digits: text.slice(0, 80) });
    await this.inTurn(() => (method === 'info' ? this.sendByInfo(digits) : this.sendByMedia(digits, method)));
  }

  /** Whether there is silence in the recording from now on. @throws ParleyError PARLEY_ERR_CALL_NOT_UP: nothing is recorded */
  pauseRecording(on: boolean, reason: string): void {
    const { control, record } = this.host;
    if (!control || !this.host.recorded()) throw this.notUp('nothing is recorded');
    control.record(on ? 'pause' : 'resume');
    record({ type: on ? 'recording.paused' : 'recording.resumed', reason });
  }

  /**
   * The media worker is lost: the call goes on over another, and its peer is told by re-INVITE where.
   *
   * @param moved the leg stands; what is said is heard again
   * @throws ParleyError PARLEY_ERR_SESSION_REFUSED: the peer does not know where we listen now; as `MediaHost.open`
   */
  async recover(moved: () => void): Promise<void> {
    const same = await this.host.media.reopen();
    if (this.ended) throw this.notUp('it is over');
    moved();
    await this.inTurn(() => this.tellMoved(same));
  }

  /** The call is over. */
  end(): void {
    this.ended = true;
    this.wake?.();
  }

  private heldByCaller(on: boolean | undefined): void {
    if (on === undefined) return;
    this.host.record({ type: 'hold', on, by: this.host.who ?? 'caller' });
    this.host.held(this.onHold);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(() => {
      if (this.ended) throw this.notUp('it is over');
      return work();
    });
    this.waiting++;
    this.last = done
      .catch(() => undefined)
      .finally(() => {
        this.waiting--;
      });
    return done;
  }

  private async change(on: boolean): Promise<void> {
    const { dialog, media, control, record, held, lost } = this.host;
    if (media.holds === on) return;
    let offer = '';
    const outcome = await dialog.offer(() => {
      offer = media.offer(on);
      return offer;
    });
    if (this.ended) throw this.notUp('it is over');
    if (!outcome.accepted) {
      const { status, reason, gone } = outcome;
      if (gone) lost(`the other side is gone: ${status} ${reason}`);
      throw new ParleyError('PARLEY_ERR_SESSION_REFUSED', {
        change: on ? 'to be held' : 'to be resumed',
        status,
        reason,
      });
    }
    try {
      const byCaller = media.offerAccepted(offer, outcome.answer, on);
      control?.music(on);
      record({ type: 'hold', on, by: 'us' });
      held(this.onHold);
      this.heldByCaller(byCaller);
    } catch (error) {
      lost(reasonOf(error));
      throw error;
    }
  }

  private async tellMoved(same: boolean): Promise<void> {
    const { dialog, media, lost } = this.host;
    let offer = '';
    const outcome = await dialog.offer(() => {
      offer = media.movedOffer();
      return offer;
    });
    if (this.ended) throw this.notUp('it is over');
    if (outcome.accepted) return this.heldByCaller(media.movedAccepted(offer, outcome.answer));
    const { status, reason, gone } = outcome;
    if (gone) lost(`the other side is gone: ${status} ${reason}`);
    else if (!same) throw new ParleyError('PARLEY_ERR_SESSION_REFUSED', { change: 'a new port', status, reason });
  }

  private async sendByMedia(digits: string, method: 'rfc4733' | 'inband'): Promise<void> {
    const { control, record } = this.host;
    if (!control) throw this.notUp('its media sends no keys');
    record({ type: 'dtmf.sent', digits, sent: await control.keys(digits, method), method });
  }

  /** One after another, each when the one before was taken: they are in order whatever way they go. */
  private async sendByInfo(digits: string): Promise<void> {
    let sent = 0;
    let status = 200;
    for (const digit of digits) {
      const pause = PAUSES[digit];
      if (this.ended) break;
      if (pause !== undefined) {
        await this.pause(pause);
        continue;
      }
      status = await this.host.dialog.info({ digit, durationMs: KEY_MS });
      if (status < 200 || status >= 300) break;
      sent++;
    }
    if (!this.ended) this.host.record({ type: 'dtmf.sent', digits, sent, method: 'info' });
    if (status >= 200 && status < 300) return;
    const refused = { change: 'keys by INFO', status, reason: status === 0 ? 'not sent' : 'refused' };
    throw new ParleyError('PARLEY_ERR_SESSION_REFUSED', refused);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private notUp(reason: string): ParleyError {
    return new ParleyError('PARLEY_ERR_CALL_NOT_UP', { call: this.host.call, reason });
  }
}
