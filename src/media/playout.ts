import { Place } from './playout-place.js';

/** What becomes of the utterances of a playout. Called from within {@link Playout}'s methods. */
export interface PlayoutListener {
  /** Its first sample is in the frame being rendered. */
  started(epoch: number, utterance: string): void;
  /**
   * It was played up to sample `played` of `total` that came; `stopped` when it was cut or never begun.
   *
   * @param underruns times that a stream ran dry meanwhile
   */
  ended(epoch: number, utterance: string, played: number, total: number, stopped: boolean, underruns: number): void;
}

/** What was cut fades within this, and what goes on rises, so that neither clicks, ms. */
const FADE_MS = 5;
/** Places kept that were filled before they were reserved. */
const MAX_EARLY = 16;

/**
 * The queue of what the agent says on one leg, drawn frame by frame. Places are reserved in speaking order and filled
 * when synthesis is done, or piece by piece while they play; an unfilled head holds up those behind it. A stop or a
 * pause is obeyed by the next frame.
 *
 * What fades out counts as not played: within 5 ms no sound of speech can be made out, so it was not heard. A resume
 * rises in the 5 ms before its place, so that what it is to say sounds at full level from the first sample on. Nothing
 * else is ever repeated or skipped.
 */
export class Playout {
  /** Times that a stream ran dry, of all utterances. */
  underruns = 0;
  private readonly queue: Place[] = [];
  /** Filled before they were reserved: main and a speech worker send over different ports. */
  private readonly early: Place[] = [];
  private readonly fadeSamples: number;
  /** What fades out in the next frame. */
  private readonly tail: Int16Array;
  private tailLength = 0;
  private epoch = 0;
  private level = 1;
  private target = 1;
  private held = false;
  /** So many of the next samples that sound rise from silence; what goes on comes after them. */
  private rising = 0;

  /** @param sampleRate of clips and frames, Hz */
  constructor(
    sampleRate: number,
    private readonly listener: PlayoutListener,
  ) {
    this.fadeSamples = (sampleRate * FADE_MS) / 1000;
    this.tail = new Int16Array(this.fadeSamples);
  }

  /** Whether {@link hold} was called and {@link resume} not yet. */
  get onHold(): boolean {
    return this.held;
  }

  /** Whether anything sounds in the next frame, or would if it were not on hold. */
  get active(): boolean {
    return this.tailLength > 0 || (this.queue[0]?.filled ?? false);
  }

  /** The utterance at the head and the next sample of it, to be resumed at; nothing when none has begun. */
  get current(): { epoch: number; utterance: string; sample: number } | undefined {
    const head = this.queue[0];
    return head?.begun ? { epoch: head.epoch, utterance: head.utterance, sample: head.at + this.rising } : undefined;
  }

  /** Reserves the next place. One of a stopped epoch is reported as stopped. */
  enqueue(epoch: number, utterance: string): void {
    if (epoch < this.epoch) {
      this.listener.ended(epoch, utterance, 0, 0, true, 0);
      return;
    }
    const index = this.early.findIndex((place) => place.epoch === epoch && place.utterance === utterance);
    const [early] = index < 0 ? [] : this.early.splice(index, 1);
    this.queue.push(early ?? new Place(epoch, utterance));
  }

  /** Fills a place. A clip of a stopped epoch, or for a place that has something already, is ignored. */
  clip(epoch: number, utterance: string, pcm: Int16Array): void {
    const place = this.placeFor(epoch, utterance);
    if (!place || place.filled) return;
    place.append(pcm);
    place.complete = true;
  }

  /**
   * Adds a piece of a stream to its place, also while it plays. Until the `last` has come an empty queue is an
   * underrun: silence, and the stream goes on with what comes. What comes after the last is ignored.
   */
  chunk(epoch: number, utterance: string, pcm: Int16Array, last: boolean): void {
    const place = this.placeFor(epoch, utterance);
    if (!place || place.complete) return;
    place.append(pcm);
    place.complete = last;
  }

  /** Leaves a place that will get no clip. */
  skip(epoch: number, utterance: string): void {
    const place = this.find(epoch, utterance);
    if (!place || place.filled) return;
    this.queue.splice(this.queue.indexOf(place), 1);
    this.end(place, true);
  }

  /** Drops everything of epochs before `epoch`. A hold ends with what was held. */
  stop(epoch: number): void {
    if (epoch <= this.epoch) return;
    this.epoch = epoch;
    const dropped = this.queue.filter((place) => place.epoch < epoch);
    if (dropped.length > 0 && dropped[0] === this.queue[0]) {
      this.cut();
      this.held = false;
      this.rising = 0;
    }
    keep(this.queue, (place) => place.epoch >= epoch);
    keep(this.early, (place) => place.epoch >= epoch);
    for (const place of dropped) this.end(place, true);
  }

