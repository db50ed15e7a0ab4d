import type { VoiceEvent } from '../../conversation/voice.js';
import type { Consent } from '../../dialplan/dialplan.js';
import type { JournalEvent } from '../../journal/events.js';
import { sentencesOf } from '../../speech/synthesis/splitter.js';
import { yesNo } from '../../text/yes-no.js';
import type { CallVoice } from './call-voice.js';

/** Longest that one question may take to be said, ms. */
const ASK_MS = 60_000;
/** Who answers over its last words has heard the question, ms. */
const OVERLAP_MS = 700;

/** What the caller says to it. */
type Reply = { answer: 'yes' | 'no'; by: 'key' | 'voice'; words?: string };

/** What of a voice is used. */
export type AskingVoice = Pick<CallVoice, 'announce' | 'divert' | 'expect' | 'commit' | 'stop'>;

/**
 * Asks the caller, before the agent speaks, whether they agree: by a key at any time, by word once the question is heard,
 * so that nothing of the question itself can be taken for the answer.
 */
export class ConsentQuestion {
  private reply: Reply | undefined;
  private over = false;
  /** When what was said last began, and when the question was heard to its end, monotonicMs(). */
  private onsetAt = 0;
  private askedAt = Number.POSITIVE_INFINITY;
  private speaking = false;
  private held = false;
  private timer: NodeJS.Timeout | undefined;
  private settle: () => void = () => undefined;

  constructor(
    private readonly voice: AskingVoice,
    private readonly consent: Consent,
    private readonly record: (event: JournalEvent) => void,
    private readonly now: () => number,
  ) {}

  /** Timers that run, for leak tests. */
  get pending(): number {
    return this.timer ? 1 : 0;
  }

  /** @returns whether the caller said yes; undefined when it was given up */
  async ask(): Promise<boolean | undefined> {
    const { voice, consent } = this;
    voice.divert((event) => this.heard(event));
    voice.expect({ kind: 'yes-no' });
    let asked = 0;
    while (asked < consent.tries && !this.reply && !this.over) {
      await this.question(asked++ === 0 ? consent.ask : (consent.again ?? consent.ask));
    }
    if (this.over) return undefined;
    voice.divert();
    voice.expect({ kind: 'open' });
    const { answer, by, words } = this.reply ?? {};
    const outcome = answer === 'yes' ? 'given' : answer === 'no' ? 'refused' : 'no-answer';
    this.record({ type: 'consent', outcome, by, words, asked });
    return answer === 'yes';
  }

  /** Gives it up: nothing is recorded, and nobody waits any longer. */
  stop(): void {
    this.over = true;
    this.done();
  }

  private async question(text: string): Promise<void> {
    this.askedAt = Number.POSITIVE_INFINITY;
    const answered = new Promise<void>((resolve) => {
      this.settle = resolve;
    });
    const { heard, stopped } = await this.voice.announce(sentencesOf(text), ASK_MS, { deaf: false });
    this.record({ type: 'agent.turn', turn: 0, planned: text, heard, interrupted: stopped, kind: 'notice' });
    this.askedAt = this.now();
    if (this.reply || this.over) return;
    this.wait();
    await answered;
  }

  private wait(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.speaking || this.held || this.askedAt === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(() => this.done(), this.consent.waitMs);
  }

  private done(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.settle();
  }

  private heard(event: VoiceEvent): void {
    switch (event.type) {
      case 'dtmf':
        return this.pressed(event.digit, event.durationMs);
      case 'onset':
        this.onsetAt = event.voicedAt ?? event.at;
        this.speaking = true;
        return this.wait();
      case 'offset':
        this.speaking = false;
        return this.wait();
      case 'final':
        return this.said(event.text, event.position);
      case 'hold':
        this.held = event.on;
        return this.wait();
    }
  }

  private pressed(digit: string, durationMs: number): void {
    this.record({ type: 'dtmf', digit, durationMs });
    const { key, refuseKey } = this.consent;
    if (digit !== key && digit !== refuseKey) return;
    this.answer({ answer: digit === key ? 'yes' : 'no', by: 'key' });
  }

  private said(words: string, position: number): void {
    this.voice.commit(position);
    if (words === '' || this.onsetAt < this.askedAt - OVERLAP_MS) return;
    const answer = yesNo(words)?.answer;
    if (answer) this.answer({ answer, by: 'voice', words });
    // Something else was said: that is asked again at once.
    else if (!this.speaking) this.done();
  }

  private answer(reply: Reply): void {
    if (this.reply) return;
    this.reply = reply;
    this.voice.stop();
    this.done();
  }
}
