import { Concealer } from '../audio/concealment.js';
import { AudioRing } from '../audio/ring.js';
import type { Codec } from '../rtp/codec.js';
import type { Released } from '../rtp/reorder.js';

/** Longest silence that is written for a jump of the timestamps, ms; a longer jump is a new beginning. */
const MAX_GAP_MS = 3000;
/** A jump of the timestamps may exceed the time that really went by this much, ms. */
const GAP_SLACK_MS = 200;
/** When nothing came for this long, and for the jitter of late, the stream goes on without packets, ms... */
const SILENT_AFTER_MS = 60;
/** ...this far behind real time, so that a packet that is merely late still finds its place. */
const SILENCE_LAG_MS = 40;
/** Most jitter that is waited for, ms, and what is kept of it from packet to packet: half after 140. */
const MAX_JITTER_MS = 60;
const JITTER_KEPT = 0.995;
/** Packets that wait for one before them are released within so long, ms. */
const WAITING_MS = 60;
/** At most this much silence is written in one go, after a stall of the thread, ms. */
const MAX_FILL_MS = 1000;
/** A sender may run this much faster than real time; what exceeds it is dropped... */
const MAX_SPEED = 1.5;
/** ...once so much has come ahead of time, ms. */
const MAX_AHEAD_MS = 4000;
/** Writes whose arrival is remembered: more than 5 s of 10 ms packets. */
const ARRIVALS = 512;
/** Most samples of one packet. */
const MAX_PACKET_SAMPLES = 4096;
/** Most of a loss that is made up, ms: beyond, a repetition has faded to nothing. */
const MAX_CONCEALED_MS = 60;

/* Used within one call only, so all streams of a thread have them together: what was used a moment ago is in the processor's cache. */
const decoded = new Int16Array(MAX_PACKET_SAMPLES);
const made = new Int16Array(MAX_PACKET_SAMPLES);
const frame = new Int16Array(MAX_PACKET_SAMPLES);
const silence = new Int16Array(MAX_PACKET_SAMPLES);

/** What is done to the caller's audio on its way into the stream: echo control, gain, keys that sound in it. */
export interface ListeningStage {
  /** Changes the first `samples` of `pcm` in place; they come to stand at `position` of the stream. */
  process(pcm: Int16Array, samples: number, position: number): void;
  /** So many samples of the stream are silence or made up for a loss. */
  skip(samples: number): void;
}

/**
 * What the caller says, as one unbroken stream of samples in a ring: position 0 is the first packet's first sample,
 * positions follow the RTP timestamps. Losses are made up for; when packets stop (silence suppression, a dead client)
 * time goes on as silence.
 */
export class ListeningStream {
  private readonly concealer: Concealer;
  private readonly arrivalEnds = new Float64Array(ARRIVALS);
  private readonly arrivalTimes = new Float64Array(ARRIVALS);
  private arrivals = 0;
  /** RTP timestamp that belongs to the end of the ring. */
  private expected = 0;
  /** Time that belongs to the end of the ring, and of the last packet, ms. */
  private syncAt = 0;
  private packetAt = 0;
  /** How much later than the one before a packet came, at most, of late, ms. */
  private jitter = 0;
  private allowance = 0;
  private allowanceAt = 0;
  private begun = false;
  /** Packets dropped because they came faster than speech. */
  dropped = 0;
  /** Samples made up for losses. */
  concealed = 0;

  constructor(
    readonly ring: AudioRing,
    /** Hz */
    readonly sampleRate: number,
    private readonly stage?: ListeningStage | undefined,
  ) {
    this.concealer = new Concealer(sampleRate);
  }

  /** Whether a packet has come. */
  get started(): boolean {
    return this.begun;
  }

  /** Takes a packet of audio in its order. */
  audio(packet: Released, codec: Codec): void {
    const missing = this.missing(packet, codec.clockRate);
    const lost = packet.lostBefore > 0 ? missing : 0;
    // The codec makes up for a loss before it decodes what follows.
    const byCodec = codec.conceal && lost > 0 ? this.byCodec(codec, lost) : 0;
    const samples = codec.decode(packet.bytes, packet.start, packet.end, decoded);
    if (samples === 0) return;
    if (!this.begun) this.begin(packet);
    if (!this.allow(samples, packet)) {
      this.dropped++;
      return;
    }
    this.learnJitter(packet, missing, samples);
    if (missing > 0) this.bridge(missing, lost, byCodec, packet);
    else if (packet.restarted) this.concealer.reset();
    this.expected = (packet.timestamp + Math.round((samples * codec.clockRate) / this.sampleRate)) >>> 0;
    this.concealer.received(decoded, samples);
    this.stage?.process(decoded, samples, this.ring.end);
    this.ring.write(decoded, samples);
    this.remember(packet);
    this.packetAt = packet.at;
    this.syncAt = Math.max(this.syncAt, packet.at);
  }

