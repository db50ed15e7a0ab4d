/** What becomes of the utterances of a playout. Called from within {@link Playout}'s methods. */
export interface PlayoutListener {
  /** Its first sample is in the frame being rendered. */
  started(epoch: number, utterance: string): void;
  /** `played` of `total` samples went out; `stopped` when it was cut or never begun. */
  ended(epoch: number, utterance: string, played: number, total: number, stopped: boolean): void;
}

/** A place in the queue: reserved while `pcm` is missing, then filled, then playing. */
interface Place {
  readonly epoch: number;
  readonly utterance: string;
  pcm: Int16Array | undefined;
  played: number;
}

/** What was cut fades within this, so that it does not click, ms. */
const FADE_MS = 5;
/** Clips kept that came before their place was reserved. */
const MAX_EARLY = 16;

/**
 * The queue of what the agent says on one leg, drawn frame by frame. Places are reserved in speaking order and filled
 * when synthesis is done; an unfilled head holds up those behind it. A stop is obeyed by the next frame.
 */
export class Playout {
  private readonly queue: Place[] = [];
  /** Filled before they were reserved: main and a speech worker send over different ports. */
  private readonly early: Place[] = [];
  private readonly fadeSamples: number;
  private epoch = 0;
  private level = 1;
  private target = 1;
  private fading: { pcm: Int16Array; at: number } | undefined;

  /** @param sampleRate of clips and frames, Hz */
  constructor(
    sampleRate: number,
    private readonly listener: PlayoutListener,
  ) {
    this.fadeSamples = (sampleRate * FADE_MS) / 1000;
  }

  /** Reserves the next place. One of a stopped epoch is reported as stopped. */
  enqueue(epoch: number, utterance: string): void {
    if (epoch < this.epoch) {
      this.listener.ended(epoch, utterance, 0, 0, true);
      return;
    }
    const index = this.early.findIndex((place) => place.epoch === epoch && place.utterance === utterance);
    const [early] = index < 0 ? [] : this.early.splice(index, 1);
    this.queue.push(early ?? { epoch, utterance, pcm: undefined, played: 0 });
  }

  /** Fills a place. A clip of a stopped epoch, or a second one, is ignored. */
  clip(epoch: number, utterance: string, pcm: Int16Array): void {
    if (epoch < this.epoch) return;
    const place = this.find(epoch, utterance);
    if (place) {
      place.pcm ??= pcm;
      return;
    }
    if (this.early.length === MAX_EARLY) this.early.shift();
    this.early.push({ epoch, utterance, pcm, played: 0 });
  }

  /** Leaves a place that will get no clip. */
  skip(epoch: number, utterance: string): void {
    const place = this.find(epoch, utterance);
    if (!place || place.pcm) return;
    this.queue.splice(this.queue.indexOf(place), 1);
    this.end(place, true);
  }

  /** Drops everything of epochs before `epoch`. */
  stop(epoch: number): void {
    if (epoch <= this.epoch) return;
    this.epoch = epoch;
    const dropped = this.queue.filter((place) => place.epoch < epoch);
    keep(this.queue, (place) => place.epoch >= epoch);
    keep(this.early, (place) => place.epoch >= epoch);
    for (const place of dropped) {
      if (place.pcm && place.played > 0) this.fading = { pcm: place.pcm, at: place.played };
      this.end(place, true);
    }
  }

  /** Level from the next frame's end on, 1 is full; the next frame ramps to it. */
  gain(level: number): void {
    this.target = Math.max(0, Math.min(1, level));
  }

  /** Fills `frame` with the next samples, silence where there are none. */
  render(frame: Int16Array): void {
    frame.fill(0);
    if (this.fading) this.fadeOut(frame);
    else this.draw(frame);
    this.applyLevel(frame);
  }

  /** Nothing is sent in this frame: the queue waits, and what was fading is over. */
  pause(): void {
    this.fading = undefined;
  }

  private draw(frame: Int16Array): void {
    let filled = 0;
    for (let place = this.queue[0]; place?.pcm; place = this.queue[0]) {
      if (filled === frame.length) break;
      if (place.played === 0) this.listener.started(place.epoch, place.utterance);
      const count = Math.min(place.pcm.length - place.played, frame.length - filled);
      for (let n = 0; n < count; n++) frame[filled + n] = place.pcm[place.played + n]!;
      place.played += count;
      filled += count;
      if (place.played < place.pcm.length) break;
      this.queue.shift();
      this.end(place, false);
    }
  }

  private fadeOut(frame: Int16Array): void {
    const { pcm, at } = this.fading!;
    const count = Math.min(this.fadeSamples, frame.length, pcm.length - at);
    for (let n = 0; n < count; n++) frame[n] = Math.round(pcm[at + n]! * (1 - (n + 1) / (this.fadeSamples + 1)));
    this.fading = undefined;
  }

  private applyLevel(frame: Int16Array): void {
    if (this.level === 1 && this.target === 1) return;
    const step = (this.target - this.level) / frame.length;
    for (let n = 0; n < frame.length; n++) frame[n] = Math.round(frame[n]! * (this.level + step * (n + 1)));
    this.level = this.target;
  }

  private find(epoch: number, utterance: string): Place | undefined {
    return this.queue.find((place) => place.epoch === epoch && place.utterance === utterance);
  }

  private end({ epoch, utterance, pcm, played }: Place, stopped: boolean): void {
    this.listener.ended(epoch, utterance, played, pcm?.length ?? 0, stopped);
  }
}

function keep(places: Place[], wanted: (place: Place) => boolean): void {
  let n = 0;
  for (const place of places) if (wanted(place)) places[n++] = place;
  places.length = n;
}
