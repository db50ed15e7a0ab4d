import { Background, type BackgroundKind, type SoundLibrary } from '../../media/background.js';
import { FrameQueue } from '../../media/mixing/frame-queue.js';
import { Playout } from '../../media/playout.js';
import type { NegotiatedMedia, PcmRate } from '../../rtp/negotiated.js';
import { RtpSender } from '../../rtp/sender.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { ClipMessage, FromMedia } from '../messages.js';

const FRAME_MS = 20;

/** What a leg says: the playout queue and keys, in packets. */
export class LegSpeaking {
  readonly playout: Playout;
  readonly sender: RtpSender;
  /** What the agent says to this leg in the present frame. */
  readonly rendered: Int16Array;
  /** What goes out when it comes from a mixer: frames in, packets of any length out. */
  private queue: FrameQueue | undefined;
  private readonly background: Background;

  constructor(
    private readonly leg: string,
    private readonly sampleRate: PcmRate,
    private readonly post: (event: FromMedia) => void,
    sounds: SoundLibrary,
    /** Told of every frame that goes out, as it is before its codec. */
    private readonly played: (frame: Int16Array) => void,
  ) {
    this.rendered = new Int16Array(sampleRate / 50);
    this.sender = new RtpSender(sampleRate);
    this.background = new Background(sampleRate, sounds);
    this.playout = new Playout(sampleRate, {
      started: (epoch, utterance) => post({ type: 'utterance.started', leg, epoch, utterance, at: monotonicMs() }),
      ended: (epoch, utterance, played, total, stopped) =>
        post({ type: 'utterance.ended', leg, epoch, utterance, at: monotonicMs(), played, total, stopped }),
    });
  }

  configure(media: NegotiatedMedia): void {
    this.sender.configure(media);
  }

  /** @throws Error when it has another rate; its place is left then */
  clip({ epoch, utterance, pcm, sampleRate }: ClipMessage): void {
    if (sampleRate === this.sampleRate) return this.playout.clip(epoch, utterance, pcm);
    this.playout.skip(epoch, utterance);
    throw new Error(`clip: sample rate ${sampleRate} instead of ${this.sampleRate} Hz`);
  }

  /** Sends keys; `digits.sent` tells when the last has gone. @throws ParleyError PARLEY_ERR_DTMF_INVALID */
  sendDigits(request: number, text: string, method: 'rfc4733' | 'inband'): void {
    const done = (keys: string) => this.post({ type: 'digits.sent', leg: this.leg, request, sent: keys.length });
    this.sender.digits(text, { method, done });
  }

  /** Pauses within a frame, and tells main where, so that it can have the cut word said again. */
  hold(): void {
    if (this.playout.onHold) return;
    this.playout.hold();
    const { current } = this.playout;
    if (current) this.post({ type: 'held', leg: this.leg, ...current });
  }

  /** Plays under what is said, or alone, until another or none. */
  sound(kind: BackgroundKind | undefined): void {
    if (kind) this.background.play(kind);
    else this.background.stop();
  }

  /** From now on what goes out is {@link takeMixed}. */
  enterMix(): void {
    // Two packets of 60 ms and a frame.
    this.queue ??= new FrameQueue((this.sampleRate * 140) / 1000);
  }

  /** Makes the next frame of what the agent says, for a mixer; silence while nothing can be sent. */
  render(canSend: boolean): void {
    if (canSend) this.compose(this.rendered);
    else {
      this.rendered.fill(0);
      this.playout.pause();
    }
  }

  takeMixed(frame: Int16Array): void {
    this.queue?.push(frame);
  }

  /** Time goes on by a frame. `frames`: how many, after a stall of the thread. */
  tick(frames: number, send: ((packet: Uint8Array) => void) | undefined): void {
    if (frames > 1) this.sender.pause((frames - 1) * FRAME_MS);
    if (send) this.sender.advance(FRAME_MS, this.fill, send);
    else {
      this.sender.pause(FRAME_MS);
      if (this.queue) this.queue.clear();
      else this.playout.pause();
    }
  }

  private readonly fill = (frame: Int16Array): void => {
    if (!this.queue) this.compose(frame);
    else if (!this.queue.take(frame)) frame.fill(0);
    this.played(frame);
  };

  private compose(frame: Int16Array): void {
    this.playout.render(frame);
    this.background.render(frame);
  }
}
