import { dtmfTone, ToneGenerator } from '../audio/tones.js';
import { ParleyError } from '../errors.js';
import { EVENT_BYTES, EVENT_DIGITS } from './telephone-event.js';

/** How keys are sent: as telephone-event (RFC 4733), or as sound in the audio. */
export type DigitMethod = 'rfc4733' | 'inband';

/** How a row of keys is sent. */
export interface DigitOptions {
  /** RFC 4733 when it was negotiated, else in-band; RFC 4733 becomes in-band too where it was not negotiated. */
  method?: DigitMethod | undefined;
  /** How long each key is held, 40 to 30,000 ms; 100 when left out: Q.24 asks receivers for 40, networks for 65. */
  toneMs?: number | undefined;
  /** Silence after each key, 40 to 5000 ms; 100 when left out. Both are rounded up to whole packets. */
  gapMs?: number | undefined;
  /** Called when all are sent, or cleared: with those that went out. */
  done?: ((sent: string) => void) | undefined;
}

/** What the next packet is to hold: what is rendered, silence or a tone from here, or an event. */
export type DigitStep = 'audio' | 'tone' | 'event';

interface Job {
  readonly keys: string;
  readonly method: DigitMethod | undefined;
  readonly toneMs: number;
  readonly gapMs: number;
  readonly done: ((sent: string) => void) | undefined;
  next: number;
  sent: string;
}

const PAUSES: Readonly<Record<string, number>> = { ',': 1000, w: 500 };
const DEFAULT_MS = 100;
const TONE_LIMITS = [40, 30_000] as const;
const GAP_LIMITS = [40, 5000] as const;
/** A key that could not be sent for so long beyond its time, on hold, is given up, ms. */
const GIVE_UP_MS = 200;
/** The end of a press is sent so many times more (RFC 4733, 2.5.1.4). */
const REPEATED_ENDS = 2;
const MAX_DURATION = 0xffff;
/** Level of a key: of the low group's sine in-band, and of the volume field, dBm0. */
const LEVEL = -10;

/**
 * The keys that are to be sent on one stream, step by step: each packet that is due asks what to hold. Speech waits
 * while a key and the silence after it are sent, so that nothing of it is lost; during a pause it goes on.
 */
export class DigitSender {
  private readonly jobs: Job[] = [];
  private phase: 'idle' | 'tone' | 'gap' | 'pause' = 'idle';
  /** Of the phase, ms. */
  private elapsed = 0;
  private length = 0;
  private digit = '';
  private asEvent = false;
  private ends = 0;
  private generator: ToneGenerator | undefined;
  /** RTP timestamp of the present segment. */
  private segmentAt = 0;
  /** Where the segment begins and how far the press has come, units of the event clock since the press began. */
  private segment = 0;
  private units = 0;
  /** Silence after the present key, ms. */
  private gap = DEFAULT_MS;
  private first = false;

  /** @param sampleRate of the audio, Hz */
  constructor(private readonly sampleRate: number) {}

  /** Whether keys are being sent, or wait. */
  get active(): boolean {
    return this.phase !== 'idle' || this.jobs.length > 0;
  }

  /**
   * Queues keys: 0-9 A-D * #; `,` is a pause of 1 s, `w` one of 500 ms.
   *
   * @throws ParleyError PARLEY_ERR_DTMF_INVALID; nothing is queued then
   */
  queue(digits: string, { method, toneMs = DEFAULT_MS, gapMs = DEFAULT_MS, done }: DigitOptions = {}): void {
    const keys = digits.toUpperCase().replaceAll('W', 'w');
    const wrong = [...keys].find((key) => !EVENT_DIGITS.includes(key) && PAUSES[key] === undefined);
    if (wrong !== undefined)
      throw new ParleyError('PARLEY_ERR_DTMF_INVALID', { digits, reason: `"${wrong}" is no key` });
    for (const [name, ms, [least, most]] of [
      ['toneMs', toneMs, TONE_LIMITS],
      ['gapMs', gapMs, GAP_LIMITS],
    ] as const) {
      if (ms >= least && ms <= most) continue;
      throw new ParleyError('PARLEY_ERR_DTMF_INVALID', { digits, reason: `${name} must be ${least} to ${most} ms` });
    }
    this.jobs.push({ keys, method, toneMs, gapMs, done, next: 0, sent: '' });
  }

