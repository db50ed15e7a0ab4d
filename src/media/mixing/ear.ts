import type { PcmRate } from '../../rtp/negotiated.js';
import { limited } from './limit.js';
import { frameSamples, type Source } from './source.js';

/** How loud one listener hears one source: 1 is as it came. */
interface Edge {
  readonly source: Source;
  gain: number;
  target: number;
}

/** Everything that is said in this tick, at one rate. */
export interface Total {
  at(rate: PcmRate): Float32Array;
}

/** Samples of a frame while they are summed up: one mix at a time. */
const sums = new Float32Array(frameSamples(16_000));

/** What one participant hears. */
export class Ear {
  /** The mix of this tick. */
  frame: Int16Array;
  private readonly edges: Edge[] = [];

  constructor(private ownRate: PcmRate) {
    this.frame = new Int16Array(frameSamples(ownRate));
  }

  get rate(): PcmRate {
    return this.ownRate;
  }

  set rate(rate: PcmRate) {
    if (rate === this.ownRate) return;
    this.ownRate = rate;
    this.frame = new Int16Array(frameSamples(rate));
  }

  /** Every source of the room has its edge, also one that isn't heard. */
  add(source: Source): void {
    this.edges.push({ source, gain: 0, target: 0 });
  }

  remove(source: Source): void {
    const index = this.edges.findIndex((edge) => edge.source === source);
    if (index >= 0) this.edges.splice(index, 1);
  }

  /** The gain is reached at the end of the next frame. */
  set(source: Source, gain: number): void {
    const edge = this.edges.find((candidate) => candidate.source === source);
    if (edge) edge.target = gain;
  }

  /** Mixes this tick's frame. Where most are heard as they are, it is the sum of all less what isn't to be heard. */
  mix(total: Total): void {
    const { edges } = this;
    let heard = 0;
    let changed = 0;
    for (let n = 0; n < edges.length; n++) {
      const { source, gain, target } = edges[n]!;
      if (!source.present) continue;
      if (gain !== 0 || target !== 0) heard++;
      if (gain !== 1 || target !== 1) changed++;
    }
    if (heard === 0) this.frame.fill(0);
    else if (changed + 1 < heard) this.subtract(total.at(this.ownRate));
    else this.sum(heard);
    for (let n = 0; n < edges.length; n++) edges[n]!.gain = edges[n]!.target;
  }

  private subtract(total: Float32Array): void {
    const { edges, frame } = this;
    for (let n = 0; n < frame.length; n++) sums[n] = total[n]!;
    for (let n = 0; n < edges.length; n++) {
      const { source, gain, target } = edges[n]!;
      if (source.present && (gain !== 1 || target !== 1)) accumulate(source.at(this.ownRate), gain - 1, target - 1);
    }
    for (let n = 0; n < frame.length; n++) frame[n] = limited(sums[n]!);
  }

  private sum(heard: number): void {
    const { edges, frame } = this;
    sums.fill(0, 0, frame.length);
    for (let n = 0; n < edges.length; n++) {
      const { source, gain, target } = edges[n]!;
      if (!source.present || (gain === 0 && target === 0)) continue;
      const pcm = source.at(this.ownRate);
      if (heard === 1 && gain <= 1 && target <= 1) {
        // A voice alone does not need the limiter: it goes through bit by bit.
        copy(pcm, gain, target, frame);
        return;
      }
      accumulate(pcm, gain, target);
    }
    for (let n = 0; n < frame.length; n++) frame[n] = limited(sums[n]!);
  }
}

function copy(pcm: Int16Array, gain: number, target: number, frame: Int16Array): void {
  if (gain === 1 && target === 1) {
    frame.set(pcm);
    return;
  }
  const step = (target - gain) / pcm.length;
  for (let n = 0; n < pcm.length; n++) frame[n] = Math.round(pcm[n]! * (gain + step * (n + 1)));
}

function accumulate(pcm: Int16Array, gain: number, target: number): void {
  const step = (target - gain) / pcm.length;
  if (step === 0) for (let n = 0; n < pcm.length; n++) sums[n] = sums[n]! + pcm[n]! * gain;
  else for (let n = 0; n < pcm.length; n++) sums[n] = sums[n]! + pcm[n]! * (gain + step * (n + 1));
}
