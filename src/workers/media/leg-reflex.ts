import type { Reflex } from '../messages.js';
import type { LegSpeaking } from './leg-speaking.js';

/** A contest that main says nothing about is over after this, frames of 20 ms. */
const UNDECIDED_FRAMES = 50;

/**
 * What a leg's voice does by itself when its peer speaks over it: lowered at the first voiced window, or paused at the
 * onset, before main hears of it. Main decides what follows; a voice that it forgets comes back.
 */
export class LegReflex {
  private armed: Reflex | undefined;
  /** The level that main asked for last. */
  private level = 1;
  /** Frames until a voice lowered here comes back; 0 while it is not. */
  private left = 0;

  constructor(private readonly speaking: Pick<LegSpeaking, 'hold' | 'playout'>) {}

  /** For what is said from now on; nothing happens by itself when left out. */
  arm(reflex?: Reflex): void {
    this.armed = reflex;
    if (!reflex) this.release();
  }

  /** Main's level, 1 is full: a decision about whatever was going on here. */
  gain(level: number): void {
    this.level = level;
    this.left = 0;
    this.speaking.playout.gain(level);
  }

  /** A window with voice in it: an onset may follow. */
  stirred(): void {
    if (this.armed?.how === 'duck') this.duck(this.armed.level);
  }

  /** None followed. */
  calmed(): void {
    this.release();
  }

  onset(): void {
    const { armed, speaking } = this;
    if (armed?.how === 'duck') this.duck(armed.level);
    else if (armed && speaking.playout.active) speaking.hold();
  }

  /** `frames` have passed. */
  tick(frames: number): void {
    if (this.left === 0) return;
    this.left = Math.max(0, this.left - frames);
    if (this.left === 0) this.speaking.playout.gain(this.level);
  }

  private duck(level: number): void {
    const { playout } = this.speaking;
    if (!playout.active) return;
    this.left = UNDECIDED_FRAMES;
    playout.gain(Math.min(level, this.level));
  }

  private release(): void {
    if (this.left === 0) return;
    this.left = 0;
    this.speaking.playout.gain(this.level);
  }
}
