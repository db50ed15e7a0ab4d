import { AudioRing } from '../audio/ring.js';
import type { Codec } from '../rtp/codec.js';
import type { Released } from '../rtp/reorder.js';

/** Longest silence that is written for a jump of the timestamps, ms; a longer jump is a new beginning. */
const MAX_GAP_MS = 3000;
/** A jump of the timestamps may exceed the time that really went by this much, ms. */
const GAP_SLACK_MS = 200;
/** When nothing came for this long the stream goes on with silence, ms... */
const SILENT_AFTER_MS = 60;
/** ...this far behind real time, so that a packet that is merely late still finds its place. */
const SILENCE_LAG_MS = 40;
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

/**
 * What the caller says, as one unbroken stream of samples in a ring: position 0 is the first packet's first sample,
 * positions follow the RTP timestamps, and when packets stop (silence suppression, loss, a dead client) time goes on as silence.
 */
export class ListeningStream {
  private readonly decoded = new Int16Array(MAX_PACKET_SAMPLES);
  /** Views of `decoded` by length: a view a packet would be garbage. */
  private readonly views: Int16Array[] = [];
  private readonly silence = new Int16Array(MAX_PACKET_SAMPLES);
  private readonly arrivalEnds = new Float64Array(ARRIVALS);
  private readonly arrivalTimes = new Float64Array(ARRIVALS);
  private arrivals = 0;
  /** RTP timestamp that belongs to the end of the ring. */
  private expected = 0;
  /** Time that belongs to the end of the ring, and of the last packet, ms. */
  private syncAt = 0;
  private packetAt = 0;
  private lastFrame = 0;
  private allowance = 0;
  private allowanceAt = 0;
  private begun = false;
  /** Packets dropped because they came faster than speech. */
  dropped = 0;

  constructor(
    readonly ring: AudioRing,
    /** Hz */
    readonly sampleRate: number,
  ) {}

  /** Whether a packet has come. */
  get started(): boolean {
    return this.begun;
  }

  /** Takes a packet of audio in its order. */
  audio(packet: Released, codec: Codec): void {
    const samples = codec.decode(packet.bytes, packet.start, packet.end, this.decoded);
    if (samples === 0) return;
    if (!this.begun) this.begin(packet);
    if (!this.allow(samples, packet.at)) {
      this.dropped++;
      return;
    }
    const ticks = (packet.timestamp - this.expected) | 0;
    if (!packet.restarted && ticks > 0) this.bridge(Math.round((ticks * this.sampleRate) / codec.clockRate), packet);
    this.expected = (packet.timestamp + Math.round((samples * codec.clockRate) / this.sampleRate)) >>> 0;
    this.ring.write(this.view(samples));
    this.remember(packet.at);
    this.lastFrame = samples;
    this.packetAt = packet.at;
    this.syncAt = Math.max(this.syncAt, packet.at);
  }

  /** To be called every 20 ms: keeps the stream going when nothing comes. `now` in ms monotonic. */
  tick(now: number, clockRate: number): void {
    if (!this.begun || now - this.syncAt < SILENT_AFTER_MS) return;
    const ms = now - SILENCE_LAG_MS - this.syncAt;
    const samples = Math.floor((Math.min(ms, MAX_FILL_MS) * this.sampleRate) / 1000);
    this.writeSilence(samples);
    this.remember(now);
    this.expected = (this.expected + Math.round((samples * clockRate) / this.sampleRate)) >>> 0;
    this.syncAt = ms > MAX_FILL_MS ? now - SILENCE_LAG_MS : this.syncAt + (samples * 1000) / this.sampleRate;
    this.lastFrame = 0;
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
  private allow(samples: number, at: number): boolean {
    const most = (MAX_AHEAD_MS * this.sampleRate) / 1000;
    const earned = ((at - this.allowanceAt) * MAX_SPEED * this.sampleRate) / 1000;
    this.allowance = Math.min(most, this.allowance + Math.max(0, earned));
    this.allowanceAt = Math.max(at, this.allowanceAt);
    if (this.allowance < samples) return false;
    this.allowance -= samples;
    return true;
  }

  /** Writes what stands for `samples` that are missing before a packet. */
  private bridge(samples: number, packet: Released): void {
    const most = Math.min(MAX_GAP_MS, packet.at - this.packetAt + GAP_SLACK_MS);
    if ((samples * 1000) / this.sampleRate > most) return;
    let rest = samples;
    // One lost packet is hardly heard when the one before it is said again more softly. The packet to come lies decoded
    // in the buffer already, so its echo is taken from the ring.
    if (packet.lostBefore > 0 && this.lastFrame > 0) {
      const count = Math.min(rest, this.lastFrame);
      const { pcm } = this.ring.read(this.ring.end - this.lastFrame, this.ring.end - this.lastFrame + count);
      for (let n = 0; n < pcm.length; n++) pcm[n] = pcm[n]! >> 1;
      this.ring.write(pcm);
      rest -= pcm.length;
    }
    this.writeSilence(rest);
    this.remember(packet.at);
  }

  private writeSilence(samples: number): void {
    for (let rest = samples; rest > 0; rest -= this.silence.length) {
      this.ring.write(rest >= this.silence.length ? this.silence : this.silence.subarray(0, rest));
    }
  }

  private remember(at: number): void {
    this.arrivalEnds[this.arrivals % ARRIVALS] = this.ring.end;
    this.arrivalTimes[this.arrivals % ARRIVALS] = at;
    this.arrivals++;
  }

  private view(samples: number): Int16Array {
    let view = this.views[samples];
    if (!view) {
      view = this.decoded.subarray(0, samples);
      this.views[samples] = view;
    }
    return view;
  }
}

/** A ring for {@link ListeningStream}: the last 16 s. */
export function listeningRing(sampleRate: number): AudioRing {
  return AudioRing.allocate(16 * sampleRate);
}