  /**
   * What the packet of the next `ms` holds.
   *
   * @param timestamp of that packet
   * @param clock of RTP and, where events were negotiated, of events, Hz
   */
  step(ms: number, timestamp: number, clock: number, eventClock: number | undefined): DigitStep {
    if (this.phase === 'idle' && !this.begin(timestamp, eventClock !== undefined)) return 'audio';
    this.first = this.phase === 'tone' && this.elapsed === 0;
    this.elapsed += ms;
    if (this.phase === 'pause') {
      if (this.elapsed >= this.length) this.phase = 'idle';
      return 'audio';
    }
    return this.phase === 'tone' ? this.hold(clock, eventClock) : this.rest(eventClock !== undefined);
  }

  /** Time goes on by `ms` in which nothing could be sent. */
  skip(ms: number): void {
    if (this.phase === 'idle') return;
    this.elapsed += ms;
    if (this.phase === 'tone' && this.elapsed > this.length + GIVE_UP_MS) this.release(0);
  }

  /** Fills `frame` for a step of `tone`. */
  tone(frame: Int16Array): void {
    frame.fill(0);
    this.generator?.add(frame);
  }

  /** Whether the event packet needs the marker: the first of a press (RFC 4733, 2.5.1.2). */
  get marker(): boolean {
    return this.first;
  }

  /** RTP timestamp of the event packet. */
  get timestamp(): number {
    return this.segmentAt;
  }

  /** Writes the payload for a step of `event`; returns its octets. */
  event(out: Uint8Array, offset: number): number {
    const duration = this.units - this.segment;
    out[offset] = EVENT_DIGITS.indexOf(this.digit);
    out[offset + 1] = (this.phase === 'tone' ? 0 : 0x80) | -LEVEL;
    out[offset + 2] = duration >> 8;
    out[offset + 3] = duration;
    return EVENT_BYTES;
  }

  /** The next key or pause; false when there is none. */
  private begin(timestamp: number, events: boolean): boolean {
    for (let job = this.jobs[0]; job; job = this.jobs[0]) {
      const key = job.keys[job.next++];
      if (key === undefined) {
        this.jobs.shift();
        job.done?.(job.sent);
        continue;
      }
      this.elapsed = 0;
      const pause = PAUSES[key];
      this.phase = pause === undefined ? 'tone' : 'pause';
      this.length = pause ?? job.toneMs;
      if (pause === undefined) this.press(job, key, timestamp, events);
      return true;
    }
    return false;
  }

  private press(job: Job, key: string, timestamp: number, events: boolean): void {
    job.sent += key;
    this.digit = key;
    this.gap = job.gapMs;
    this.asEvent = events && job.method !== 'inband';
    this.segmentAt = timestamp;
    this.segment = this.units = 0;
    this.generator = this.asEvent ? undefined : new ToneGenerator(dtmfTone(key, job.toneMs), this.sampleRate, LEVEL);
  }

  /** The key is down for one more packet. */
  private hold(clock: number, eventClock: number | undefined): DigitStep {
    const over = this.elapsed >= this.length;
    if (this.asEvent && eventClock === undefined) {
      // It was negotiated away in the middle of the press: the peer's time-out ends it.
      this.release(0);
      return 'tone';
    }
    if (eventClock !== undefined) this.count(clock, eventClock);
    if (over) this.release(REPEATED_ENDS);
    return this.asEvent ? 'event' : 'tone';
  }

  private count(clock: number, eventClock: number): void {
    const units = Math.round((Math.min(this.elapsed, this.length) * eventClock) / 1000);
    if (units - this.segment > MAX_DURATION) {
      this.segmentAt = (this.segmentAt + Math.round(((this.units - this.segment) * clock) / eventClock)) >>> 0;
      this.segment = this.units;
    }
    this.units = Math.max(this.units, units);
  }

  /** The key is up. */
  private release(ends: number): void {
    this.phase = 'gap';
    this.elapsed = 0;
    this.ends = this.asEvent ? ends : 0;
  }

  private rest(events: boolean): DigitStep {
    const event = this.ends > 0 && events;
    this.ends = event ? this.ends - 1 : 0;
    // The repeated ends may need longer than the gap.
    if (this.elapsed >= this.gap && this.ends === 0) this.phase = 'idle';
    return event ? 'event' : 'tone';
  }
}
