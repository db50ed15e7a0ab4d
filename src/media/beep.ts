/*
 * The beep of a mailbox: one steady tone, alone. Of a pure tone x[n] + x[n-2] = 2 cos(w) x[n-1] holds exactly; what is left
 * of it, fitted over a block, tells speech, noise and pairs of tones (keys, ringing) from it.
 */

/** ms of sound that are judged together. */
const BLOCK_MS = 20;
/** Mailboxes beep between these, Hz: ringing and busy tones are lower, a fax answers at 2100. */
const LOWEST = 600;
const HIGHEST = 2000;
/** Shorter is a click, longer a tone of the network, ms. */
const LEAST_MS = 160;
const MOST_MS = 2000;
/** Share of the energy that a pure tone leaves, G.711's noise and some of the line included. */
const REST = 0.03;
/** Root mean square of a sample, below which nothing is listened to: -40 dB of full scale. */
const QUIET = 330;
/** A tone stays within this share of its frequency. */
const STEADY = 0.03;

/** Hears the beep after which a mailbox records. */
export class BeepDetector {
  private readonly block: Float64Array;
  private filled = 0;
  private frequency = 0;
  private blocks = 0;

  /** @param heard told when a beep is over, with its length, ms */
  constructor(
    private readonly sampleRate: number,
    private readonly heard: (durationMs: number) => void,
  ) {
    this.block = new Float64Array((BLOCK_MS * sampleRate) / 1000);
  }

  process(pcm: Int16Array): void {
    for (const sample of pcm) {
      this.block[this.filled++] = sample;
      if (this.filled < this.block.length) continue;
      this.filled = 0;
      this.judge(this.toneOf());
    }
  }

  private judge(frequency: number): void {
    if (frequency > 0 && (this.blocks === 0 || Math.abs(frequency / this.frequency - 1) < STEADY)) {
      this.frequency = frequency;
      this.blocks++;
      return;
    }
    const ms = this.blocks * BLOCK_MS;
    this.blocks = frequency > 0 ? 1 : 0;
    this.frequency = frequency;
    if (ms >= LEAST_MS && ms <= MOST_MS) this.heard(ms);
  }

  /** Frequency of the pure tone that the block is, Hz; 0 when it is none. */
  private toneOf(): number {
    const { block } = this;
    let energy = 0;
    let cross = 0;
    let outer = 0;
    for (let n = 2; n < block.length; n++) {
      const middle = block[n - 1]!;
      const sides = block[n]! + block[n - 2]!;
      energy += middle * middle;
      cross += middle * sides;
      outer += sides * sides;
    }
    if (energy < QUIET * QUIET * (block.length - 2)) return 0;
    const cosine = cross / (2 * energy);
    if (Math.abs(cosine) >= 1) return 0;
    const rest = outer - (cross * cross) / energy;
    const frequency = (Math.acos(cosine) * this.sampleRate) / (2 * Math.PI);
    return rest < REST * energy && frequency >= LOWEST && frequency <= HIGHEST ? frequency : 0;
  }
}
