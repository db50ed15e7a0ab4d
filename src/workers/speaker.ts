import { createHash } from 'node:crypto';
import { reasonOf } from '../errors.js';
import { factsOf } from '../speech/synthesis/engines.js';
import type { Lexicon } from '../speech/synthesis/lexicon.js';
import { normalise, type SpokenText } from '../speech/synthesis/normaliser.js';
import type { Clip, VoiceSettings, WordTime } from '../speech/synthesis/synthesiser.js';
import { chooseVoice } from '../speech/synthesis/voices.js';
import type { Store } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';
import { within } from '../telemetry/within.js';
import { decodeClip, encodeClip, type KeptClip } from './clip-file.js';
import { ClipMemory } from './clip-memory.js';
import { writtenTimes } from './clip-times.js';
import type { ClipMessage } from './messages.js';

export { heardText, wordStart } from './clip-times.js';

/** The store has so long to bring a clip, ms; then it is made anew, which takes little longer. */
const STORE_MS = 50;

/** The part of the speech workers' host that makes speech. */
export interface SpeechSynthesis {
  /** With `play` the speech worker sends the clip to that media worker itself, before it answers here. */
  synthesise(
    request: {
      spoken: string;
      settings: VoiceSettings;
      sampleRate: number;
      play?: { leg: string; epoch: number; utterance: string; media: number } | undefined;
    },
    signal?: AbortSignal,
  ): Promise<{ pcm: Int16Array; sampleRate: number; words?: readonly WordTime[] | undefined; ms: number }>;
}

/** The part of a media leg that plays. */
export interface MediaLegLike {
  readonly leg: string;
  /** Index of its media worker. */
  readonly worker: number;
  /** Of clips, Hz. */
  readonly sampleRate: number;
  enqueue(epoch: number, utterance: string): void;
  clip(message: ClipMessage): void;
  skip(epoch: number, utterance: string): void;
}

/** What a speaker works with. */
export interface SpeakerOptions {
  speech: SpeechSynthesis;
  store: Pick<Store, 'blobs'>;
  /** How long the store keeps a clip after it was made, ms. */
  clipTtlMs: number;
  /** Audio kept in this process, bytes. */
  memoryBytes: number;
  logger: Logger;
}

/** One sentence for one leg. */
export interface SayRequest {
  epoch: number;
  /** Unique on the leg. */
  utterance: string;
  /** As written. */
  text: string;
  settings: VoiceSettings;
  lexicon?: Lexicon | undefined;
  signal?: AbortSignal | undefined;
}

type Place = NonNullable<Parameters<SpeechSynthesis['synthesise']>[0]['play']>;

/** What is to be made or found: all that decides how it sounds. */
interface Order {
  key: string;
  spoken: string;
  settings: VoiceSettings;
  sampleRate: number;
}

/** A clip in work, for everybody who wants the same one. */
interface Flight {
  readonly clip: Promise<KeptClip>;
  readonly controller: AbortController;
  /** Where the speech worker sends it, when it came to synthesis. */
  playsAt: Place | undefined;
  waiting: number;
}

/**
 * Speaks sentences on media legs: from memory, from the store, or by synthesis; what was synthesised is kept in both.
 * Whoever wants a clip that is already in work waits for that one.
 */
export class Speaker {
  private readonly memory: ClipMemory;
  private readonly flights = new Map<string, Flight>();
  private hits = 0;
  private misses = 0;
  private storeFails = false;

  constructor(private readonly options: SpeakerOptions) {
    this.memory = new ClipMemory(options.memoryBytes);
  }

  /** Forgets a clip, here and in the store; whoever needs it again makes it anew. */
  async discard(text: string, settings: VoiceSettings, sampleRate: number, lexicon?: Lexicon): Promise<void> {
    const { key } = orderOf(normalise(text, lexicon).spoken, settings, sampleRate);
    this.memory.delete(key);
    await this.options.store.blobs.delete(key);
  }

  /**
   * Has a clip ready without playing it.
   *
   * @param sampleRate Hz, of the legs that will play it
   * @param signal it is not wanted any more
   * @throws ParleyError PARLEY_ERR_SYNTHESIS_FAILED, PARLEY_ERR_SYNTHESIS_ENGINE; the signal's reason
   */
  async prepare(
    text: string,
    settings: VoiceSettings,
    sampleRate: number,
    lexicon?: Lexicon,
    signal?: AbortSignal,
  ): Promise<Clip> {
    const written = normalise(text, lexicon);
    const order = orderOf(written.spoken, settings, sampleRate);
    const kept = this.memory.get(order.key);
    if (kept) this.hits++;
    return clipOf(written, kept ?? (await this.wait(this.join(order, undefined), signal)));
  }

