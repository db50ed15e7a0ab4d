import { ComfortNoise } from '../audio/comfort-noise.js';
import { Concealer } from '../audio/concealment.js';
import { type Codec, createCodec } from './codec.js';
import type { PcmRate, ReceivedFormat } from './negotiated.js';
import { COMFORT_NOISE, type RtpFields } from './packet.js';

const SLOTS = 64;
const PAYLOAD_BYTES = 1500;
const MIN_DELAY_MS = 20;
const MAX_DELAY_MS = 200;
/** Packets whose transit times are remembered, and the share of them that should come in time. */
const WINDOW = 256;
const IN_TIME = 0.97;
const ADAPT_EVERY = 8;
/** Off the target by more than this, delay is corrected, by a period of sound; by more than that, at once. */
const SLACK_MS = 12;
const JUMP_MS = 100;
/** A transit that differs by more is a new beginning. */
const RESTART_MS = 1000;
const MAX_SAMPLES = 4096;
/** What is made up has turned from speech into the background after this, ms. */
const FADED_MS = 60;
/** Without a word of the sender's on it the background goes on for so long, ms: then nobody may be there. */
const TAIL_MS = 10_000;
/** The background is the quietest that was heard of late: it grows by this share a packet, up to this RMS (-45 dBov). */
const BACKGROUND_GROWTH = 1.005;
const LOUDEST_BACKGROUND = 184;

interface Slot {
  filled: boolean;
  sequence: number;
  payloadType: number;
  /** Time of its first sample, ms, on the sender's clock. */
  media: number;
  length: number;
  readonly bytes: Uint8Array;
}

/**
 * Plays one received stream on our clock, as late as the network's jitter asks for: 20 to 200 ms. What is lost is made up;
 * where the sender leaves silence out, there is noise as it described it (RFC 3389), or as its background was.
 */
export class JitterBuffer {
  /** `late` came after their turn; `concealed` counts samples. */
  readonly stats = { delayMs: 0, targetMs: 40, lost: 0, late: 0, concealed: 0 };
  private readonly slots: Slot[];
  private readonly transits = new Float64Array(WINDOW);
  private readonly sorted = new Float64Array(WINDOW);
  private readonly fifo = new Int16Array(4 * MAX_SAMPLES);
  private readonly decoded = new Int16Array(MAX_SAMPLES);
  private readonly concealer: Concealer;
  private readonly noise: ComfortNoise;
  /** Whether the sender has described its silence, which lasts. */
  private described = false;
  /** Samples made up since the last that came. */
  private made = 0;
  /** RMS; 0 until something was heard. */
  private background = 0;
  private decoders: readonly (Codec | undefined)[] = [];
  private current: Codec | undefined;
  private count = 0;
  private fastest = 0;
  private held = 0;
  private ssrc = -1;
  private next = 0;
  private playing = false;
  private timestamp = 0;
  private clockRate = 0;
  private media = 0;
  private filled = 0;
  /** Sender's time at the end of the fifo, ms. */
  private end = 0;

  /** @param sampleRate of the frames, Hz */
  constructor(private readonly sampleRate: PcmRate) {
    this.concealer = new Concealer(sampleRate);
    this.noise = new ComfortNoise(sampleRate);
    this.slots = Array.from({ length: SLOTS }, () => ({
      filled: false,
      sequence: 0,
      payloadType: 0,
      media: 0,
      length: 0,
      bytes: new Uint8Array(PAYLOAD_BYTES),
    }));
  }

  /** What may come from now on; a decoder goes on when its codec does. */
  expect(receives: readonly ReceivedFormat[]): void {
    const decoders: (Codec | undefined)[] = [];
    for (const { payloadType, name } of receives) {
      if (name === 'telephone-event') continue;
      decoders[payloadType] = this.decoders.find((codec) => codec?.name === name) ?? createCodec(name, this.sampleRate);
    }
    this.decoders = decoders;
  }

  /** Takes any packet of the stream, as it comes. */
  push(fields: RtpFields, datagram: Uint8Array): void {
    const clockRate = this.decoders[fields.payloadType]?.clockRate ?? (this.clockRate || 8000);
    const ahead = (((fields.sequence - this.next) & 0xffff) << 16) >> 16;
    if (fields.ssrc !== this.ssrc || clockRate !== this.clockRate || Math.abs(ahead) >= 100)
      this.restart(fields, clockRate);
    else if (ahead < 0) {
      this.stats.late++;
      return;
    }
    this.media += (((fields.timestamp - this.timestamp) | 0) * 1000) / clockRate;
    this.timestamp = fields.timestamp;
    if (this.count > 0 && Math.abs(fields.at - this.media - this.fastest) > RESTART_MS) {
      this.restart(fields, clockRate);
    }
    this.measure(fields);
    if (((fields.sequence - this.next) & 0xffff) >= SLOTS) this.flush(fields.sequence);
    this.store(fields, datagram);
  }

