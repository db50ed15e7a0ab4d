import type { AudioRing } from '../../audio/ring.js';
import { ParleyError, reasonOf } from '../../errors.js';
import type { Meaning } from '../../language/meanings.js';
import type { Recogniser } from '../../speech/recognition/recogniser.js';
import type { Vocabulary } from '../../speech/recognition/vocabulary.js';
import { addedWords } from '../../text/added-words.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import { likelyWhole } from '../../turns/endpointing.js';
import { isOwnEcho, stopWord } from '../../turns/interruption.js';
import type { AgentSpeech, FromSpeech, TurnLikelihood } from '../messages.js';
import type { Scheduler } from './speech-scheduler.js';
import { Utterance } from './speech-utterance.js';
import { type Heard, NOTHING, UtteranceWords } from './speech-words.js';

/** Audio taken before an onset, ms. */
const PRE_ROLL_MS = 250;
/** Real audio taken after an offset, ms; it is there when the offset is told, and holds the end of a soft consonant. */
const TRAILING_MS = 160;
/** A new partial is due when so much was said since the last one, ms... */
const PARTIAL_MS = 250;
/** ...and while the agent speaks, when the words decide whether it stops. */
const CONTESTED_PARTIAL_MS = 120;
/** The first of those: of less, an "oh" is easily heard as a "no". */
const FIRST_CONTESTED_MS = 260;
/** Nobody who only listens says more than this: whether it was a listener's is not asked of longer bursts, ms. */
const LONGEST_BACKCHANNEL_MS = 1500;
/** Words made ready in a pause stand for an offset found this close to it, ms. */
const SAME_PAUSE_MS = 120;
/** A pause this long divides what is recognised together, ms. */
const LONG_PAUSE_MS = 3000;
/** Part of the ring that may be overwritten while a job waits, ms. */
const RING_MARGIN_MS = 1000;

/** What a listener tells main about its stream. */
export type ListenerEvent = Extract<FromSpeech, { type: 'partial' | 'final' | 'stream.failed' }>;

/** What a listener works with. */
export interface ListenerOptions {
  leg: string;
  ring: AudioRing;
  /** Of the ring, Hz. */
  sampleRate: number;
  /** Position from which on the stream is listened to. */
  from: number;
  recogniser: Recogniser;
  /** What callers of this agent can be expected to say. */
  vocabulary?: Vocabulary | undefined;
  /** Judges the words; without it they go unjudged. */
  turns?: TurnModels | undefined;
  scheduler: Scheduler;
  emit(event: ListenerEvent): void;
  /** Told of a partial that could not be made: the next one or the final may still be. */
  warn(error: unknown): void;
  /** Monotonic clock, ms. */
  now(): number;
}

/** The models that tell whether a turn is over and who has the floor. */
export interface TurnModels {
  /** P(the words are a whole turn), 0 to 1. */
  finished(input: { words: string; agent: string; expected: ExpectedAnswer }): Promise<number>;
  /** P(a burst over the agent's voice takes the floor), 0 to 1. */
  real(input: { words: string; elapsedMs: number; speaking: boolean; agent: string }): Promise<number>;
  /** What the words and their clauses mean, as vectors. */
  meanings?(words: string): Promise<Meaning[]>;
}

/**
 * Turns the marks on one leg's stream into words: partials while the caller speaks, and a final at every offset at
 * once, over the whole utterance since the last commit. Speech after an offset goes on with the same utterance, so
 * that the next final replaces the one before.
 */
export class StreamListener {
  private readonly utterance: Utterance;
  private readonly words: UtteranceWords;
  private expected: ExpectedAnswer = { kind: 'open' };
  private agent: AgentSpeech = { text: '', speaking: false, stopWords: [] };
  private hush = () => {};
  /** Where the burst that is heard now began, and the words of the utterance before it. */
  private burst = 0;
  private before = '';
  /** The newest final words since the commit. */
  private latest = '';
  /** Words made ready in a pause, and where it is. */
  private early: { position: number; heard: Heard } | undefined;
  private nextPartial = 0;
  private finals = 0;
  private closed = false;