  /** Falls silent with the next frame, and waits for {@link resume}. */
  hold(): void {
    if (this.held) return;
    this.cut();
    this.held = true;
  }

  /**
   * Goes on after a hold.
   *
   * @param sample of the utterance that was held: the beginning of a word that was cut, say; where it stopped when left
   * out. A sample that has not come yet, or beyond the end, is the nearest there is
   */
  resume(sample?: number): void {
    this.held = false;
    const head = this.queue[0];
    if (!head?.begun) return;
    const from = Math.max(0, Math.min(head.length, Math.floor(sample ?? head.at + this.rising)));
    // Before the beginning of an utterance there is nothing to be rounded off.
    this.rising = Math.min(from, this.fadeSamples);
    head.at = from - this.rising;
  }

  /** Level from the next frame's end on, 1 is full; the next frame rises to it, or falls to it as fast as what is cut. */
  gain(level: number): void {
    this.target = Math.max(0, Math.min(1, level));
  }

  /** Fills `frame` with the next samples, silence where there are none. */
  render(frame: Int16Array): void {
    frame.fill(0);
    if (this.tailLength > 0) this.fadeOut(frame);
    else if (!this.held) this.draw(frame);
    this.applyLevel(frame);
  }

  /** Nothing is sent in this frame: the queue waits, and what was fading is over. */
  pause(): void {
    this.tailLength = 0;
  }

  private draw(frame: Int16Array): void {
    let filled = 0;
    for (let place = this.queue[0]; place?.filled; place = this.queue[0]) {
      if (filled === frame.length) break;
      if (!place.begun) {
        place.begun = true;
        this.listener.started(place.epoch, place.utterance);
      }
      const count = Math.min(place.length - place.at, frame.length - filled);
      place.copy(frame, filled, count);
      if (this.rising > 0 && count > 0) this.riseIn(frame, filled, count);
      place.at += count;
      place.played = place.at;
      filled += count;
      if (count > 0) place.dry = false;
      if (place.at < place.length) break;
      if (!place.complete) {
        if (filled < frame.length) this.runDry(place);
        break;
      }
      this.queue.shift();
      this.end(place, false);
    }
  }

  private runDry(place: Place): void {
    if (place.dry) return;
    place.dry = true;
    place.underruns++;
    this.underruns++;
  }

  private riseIn(frame: Int16Array, from: number, count: number): void {
    const rise = Math.min(this.rising, count);
    for (let n = 0; n < rise; n++) frame[from + n] = Math.round((frame[from + n]! * (n + 1)) / (this.rising + 1));
    this.rising = 0;
  }

  /** Keeps what comes next of the utterance that plays, to fade out. */
  private cut(): void {
    const head = this.queue[0];
    if (!head || head.at === 0 || !head.begun || this.held || this.rising > 0) return;
    this.tailLength = Math.min(this.fadeSamples, head.length - head.at);
    head.copy(this.tail, 0, this.tailLength);
  }

  private fadeOut(frame: Int16Array): void {
    const count = Math.min(this.tailLength, frame.length);
    for (let n = 0; n < count; n++) frame[n] = Math.round(this.tail[n]! * (1 - (n + 1) / (this.fadeSamples + 1)));
    this.tailLength = 0;
  }

  private applyLevel(frame: Int16Array): void {
    if (this.level === 1 && this.target === 1) return;
    const ramp = this.target < this.level ? this.fadeSamples : frame.length;
    const step = (this.target - this.level) / ramp;
    for (let n = 0; n < frame.length; n++) {
      frame[n] = Math.round(frame[n]! * (n < ramp ? this.level + step * (n + 1) : this.target));
    }
    this.level = this.target;
  }

  /** The place that something came for: reserved, or kept until it is; nothing when its epoch was stopped. */
  private placeFor(epoch: number, utterance: string): Place | undefined {
    if (epoch < this.epoch) return undefined;
    const known =
      this.find(epoch, utterance) ?? this.early.find((place) => place.epoch === epoch && place.utterance === utterance);
    if (known) return known;
    if (this.early.length === MAX_EARLY) this.early.shift();
    const place = new Place(epoch, utterance);
    this.early.push(place);
    return place;
  }

  private find(epoch: number, utterance: string): Place | undefined {
    return this.queue.find((place) => place.epoch === epoch && place.utterance === utterance);
  }

  private end({ epoch, utterance, played, length, underruns }: Place, stopped: boolean): void {
    this.listener.ended(epoch, utterance, played, length, stopped, underruns);
  }
}

function keep(places: Place[], wanted: (place: Place) => boolean): void {
  let n = 0;
  for (const place of places) if (wanted(place)) places[n++] = place;
  places.length = n;
}
