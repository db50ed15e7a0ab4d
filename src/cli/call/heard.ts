import type { AudioRing } from '../../audio/ring.js';
import { SoundMeter } from './sound.js';

/** One stretch of what the agent said: positions in samples, arrivals of its first and last sample as `monotonicMs()`. */
export interface HeardSpurt {
  from: number;
  to: number;
  startedAt: number;
  endedAt: number;
}

interface Chunk {
  from: number;
  at: number;
  pcm: Int16Array;
}

/**
 * Everything that came from the other side of a call, with the time each packet came. It is read off the leg's ring
 * every few ms, so that an arrival is known to that.
 */
export class HeardAudio {
  private readonly meter: SoundMeter;
  private readonly chunks: Chunk[] = [];
  private taken = 0;

  /** @param sampleRate of the ring, Hz */
  constructor(
    private readonly ring: AudioRing,
    readonly sampleRate: number,
  ) {
    this.meter = new SoundMeter(sampleRate);
  }

  /** Samples heard so far. */
  get length(): number {
    return this.taken;
  }

  /** Takes what has arrived since the last time; `at` is now, `monotonicMs()`. */
  take(at: number): void {
    const end = this.ring.end;
    if (end <= this.taken) return;
    const { from, pcm } = this.ring.read(this.taken, end);
    this.chunks.push({ from, at, pcm });
    this.meter.push(pcm);
    this.taken = end;
  }

  /** Stretches of sound so far; the last may go on. */
  spurts(): HeardSpurt[] {
    return this.meter.spurts.map(({ start, end }) => ({
      from: start,
      to: end,
      startedAt: this.arrivalOf(start),
      endedAt: this.arrivalOf(end - 1),
    }));
  }

  /** The last stretch of sound that ended after `since`, if any. */
  lastSpurt(since: number): HeardSpurt | undefined {
    const last = this.meter.spurts.at(-1);
    if (!last) return undefined;
    const endedAt = this.arrivalOf(last.end - 1);
    if (endedAt < since) return undefined;
    return { from: last.start, to: last.end, startedAt: this.arrivalOf(last.start), endedAt };
  }

  /** When the packet with this sample came, `monotonicMs()`; for one that has not come, when the last did. */
  arrivalOf(position: number): number {
    let low = 0;
    let high = this.chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.chunks[middle]!.from <= position) low = middle;
      else high = middle - 1;
    }
    return this.chunks[low]?.at ?? 0;
  }

  /** The samples of [from, to), as far as they came. */
  cut(from: number, to: number): Int16Array {
    const begin = Math.max(0, from);
    const pcm = new Int16Array(Math.max(0, Math.min(to, this.taken) - begin));
    for (const chunk of this.chunks) {
      const start = Math.max(begin, chunk.from);
      const end = Math.min(begin + pcm.length, chunk.from + chunk.pcm.length);
      if (start < end) pcm.set(chunk.pcm.subarray(start - chunk.from, end - chunk.from), start - begin);
    }
    return pcm;
  }

  /** The pieces as they came, for a recording. */
  pieces(): readonly { at: number; pcm: Int16Array }[] {
    return this.chunks;
  }
}