  /**
   * To be called every 20 ms: keeps the stream going when nothing comes. `now` in ms monotonic.
   *
   * @param waiting whether packets wait for others before them: what they hold is not silence
   */
  tick(now: number, clockRate: number, waiting = false): void {
    if (!this.begun || now - this.syncAt < SILENT_AFTER_MS + this.jitter + (waiting ? WAITING_MS : 0)) return;
    const ms = now - SILENCE_LAG_MS - this.jitter - this.syncAt;
    const samples = Math.floor((Math.min(ms, MAX_FILL_MS) * this.sampleRate) / 1000);
    this.fill(samples);
    this.remember({ at: now });
    this.expected = (this.expected + Math.round((samples * clockRate) / this.sampleRate)) >>> 0;
    this.syncAt =
      ms > MAX_FILL_MS ? now - SILENCE_LAG_MS - this.jitter : this.syncAt + (samples * 1000) / this.sampleRate;
  }

  /** When the sample at this position came, ms monotonic. */
  arrivalOf(position: number): number {
    const oldest = Math.max(0, this.arrivals - ARRIVALS);
    let n = this.arrivals - 1;
    while (n > oldest && this.arrivalEnds[(n - 1) % ARRIVALS]! > position) n--;
    return this.arrivalTimes[Math.max(0, n) % ARRIVALS]!;
  }

  private begin(packet: Released): void {
    this.begun = true;
    this.expected = packet.timestamp;
    this.packetAt = this.syncAt = this.allowanceAt = packet.at;
    this.allowance = (MAX_AHEAD_MS * this.sampleRate) / 1000;
  }

  /** Whether so many more samples are still credible at this time. */
  private allow(samples: number, { at }: Released): boolean {
    const most = (MAX_AHEAD_MS * this.sampleRate) / 1000;
    const earned = ((at - this.allowanceAt) * MAX_SPEED * this.sampleRate) / 1000;
    this.allowance = Math.min(most, this.allowance + Math.max(0, earned));
    this.allowanceAt = Math.max(at, this.allowanceAt);
    if (this.allowance < samples) return false;
    this.allowance -= samples;
    return true;
  }

  /** Samples between the stream's end and this packet; 0 when they are not credible. */
  private missing(packet: Released, clockRate: number): number {
    if (!this.begun || packet.restarted) return 0;
    const ticks = (packet.timestamp - this.expected) | 0;
    const most = Math.min(MAX_GAP_MS, packet.at - this.packetAt + GAP_SLACK_MS);
    if (ticks <= 0 || (ticks * 1000) / clockRate > most) return 0;
    return Math.round((ticks * this.sampleRate) / clockRate);
  }

  /** Lets the codec make up `samples` at most into `made`; returns how many it did. */
  private byCodec(codec: Codec, samples: number): number {
    const most = Math.min(samples, this.mostConcealed);
    let done = 0;
    while (done < most) {
      const count = codec.conceal?.(frame) ?? 0;
      if (count === 0) break;
      const used = Math.min(count, most - done);
      for (let n = 0; n < used; n++) made[done + n] = frame[n]!;
      done += used;
    }
    return done;
  }

  /** Keeps in mind how late packets come. */
  private learnJitter(packet: Released, missing: number, samples: number): void {
    if (packet.restarted) return;
    const late = packet.at - this.packetAt - ((missing + samples) * 1000) / this.sampleRate;
    this.jitter = Math.min(MAX_JITTER_MS, Math.max(late, this.jitter * JITTER_KEPT));
  }

  /** Writes what stands for `samples` of a packet that may be lost, late or never sent: a repetition, then silence. */
  private fill(samples: number): void {
    let count = 0;
    if (!this.concealer.silent) {
      count = Math.min(samples, this.mostConcealed);
      this.concealer.conceal(made, count);
      this.writeMade(count);
      this.concealed += count;
    }
    this.writeSilence(samples - count);
  }

  /** Writes what stands for `samples` that are missing, the first `lost` of them by loss: `byCodec` lie in `made` already. */
  private bridge(samples: number, lost: number, byCodec: number, packet: Released): void {
    let count = byCodec;
    if (byCodec > 0) this.concealer.reset();
    else if (lost > 0) {
      count = Math.min(lost, this.mostConcealed);
      this.concealer.conceal(made, count);
    }
    if (count > 0) this.writeMade(count);
    this.concealed += count;
    if (count < samples) {
      this.writeSilence(samples - count);
      this.concealer.reset();
    }
    this.remember(packet);
  }

  private get mostConcealed(): number {
    return (MAX_CONCEALED_MS * this.sampleRate) / 1000;
  }

  private writeMade(samples: number): void {
    this.stage?.skip(samples);
    this.ring.write(made, samples);
  }

  private writeSilence(samples: number): void {
    if (samples > 0) this.stage?.skip(samples);
    for (let rest = samples; rest > 0; rest -= silence.length) this.ring.write(silence, Math.min(rest, silence.length));
  }

  /** Takes whole packets: a number would be garbage each time. */
  private remember({ at }: { readonly at: number }): void {
    this.arrivalEnds[this.arrivals % ARRIVALS] = this.ring.end;
    this.arrivalTimes[this.arrivals % ARRIVALS] = at;
    this.arrivals++;
  }
}

/** A ring for {@link ListeningStream}: the last 16 s. */
export function listeningRing(sampleRate: number): AudioRing {
  return AudioRing.allocate(16 * sampleRate);
}
