import { reduce } from '../../src/conversation/reducer.js';
import type { ConversationSettings } from '../../src/conversation/settings.js';
import {
  type Afterwards,
  initialState,
  type TimerName,
  type TurnEffect,
  type TurnEvent,
  type TurnState,
} from '../../src/conversation/state.js';
import type { JournalEvent, JournalEventType } from '../../src/journal/events.js';
import type { ExpectedAnswer } from '../../src/text/expected.js';

export const SETTINGS: ConversationSettings = {
  endpointing: {
    certainMs: 700,
    unsureMs: 700,
    unlikelyMs: 700,
    partsMs: 700,
    incompleteMs: 700,
    unknownMs: 700,
  },
  speculation: false,
  secondJudge: false,
  collisionMs: 500,
  goAhead: 'Sorry, go ahead.',
  bearWithMe: 'One moment.',
  handBackMs: 30_000,
  stopWords: [],
  judge: 'words',
  voiceMs: 500,
  finalMs: 700,
  reflex: 'duck',
  duckLevel: 0.3,
  overlapMs: 1200,
  idle: { afterMs: 7000, prompts: ['Are you still there?', 'Hello?'], goodbye: 'Goodbye.' },
  turnMs: 30_000,
  callMs: 600_000,
  farewell: 'We have to stop here.',
  recognitionMs: 2000,
  reasonerMs: 8000,
  apology: 'Sorry, something went wrong.',
  failures: 2,
  dtmfMs: 2000,
  secrets: [],
};

type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never;
type Timeless = WithoutTime<TurnEvent>;

/** A conversation on a virtual clock: 8 samples a millisecond, timers fire as time passes, playout as told. */
export class VirtualTalk {
  now = 1000;
  state: TurnState;
  readonly timers = new Map<TimerName, number>();
  effects: TurnEffect[] = [];
  readonly journal: JournalEvent[] = [];
  queue: string[] = [];

  constructor(settings: Partial<ConversationSettings> = {}) {
    this.state = initialState({ ...SETTINGS, ...settings });
  }

  send(event: Timeless): void {
    const { state, effects } = reduce(this.state, { ...event, at: this.now } as TurnEvent);
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.type === 'timer') this.timers.set(effect.name, this.now + effect.ms);
      else if (effect.type === 'clear') this.timers.delete(effect.name);
      else if (effect.type === 'journal') this.journal.push(effect.event);
      else if (effect.type === 'say') this.queue.push(effect.id);
      else if (effect.type === 'stop') this.stopPlayout();
    }
  }

  pass(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = [...this.timers].filter(([, at]) => at <= until).sort((a, b) => a[1] - b[1])[0];
      if (!next) break;
      this.now = Math.max(this.now, next[1]);
      this.timers.delete(next[0]);
      this.send({ type: 'timer', name: next[0] });
    }
    this.now = until;
  }

  get position(): number {
    return this.now * 8;
  }

  onset(): void {
    this.send({ type: 'onset', position: this.position });
  }

  /** The detector is sure 160 ms after the last voiced sample. */
  offset(): number {
    const position = this.position;
    const voicedAt = this.now;
    this.pass(160);
    this.send({ type: 'offset', voicedAt, position });
    return position;
  }

  /** The caller says something and falls silent; the recogniser answers after 40 ms. */
  utter(text: string, ms = 1000): void {
    this.onset();
    this.pass(ms);
    const position = this.offset();
    this.pass(40);
    this.send({ type: 'final', text, position });
  }

  /** The first queued utterance is played for that long; to its end when `heard` is not given. */
  start(): string {
    const id = this.queue[0] ?? '';
    this.send({ type: 'utterance.ready', id });
    this.send({ type: 'utterance.started', id });
    return id;
  }

  finish(heard?: string): void {
    const id = this.queue.shift() ?? '';
    this.send({ type: 'utterance.ended', id, heard: heard ?? this.textOf(id), stopped: heard !== undefined });
  }

  playAll(): void {
    while (this.queue.length > 0) {
      this.start();
      this.pass(1000);
      this.finish();
    }
  }

  reply(text: string, afterwards?: Afterwards, expected?: ExpectedAnswer): void {
    const reply = this.asked();
    this.send({ type: 'reply.sentence', reply, text });
    if (expected) this.send({ type: 'reply.expect', reply, expected });
    this.send({ type: 'reply.done', reply, afterwards });
  }

  asked(): string {
    const asks = this.all('ask');
    return asks[asks.length - 1]?.reply ?? '';
  }

  all<T extends TurnEffect['type']>(type: T): Extract<TurnEffect, { type: T }>[] {
    return this.effects.filter((e): e is Extract<TurnEffect, { type: T }> => e.type === type);
  }

  recorded<T extends JournalEventType>(type: T): Extract<JournalEvent, { type: T }>[] {
    return this.journal.filter((e): e is Extract<JournalEvent, { type: T }> => e.type === type);
  }

  private textOf(id: string): string {
    return this.all('say').find((e) => e.id === id)?.text ?? '';
  }

  /** What was playing ends after two words, the rest unheard. */
  private stopPlayout(): void {
    const ids = this.queue;
    this.queue = [];
    for (const [n, id] of ids.entries()) {
      const heard = n === 0 ? this.textOf(id).split(' ').slice(0, 2).join(' ') : '';
      queueMicrotask(() => this.send({ type: 'utterance.ended', id, heard, stopped: true }));
    }
  }
}