  /**
   * Takes the next place in the leg's playout at once and fills it when the clip is there. Resolves with the clip when
   * it is on its way to the leg; rejects when there will be none (failure, or the signal), and has left the place then.
   *
   * @throws ParleyError as for {@link prepare}; the signal's reason
   */
  say(leg: MediaLegLike, request: SayRequest): Promise<Clip> {
    const { epoch, utterance, text, settings, lexicon, signal } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    leg.enqueue(epoch, utterance);
    try {
      const written = normalise(text, lexicon);
      const order = orderOf(written.spoken, settings, leg.sampleRate);
      const kept = this.memory.get(order.key);
      if (!kept) return this.fetch(leg, request, written, order);
      this.hits++;
      leg.clip({ leg: leg.leg, epoch, utterance, pcm: kept.pcm, sampleRate: kept.sampleRate });
      return Promise.resolve(clipOf(written, kept));
    } catch (error) {
      leg.skip(epoch, utterance);
      return Promise.reject(error);
    }
  }

  /** `hits`: clips that needed no synthesis of their own; `bytes`: audio in memory. */
  stats(): { hits: number; misses: number; bytes: number } {
    return { hits: this.hits, misses: this.misses, bytes: this.memory.bytes };
  }

  private async fetch(leg: MediaLegLike, request: SayRequest, written: SpokenText, order: Order): Promise<Clip> {
    const { epoch, utterance, signal } = request;
    const place: Place = { leg: leg.leg, epoch, utterance, media: leg.worker };
    try {
      const flight = this.join(order, place);
      const kept = await this.wait(flight, signal);
      if (flight.playsAt !== place) {
        leg.clip({ leg: leg.leg, epoch, utterance, pcm: kept.pcm, sampleRate: kept.sampleRate });
      }
      return clipOf(written, kept);
    } catch (error) {
      leg.skip(epoch, utterance);
      throw error;
    }
  }

  /** The flight of this clip; a new one plays at `place` if it has to be synthesised. */
  private join(order: Order, place: Place | undefined): Flight {
    const running = this.flights.get(order.key);
    if (running) {
      this.hits++;
      return running;
    }
    const controller = new AbortController();
    const flight: Flight = {
      clip: this.find(order).then((found) => {
        if (found) this.hits++;
        else flight.playsAt = place;
        return found ?? this.make(order, place, controller.signal);
      }),
      controller,
      playsAt: undefined,
      waiting: 0,
    };
    this.flights.set(order.key, flight);
    const land = () => this.forget(order.key, flight);
    flight.clip.then((clip) => this.memory.put(order.key, clip)).then(land, land);
    return flight;
  }

  private forget(key: string, flight: Flight): void {
    if (this.flights.get(key) === flight) this.flights.delete(key);
  }

  /** Waits with the others; the work stops when nobody waits any more. */
  private async wait(flight: Flight, signal?: AbortSignal): Promise<KeptClip> {
    flight.waiting++;
    try {
      return await orAborted(flight.clip, signal);
    } finally {
      if (--flight.waiting === 0) {
        for (const [key, running] of this.flights) if (running === flight) this.flights.delete(key);
        flight.controller.abort();
      }
    }
  }

  private async make(order: Order, play: Place | undefined, signal: AbortSignal): Promise<KeptClip> {
    signal.throwIfAborted();
    this.misses++;
    const { key, spoken, settings, sampleRate } = order;
    const made = await this.options.speech.synthesise({ spoken, settings, sampleRate, play }, signal);
    const clip: KeptClip = { pcm: shared(made.pcm), sampleRate: made.sampleRate, words: made.words };
    void this.keep(key, clip);
    return clip;
  }

  /** Asks the store; anything but a whole clip in time is a miss. */
  private async find({ key, sampleRate }: Order): Promise<KeptClip | undefined> {
    try {
      const bytes = await within(STORE_MS, this.options.store.blobs.get(key));
      return bytes && decodeClip(bytes, sampleRate);
    } catch (error) {
      this.storeFailed(error);
      return undefined;
    }
  }

  private async keep(key: string, clip: KeptClip): Promise<void> {
    try {
      await this.options.store.blobs.put(key, encodeClip(clip), { ttlMs: this.options.clipTtlMs });
      this.storeFails = false;
    } catch (error) {
      this.storeFailed(error);
    }
  }

  /** One line per outage: clips are made again meanwhile. */
  private storeFailed(error: unknown): void {
    if (!this.storeFails) this.options.logger.warn({ reason: reasonOf(error) }, 'the store does not keep clips now');
    this.storeFails = true;
  }
}

function orderOf(spoken: string, settings: VoiceSettings, sampleRate: number): Order {
  const { engine, speed } = settings;
  const facts = factsOf(engine);
  const voice = facts ? chooseVoice(facts.voices, settings) : undefined;
  const pitch = voice?.pitch === false ? undefined : settings.pitch;
  const all = [engine, facts?.version, voice?.name ?? settings, speed, pitch, sampleRate, spoken];
  const key = `clip/${createHash('sha256').update(JSON.stringify(all)).digest('hex')}`;
  return { key, spoken, settings, sampleRate };
}

function clipOf(written: SpokenText, { pcm, sampleRate, words }: KeptClip): Clip {
  return { pcm, sampleRate, words: writtenTimes(written, words) };
}

function shared(pcm: Int16Array): Int16Array {
  if (pcm.buffer instanceof SharedArrayBuffer) return pcm;
  const copy = new Int16Array(new SharedArrayBuffer(pcm.byteLength));
  copy.set(pcm);
  return copy;
}

/** The promise, or the signal's reason if that comes first. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