  constructor(private readonly options: ListenerOptions) {
    const { ring, from } = options;
    this.words = new UtteranceWords(options);
    const longest = Math.min(
      this.samples(options.recogniser.capabilities.maxSeconds * 1000),
      ring.capacity - this.samples(RING_MARGIN_MS),
    );
    this.utterance = new Utterance(
      {
        preRoll: this.samples(PRE_ROLL_MS),
        trailing: this.samples(TRAILING_MS),
        longest,
        longPause: this.samples(LONG_PAUSE_MS),
      },
      from,
    );
  }

  /**
   * Speech began at this position.
   *
   * @param hush makes the agent fall silent at once
   */
  onset(position: number, hush: () => void = () => {}): void {
    this.utterance.onset(position);
    this.burst = position;
    this.before = this.latest;
    this.hush = hush;
    this.early = undefined;
    const { end } = this.options.ring;
    this.nextPartial = this.agent.speaking
      ? Math.max(end, position + this.samples(FIRST_CONTESTED_MS))
      : end + this.samples(PARTIAL_MS);
  }

  /** The voice paused at this position: what was said so far is made ready for the offset that may follow. */
  pause(position: number): void {
    if (!this.utterance.speaking) return;
    this.options.scheduler.cancel(this.partialKey);
    this.options.scheduler.submit({ kind: 'early', key: this.partialKey, run: () => this.prepare(position) });
  }

  /** The last voiced sample ended at this position: asks for a final. */
  offset(position: number): void {
    this.utterance.offset(position);
    this.submitFinal(position, position + this.samples(TRAILING_MS));
  }

  /** To be called every 100 ms or so: asks for a partial when one is due. */
  poll(): void {
    const { ring, scheduler } = this.options;
    if (!this.utterance.speaking || ring.end < this.nextPartial) return;
    this.nextPartial = ring.end + this.samples(this.partialMs);
    const kind = this.agent.speaking ? 'contested' : 'partial';
    scheduler.submit({ kind, key: this.partialKey, run: () => this.partial() });
  }

  /** What the agent asked for, from now on. */
  expect(expected: ExpectedAnswer): void {
    this.expected = expected;
  }

  /** What the agent says, or has just said. */
  agentSays(agent: AgentSpeech): void {
    this.agent = agent;
  }

  /** The words up to this position belong to a turn that was taken. */
  commit(position: number): void {
    this.utterance.commit(position);
    this.before = this.latest = '';
    this.words.clear();
    this.early = undefined;
    this.options.scheduler.cancel(this.partialKey);
  }

  /** Asks for a final up to this position, whether or not the caller still speaks. */
  finalise(position: number): void {
    this.submitFinal(position, position);
  }

  /** Nothing is told any more. */
  close(): void {
    this.closed = true;
    this.options.scheduler.cancel(this.partialKey);
    for (let n = 0; n < this.finals; n++) this.options.scheduler.cancel(this.finalKey(n));
  }

  private get partialMs(): number {
    return this.agent.speaking ? CONTESTED_PARTIAL_MS : PARTIAL_MS;
  }

  private get partialKey(): string {
    return `partial ${this.options.leg}`;
  }

  private finalKey(n: number): string {
    return `final ${this.options.leg} ${n}`;
  }

  private submitFinal(position: number, until: number): void {
    const { scheduler } = this.options;
    scheduler.cancel(this.partialKey);
    scheduler.submit({ kind: 'final', key: this.finalKey(this.finals++), run: () => this.final(position, until) });
  }

  private async partial(): Promise<void> {
    const from = this.utterance.start;
    const position = this.options.ring.end;
    if (this.closed || from === undefined || !this.utterance.speaking) return;
    try {
      const heard = await this.recognise(position, true);
      if (heard.text) await this.tell(heard, from, position, false);
    } catch (error) {
      this.options.warn(error);
    }
  }

  /** Recognises in a pause what the final will be asked for, if the pause lasts. */
  private async prepare(position: number): Promise<void> {
    const from = this.utterance.start;
    if (this.closed || from === undefined || !this.utterance.speaking) return;
    try {
      const heard = await this.recognise(Math.min(position + this.samples(TRAILING_MS), this.options.ring.end));
      this.early = { position, heard };
      if (heard.text) await this.tell(heard, from, position, true);
    } catch (error) {
      this.options.warn(error);
    }
  }

