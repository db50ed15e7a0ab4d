import type { Voice, VoiceEvent } from '../../conversation/voice.js';
import { reasonOf } from '../../errors.js';
import type { Vocabulary } from '../../speech/recognition/vocabulary.js';
import type { Lexicon } from '../../speech/synthesis/lexicon.js';
import type { Clip, VoiceSettings } from '../../speech/synthesis/synthesiser.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { Logger } from '../../telemetry/log.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { FromMedia, Reflex } from '../../workers/messages.js';
import { heardText, type Speaker, wordStart } from '../../workers/speaker.js';
import type { SpeechHost } from '../../workers/speech/speech-host.js';
import { type Announced, Announcements } from './announcements.js';
import { CallHearing } from './call-hearing.js';
import { DigitMerge, type KeySource } from './digits.js';

/** Playout that paused at a stop word goes on after this when nobody has decided about it, ms. */
const UNDECIDED_MS = 2000;

/** What a call's voice is made of. */
export interface CallVoiceOptions {
  leg: MediaLeg;
  speech: SpeechHost;
  speaker: Speaker;
  settings: VoiceSettings;
  lexicon: Lexicon | undefined;
  /** What callers can be expected to say. */
  vocabulary?: Vocabulary | undefined;
  stopWords: readonly string[];
  /** Said while the words take longer because who recognises them had to be replaced. */
  bearWithMe?: string | undefined;
  /** Whether the words decide who goes on when the caller speaks over the agent. */
  byWords: boolean;
  /** What the voice does by itself on the first sound of the peer's over it; nothing when left out. */
  reflex?: Reflex | undefined;
  /** Told how many sentences in a row could not be synthesised. */
  voiceless?: ((inARow: number) => void) | undefined;
  logger: Logger;
}

interface Saying {
  text: string;
  firm: boolean;
  clip?: Clip;
  abort: AbortController;
  /** When it began to be heard, and was stopped; monotonicMs(). */
  startedAt?: number;
  stoppedAt?: number;
}

/** A caller who waits for recognition that has to begin again hears of it after this, ms. */
const BEAR_MS = 1200;
/** Longest that it may take, ms. */
const ANNOUNCE_MS = 5000;
/** The voice of a SIP call: a media leg, its recognition stream, and synthesis into its playout queue. */
export class CallVoice implements Voice {
  readonly channel = 'voice';
  private leg: MediaLeg;
  private readonly hearing: CallHearing;
  private readonly announcements = new Announcements(
    (id, text) => this.say({ id, text, firm: true }),
    () => this.stop(),
  );
  private bearing: NodeJS.Timeout | undefined;
  private readonly saying = new Map<string, Saying>();
  private listener: (event: VoiceEvent) => void = () => {};
  private epoch = 1;
  /** Where playout paused. */
  private held: { utterance: string; sample: number } | undefined;
  private pausing = false;
  private forgotten: NodeJS.Timeout | undefined;
  private onHold = false;
  /** What is being said may be interrupted. */
  private interruptible = false;
  /** What the agent said last. */
  private agentText = '';
  private onSettled = () => {};
  /** Sentences in a row that could not be synthesised. */
  private unsaid = 0;
  /** Who hears this voice instead of the conversation. */
  private diverted: ((event: VoiceEvent) => void) | undefined;
  private closed = false;
  private readonly keys = new DigitMerge();

  constructor(private readonly options: CallVoiceOptions) {
    this.leg = options.leg;
    this.hearing = new CallHearing(options.leg, options.speech, options.vocabulary, {
      tell: (event) => this.tell(event),
      deafened: () => this.announcements.deaf,
      delayed: (at) => this.delayed(at),
      recognised: () => this.onSettled(),
    });
  }

  /**
   * The leg was lost with its worker, and this one stands in its place. What was being said is said again, sentence by
   * sentence; what the caller said until then counts.
   */
  moveTo(leg: MediaLeg): void {
    if (this.closed) return;
    this.leg = leg;
    this.held = undefined;
    this.hearing.moveTo(leg);
    if (this.pausing || this.onHold) leg.hold();
    for (const [id, saying] of [...this.saying]) {
      if (saying.abort.signal.aborted) this.ended(lostUtterance(id, saying));
      else this.sayAgain(id, saying);
    }
  }