  /** Fills `out` with what is heard next; to be called at the pace of its length. `now` in ms monotonic. */
  pull(out: Int16Array, now: number): void {
    // Two of the longest periods more than is wanted, so that there is something to shorten.
    const spare = (30 * this.sampleRate) / 1000;
    const frameMs = (out.length * 1000) / this.sampleRate;
    while (this.filled < out.length + spare && this.decode(now, out.length, frameMs));
    if (this.playing) this.correct(now, out.length);
    if (this.filled < out.length) this.makeUp(out.length - this.filled);
    for (let n = 0; n < out.length; n++) out[n] = this.fifo[n]!;
    this.take(0, out.length);
  }

  private restart({ ssrc, sequence, timestamp }: RtpFields, clockRate: number): void {
    this.ssrc = ssrc;
    this.clockRate = clockRate;
    this.timestamp = timestamp;
    this.count = 0;
    this.flush(sequence);
  }

  private flush(sequence: number): void {
    for (const slot of this.slots) slot.filled = false;
    this.held = 0;
    this.next = sequence;
    this.playing = this.described = false;
  }

  private measure({ at }: RtpFields): void {
    const transit = at - this.media;
    this.transits[this.count++ % WINDOW] = transit;
    const known = Math.min(this.count, WINDOW);
    if (known === 1 || transit < this.fastest) this.fastest = transit;
    if (this.count % ADAPT_EVERY !== 0) return;
    // Unused places sort behind.
    this.sorted.fill(Number.POSITIVE_INFINITY);
    for (let n = 0; n < known; n++) this.sorted[n] = this.transits[n]!;
    this.sorted.sort();
    this.fastest = this.sorted[0]!;
    const jitter = this.sorted[Math.min(known - 1, Math.floor(IN_TIME * known))]! - this.fastest;
    const wanted = Math.max(MIN_DELAY_MS, Math.min(MAX_DELAY_MS, jitter + MIN_DELAY_MS));
    const { stats } = this;
    // Up at once, down slowly.
    stats.targetMs = wanted > stats.targetMs ? wanted : stats.targetMs + (wanted - stats.targetMs) / 16;
  }

  private store(fields: RtpFields, datagram: Uint8Array): void {
    const slot = this.slots[fields.sequence % SLOTS]!;
    if (slot.filled) return;
    slot.filled = true;
    slot.sequence = fields.sequence;
    slot.payloadType = fields.payloadType;
    slot.media = this.media;
    slot.length = Math.min(PAYLOAD_BYTES, fields.payloadEnd - fields.payloadStart);
    for (let n = 0; n < slot.length; n++) slot.bytes[n] = datagram[fields.payloadStart + n]!;
    this.held++;
  }

  /** Brings one packet, or what stands before it, into the fifo; false when there is nothing to do now. */
  private decode(now: number, needed: number, frameMs: number): boolean {
    if (this.held === 0) return false;
    let missing = 0;
    while (!this.slots[(this.next + missing) % SLOTS]!.filled) missing++;
    const slot = this.slots[(this.next + missing) % SLOTS]!;
    const delay = now + (this.filled * 1000) / this.sampleRate - slot.media - this.fastest;
    const gap = this.playing ? slot.media - this.end : 0;
    if (!this.playing || gap > 1) {
      // Before a pause is over, or while a missing one may still come, only what is needed is made up.
      if (delay < this.stats.targetMs - frameMs / 2 && delay < MAX_DELAY_MS) {
        return false;
      }
      if (this.playing && missing > 0 && this.filled >= needed) return false;
    }
    this.stats.lost += missing;
    slot.filled = false;
    this.held--;
    this.next = (slot.sequence + 1) & 0xffff;
    if (slot.payloadType === COMFORT_NOISE) this.describe(slot);
    const codec = this.decoders[slot.payloadType];
    if (!codec) return true;
    this.current = codec;
    const samples = codec.decode(slot.bytes, 0, slot.length, this.decoded);
    // Far behind: what is in the way of the present is left out.
    if (delay > this.stats.targetMs + JUMP_MS && this.held > 0) return true;
    this.concealer.received(this.decoded, samples);
    this.append(this.decoded, samples);
    this.learnBackground(samples);
    this.described = false;
    this.made = 0;
    this.playing = true;
    this.end = slot.media + (samples * 1000) / this.sampleRate;
    return true;
  }

