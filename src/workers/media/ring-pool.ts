import { AudioRing } from '../../audio/ring.js';
import { listeningRing } from '../../media/listening.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import { monotonicMs } from '../../telemetry/clock.js';

/** How long a ring rests after its leg, ms: a caller's last words may be read after they have hung up. */
const REST_MS = 10_000;

/**
 * The rings of a worker's legs. They are used again, as shared memory presses no engine to collect it (V8 counts none of
 * it to an isolate's heap): in a thread that makes next to no garbage, each call would leave its 256 kB or more behind for hours.
 */
export class RingPool {
  /** Those that rest, the longest first. */
  private readonly resting: { ring: AudioRing; sampleRate: PcmRate; since: number }[] = [];

  /** @param now ms, monotonic */
  constructor(private readonly now: () => number = monotonicMs) {}

  take(sampleRate: PcmRate): AudioRing {
    const rested = this.now() - REST_MS;
    const at = this.resting.findIndex((one) => one.sampleRate === sampleRate && one.since <= rested);
    const [found] = at < 0 ? [] : this.resting.splice(at, 1);
    return found ? AudioRing.renewed(found.ring) : listeningRing(sampleRate);
  }

  /** Its leg is closed, and nothing writes it any more. */
  give(ring: AudioRing, sampleRate: PcmRate): void {
    this.resting.push({ ring, sampleRate, since: this.now() });
  }
}