  /** Tells of words so far. A stop word makes the agent fall silent before anybody else hears of it. */
  private async tell(heard: Heard, from: number, position: number, paused: boolean): Promise<void> {
    const { text, listening } = heard;
    const { leg, emit } = this.options;
    if (this.closed) return;
    const { agent } = this;
    const said = addedWords(this.before, text);
    if (agent.speaking && stopWord(said, agent.stopWords, listening) && !isOwnEcho(said, agent.text)) this.hush();
    const told = { type: 'partial', leg, text, listening, from, position, paused } as const;
    const meanings = paused ? await this.meanings(text) : undefined;
    emit({ ...told, meanings, ...(await this.likelihood(heard, position, { speaking: true, paused })) });
  }

  /** Of words that may be a turn: those of other partials nobody asks a topic of. */
  private async meanings(words: string): Promise<Meaning[] | undefined> {
    try {
      return words === '' ? undefined : await this.options.turns?.meanings?.(words);
    } catch (error) {
      this.options.warn(error);
      return undefined;
    }
  }

  /**
   * Whether a turn is over is asked at pauses only: it takes some ms, and nobody ends it before. A burst is judged by its
   * own words.
   */
  private async likelihood(
    { text: words, unfinished }: Heard,
    position: number,
    { speaking, paused }: { speaking: boolean; paused: boolean },
  ): Promise<TurnLikelihood> {
    const { turns, sampleRate } = this.options;
    const { agent, expected } = this;
    if (!turns || words === '') return {};
    const elapsedMs = ((position - this.burst) * 1000) / sampleRate;
    const said = addedWords(this.before, words);
    const contested = agent.speaking && said !== '';
    try {
      const finished = paused ? await turns.finished({ words, agent: agent.text, expected }) : undefined;
      return {
        finished: finished !== undefined ? likelyWhole(finished, unfinished) : undefined,
        real: contested ? await turns.real({ words: said, elapsedMs, speaking, agent: agent.text }) : undefined,
      };
    } catch (error) {
      this.options.warn(error);
      return {};
    }
  }

  /** Always answers, even when recognition fails, since a turn waits for it. */
  private async final(position: number, until: number): Promise<void> {
    const { leg, now, emit, ring } = this.options;
    if (this.closed) return;
    const begun = now();
    const from = this.utterance.start ?? position;
    let heard: Heard = NOTHING;
    try {
      const ready = this.early && Math.abs(this.early.position - position) <= this.samples(SAME_PAUSE_MS);
      heard = ready && this.early ? this.early.heard : await this.recognise(Math.min(until, ring.end));
      if (!heard.text) this.utterance.drop(position);
    } catch (error) {
      this.failed(error);
    }
    if (this.closed) return;
    const { text, logProbability, listening } = heard;
    this.latest = text;
    if (position <= this.burst) this.before = text;
    const judged = {
      ...(await this.likelihood(heard, position, { speaking: false, paused: true })),
      meanings: await this.meanings(text),
    };
    const ms = now() - begun;
    emit({
      type: 'final',
      leg,
      text,
      from: Math.min(from, position),
      position,
      ms,
      logProbability,
      listening,
      ...judged,
    });
  }

  private failed(error: unknown): void {
    const code = error instanceof ParleyError ? error.code : 'PARLEY_ERR_RECOGNITION_FAILED';
    if (this.closed) return;
    this.options.emit({ type: 'stream.failed', leg: this.options.leg, code, reason: reasonOf(error) });
  }

  /**
   * The words of the utterance up to a position.
   *
   * @param provisional whether its end is but words so far
   */
  private recognise(to: number, provisional = false): Promise<Heard> {
    const segments = this.utterance.segments(to, (from, until) => this.words.quietest(from, until));
    // Who listens says little: a burst that was cut, or stands after a long one, is none of theirs.
    const over = this.agent.speaking && segments.length === 1 && to - this.burst < this.samples(LONGEST_BACKCHANNEL_MS);
    return this.words.of(segments, { expected: this.expected, provisional, over: over ? this.before : undefined });
  }

  private samples(ms: number): number {
    return Math.round((ms * this.options.sampleRate) / 1000);
  }
}