  private describe({ bytes, length }: Slot): void {
    this.noise.describe(bytes, 0, length);
    this.described = true;
  }

  private learnBackground(samples: number): void {
    let sum = 0;
    for (let n = 0; n < samples; n++) sum += this.decoded[n]! * this.decoded[n]!;
    const most = this.background === 0 ? LOUDEST_BACKGROUND : this.background * BACKGROUND_GROWTH;
    this.background = Math.max(1, Math.min(LOUDEST_BACKGROUND, most, Math.sqrt(sum / Math.max(1, samples))));
  }

  /** Makes up what is not there: speech, which fades into the background; before the first packet, silence. */
  private makeUp(samples: number): void {
    const over = this.made >= (TAIL_MS * this.sampleRate) / 1000;
    // What makes noise by itself (Opus) knows better.
    const own = this.described || over ? 0 : (this.current?.conceal?.(this.decoded) ?? 0);
    const count = Math.max(own, samples);
    if (own < samples) {
      if (this.concealer.silent) this.decoded.fill(0, 0, count);
      else this.concealer.conceal(this.decoded, count);
      if (!this.described) this.noise.like(over ? 0 : this.background);
      this.addNoise(count);
    }
    if (this.playing && !this.described) this.stats.concealed += count;
    this.made += count;
    this.append(this.decoded, count);
  }

  private addNoise(samples: number): void {
    const faded = (FADED_MS * this.sampleRate) / 1000;
    for (let n = 0; n < samples; n++) {
      const share = Math.min(1, (this.made + n) / faded);
      this.decoded[n] = Math.max(-32_768, Math.min(32_767, this.decoded[n]! + Math.round(share * this.noise.next())));
    }
  }

  /** Shortens or lengthens by one period of the sound, where it is most like itself. */
  private correct(now: number, needed: number): void {
    const endDelay = now + (this.filled * 1000) / this.sampleRate - this.end - this.fastest;
    this.stats.delayMs = endDelay;
    const error = endDelay - this.stats.targetMs;
    const longest = (15 * this.sampleRate) / 1000;
    if (Math.abs(error) < SLACK_MS || this.filled < 2 * longest) return;
    const lag = this.likest(longest / 3, longest);
    if (error > 0 && this.filled - lag >= needed) {
      for (let n = 0; n < lag; n++) this.mix(n, n + lag, n, lag, n);
      this.take(lag, lag);
    } else if (error < 0 && this.filled + lag <= this.fifo.length) {
      this.fifo.copyWithin(2 * lag, lag, this.filled);
      this.filled += lag;
      // Place `lag..2 lag` still holds the second period; it turns into the first, which the second follows.
      for (let n = 0; n < lag; n++) this.mix(lag + n, n, lag + n, lag, n);
    }
  }

  /** `from` turns into `to` over `length`, written at `at`. */
  private mix(from: number, to: number, at: number, length: number, n: number): void {
    const weight = (n + 1) / (length + 1);
    this.fifo[at] = Math.round((1 - weight) * this.fifo[from]! + weight * this.fifo[to]!);
  }

  private likest(shortest: number, longest: number): number {
    const { fifo } = this;
    let best = Math.round(shortest);
    let most = Number.NEGATIVE_INFINITY;
    for (let lag = best; lag <= longest; lag += 2) {
      let product = 0;
      let energy = 1;
      for (let n = 0; n < longest; n += 2) {
        product += fifo[n]! * fifo[n + lag]!;
        energy += fifo[n + lag]! * fifo[n + lag]!;
      }
      const likeness = product / Math.sqrt(energy);
      if (likeness > most) [best, most] = [lag, likeness];
    }
    return best;
  }

  private append(pcm: Int16Array, samples: number): void {
    const count = Math.min(samples, this.fifo.length - this.filled);
    for (let n = 0; n < count; n++) this.fifo[this.filled + n] = pcm[n]!;
    this.filled += count;
  }

  /** Removes `count` samples at `at`. */
  private take(at: number, count: number): void {
    this.fifo.copyWithin(at, at + count, this.filled);
    this.filled -= count;
  }
}