  private sayAgain(id: string, { text, firm, abort, startedAt }: Saying): void {
    abort.abort();
    this.say({ id, text, firm });
    const again = this.saying.get(id);
    if (again && startedAt !== undefined) again.startedAt = startedAt;
  }

  /** To the conversation, or to whom it is diverted; of a hold both want to know. */
  private tell(event: VoiceEvent): void {
    if (this.diverted) this.diverted(event);
    if (!this.diverted || event.type === 'hold' || event.type.startsWith('utterance.')) this.listener(event);
  }

  listen(listener: (event: VoiceEvent) => void): void {
    this.listener = listener;
  }

  say({ id, text, firm }: { id: string; text: string; firm: boolean }): void {
    const { leg } = this;
    const { speaker, settings, lexicon, logger } = this.options;
    const saying: Saying = { text, firm, abort: new AbortController() };
    this.saying.set(id, saying);
    const request = { epoch: this.epoch, utterance: id, text, settings, lexicon, signal: saying.abort.signal };
    speaker.say(leg, request).then(
      (clip) => {
        saying.clip = clip;
        this.unsaid = 0;
        if (this.saying.get(id) === saying) this.tell({ type: 'utterance.ready', at: monotonicMs(), id });
      },
      (error) => {
        if (saying.abort.signal.aborted) return;
        logger.error({ err: error, reason: reasonOf(error) }, 'synthesis failed');
        this.options.voiceless?.(++this.unsaid);
      },
    );
  }

  prepare(text: string, signal: AbortSignal): void {
    const { leg } = this;
    const { speaker, settings, lexicon } = this.options;
    // What can't be made ready is tried again, and complained about, when it is said.
    speaker.prepare(text, settings, leg.sampleRate, lexicon, signal).catch(() => undefined);
  }

  /**
   * Says something that is no part of the conversation, which hears nothing of the peer meanwhile unless `deaf` is
   * false. Resolves when it was heard, or cut.
   *
   * @param ms longest that it may take
   */
  announce(sentences: readonly string[], ms: number, { deaf = true }: { deaf?: boolean } = {}): Promise<Announced> {
    return this.announcements.announce(sentences, ms, deaf);
  }

  /** Somebody else hears what the peer says and presses, instead of the conversation; nobody else when left out. */
  divert(listener?: (event: VoiceEvent) => void): void {
    this.diverted = listener;
  }

  /** Whether what the peer says is looked at: while it is not, nothing of it is recognised, nor later. */
  hear(on: boolean): void {
    if (!this.closed) this.hearing.hear(on);
  }

  stop(): void {
    clearTimeout(this.forgotten);
    this.pausing = this.onHold;
    this.held = undefined;
    this.epoch += 1;
    this.leg.stop(this.epoch);
    // What is said next waits for the end of the hold, too.
    if (this.onHold) this.leg.hold();
    for (const saying of this.saying.values()) {
      saying.stoppedAt ??= monotonicMs();
      saying.abort.abort();
    }
  }

  yield(how: 'duck' | 'pause', level: number): void {
    if (how === 'duck') return this.leg.gain(level);
    // It may have paused by itself; who goes on is now decided elsewhere.
    clearTimeout(this.forgotten);
    this.pausing = true;
    this.leg.hold();
  }

  goOn(): void {
    const { leg, held } = this;
    leg.gain(1);
    if (this.onHold || !this.pausing) return;
    clearTimeout(this.forgotten);
    this.pausing = false;
    this.held = undefined;
    const saying = held && this.saying.get(held.utterance);
    leg.resume(saying && wordStart(saying.text, saying.clip, held.sample));
  }

  /** Either side has the other on hold: nothing is said or expected until it ends. */
  hold(on: boolean): void {
    this.onHold = on;
    if (on) this.pausing = true;
    this.arm();
    this.tell({ type: 'hold', at: monotonicMs(), on });
    if (!on) this.goOn();
  }

  expect(expected: ExpectedAnswer): void {
    this.hearing.expect(expected);
  }

  sensitive(on: boolean): void {
    this.leg.maskRecording(on);
  }

  commit(position: number): void {
    this.hearing.commit(position);
  }

  finalise(): void {
    this.hearing.finalise();
  }

