/*
 * The beep that tells those on a line, again and again, that it is recorded: one short tone at an even pace. Recorders have
 * long had it at 1400 Hz every 15 s.
 */
import { once, renderTone } from '../../audio/tones.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import type { RecordingConfig } from '../recording-config.js';

/** How it sounds, how often, and to whom. */
export type RecordingBeepOptions = RecordingConfig['beep'];

const FRAME_MS = 20;
/** The first comes when the line is surely open, ms. */
const FIRST_MS = 1000;

/** Makes it, frame by frame. */
export class RecordingBeep {
  private readonly pcm: Int16Array;
  private readonly frame: Int16Array;
  private readonly pause: number;
  /** Samples of the present beep that are out; all of them between two. */
  private at: number;
  /** Frames until the next begins. */
  private due = FIRST_MS / FRAME_MS;

  /** Who hears it. */
  readonly to: RecordingBeepOptions['to'];

  constructor({ frequency, ms, level, everyMs, to }: RecordingBeepOptions, rate: PcmRate) {
    this.to = to;
    this.pcm = renderTone(once([frequency], ms), rate, level);
    this.frame = new Int16Array((rate * FRAME_MS) / 1000);
    this.pause = Math.round(everyMs / FRAME_MS);
    this.at = this.pcm.length;
  }

  /** Time goes on by so many frames: whether a beep begins in the last of them. @param recording none does while nothing is recorded */
  begins(frames: number, recording: boolean): boolean {
    this.due -= frames;
    if (this.due > 0 || !recording) return false;
    this.due = this.pause;
    this.at = 0;
    return true;
  }

  /** The next 20 ms of it; nothing between two. */
  next(): Int16Array | undefined {
    if (this.at >= this.pcm.length) return undefined;
    const { frame } = this;
    frame.fill(0);
    for (let n = 0; n < frame.length && this.at < this.pcm.length; n++) frame[n] = this.pcm[this.at++]!;
    return frame;
  }
}