  /**
   * Before the call is closed: falls silent and waits until what was played and what was said are known.
   *
   * @param ms longest wait
   */
  async settle(ms: number): Promise<void> {
    this.stop();
    const { hearing } = this;
    hearing.finaliseRest();
    if (this.saying.size === 0 && !hearing.unrecognised) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.onSettled = () => {
        if (this.saying.size > 0 || hearing.unrecognised) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.forgotten);
    this.hearing.close();
    clearTimeout(this.bearing);
    for (const saying of this.saying.values()) saying.abort.abort();
    this.saying.clear();
    this.announcements.close();
  }

  /** A key, by whatever way it came; the conversation is told of each press once. @param at of its release, monotonicMs() */
  key(source: KeySource, digit: string, durationMs: number, at: number): void {
    if (this.announcements.deaf || !this.keys.isNew(source, digit, at, durationMs)) return;
    this.tell({ type: 'dtmf', at: monotonicMs(), digit, durationMs });
  }

  /** What the media worker reports of this leg. */
  fromMedia(event: FromMedia): void {
    switch (event.type) {
      case 'stir':
      case 'onset':
      case 'pause':
      case 'offset':
        return this.hearing.mark(event);
      case 'dtmf':
        return this.key(event.source, event.digit, event.durationMs, event.at);
      case 'held':
        return this.paused(event);
      case 'utterance.started':
        return this.started(event.utterance, event.at);
      case 'utterance.ended':
        return this.ended(event);
    }
  }

  /** Playout paused: asked for here, or by itself at an onset or a stop word, about which the conversation decides. */
  private paused(event: Extract<FromMedia, { type: 'held' }>): void {
    this.held = event;
    if (this.pausing) return;
    this.pausing = true;
    this.forgotten = setTimeout(() => this.goOn(), UNDECIDED_MS);
  }

  /** The speech worker judges the caller's words by what the agent says, or said last. */
  private tellAgent(utterance: string | undefined): void {
    const saying = utterance === undefined ? undefined : this.saying.get(utterance);
    if (saying) this.agentText = saying.text;
    const { stopWords, byWords } = this.options;
    this.interruptible = saying !== undefined && !saying.firm;
    this.hearing.agentSays({ text: this.agentText, speaking: byWords && this.interruptible, stopWords });
    this.arm();
  }

  /** The media worker need not wait for the conversation where that would do the same. */
  private arm(): void {
    const { reflex } = this.options;
    if (reflex) this.leg.reflex(this.interruptible && !this.onHold ? reflex : undefined);
  }

  private started(id: string, at: number): void {
    this.tellAgent(id);
    const saying = this.saying.get(id);
    const again = saying?.startedAt !== undefined;
    if (saying) saying.startedAt ??= at;
    if (!again) this.tell({ type: 'utterance.started', at, id });
  }

  private ended({ at, utterance: id, played, stopped }: Ended): void {
    const saying = this.saying.get(id);
    if (!saying) return;
    this.saying.delete(id);
    if (this.held?.utterance === id) this.held = undefined;
    if (this.saying.size === 0) this.tellAgent(undefined);
    const heard = stopped ? heardText(saying.text, saying.clip, played) : saying.text;
    if (!this.announcements.ended(id, heard, stopped)) this.tell({ type: 'utterance.ended', at, id, heard, stopped });
    this.onSettled();
  }

  private delayed(at: number): void {
    this.tell({ type: 'recognition.delayed', at });
    this.askPatience();
  }

  private askPatience(): void {
    const { bearWithMe } = this.options;
    clearTimeout(this.bearing);
    if (bearWithMe === undefined) return;
    this.bearing = setTimeout(() => {
      if (!this.hearing.unrecognised || this.diverted) return;
      if (this.hearing.speaking) return this.askPatience();
      if (this.saying.size === 0) void this.announce([bearWithMe], ANNOUNCE_MS, { deaf: false });
    }, BEAR_MS);
  }
}

type Ended = Omit<Extract<FromMedia, { type: 'utterance.ended' }>, 'type' | 'leg' | 'epoch' | 'total'>;

/** The end of what was cut on a leg of which nothing more is heard: what was played follows from the time. */
function lostUtterance(utterance: string, { startedAt, stoppedAt, clip }: Saying): Ended {
  const at = monotonicMs();
  const ms = startedAt === undefined ? 0 : Math.max(0, (stoppedAt ?? at) - startedAt);
  return { at, utterance, played: Math.round((ms * (clip?.sampleRate ?? 8000)) / 1000), stopped: true };
}
