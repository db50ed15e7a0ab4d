import { describe, expect, it, vi } from 'vitest';
import type { ReasonerSession } from '../agent/reasoner.js';
import type { JournalEvent } from '../journal/events.js';
import { monotonicMs } from '../telemetry/clock.js';
import { createLogger } from '../telemetry/log.js';
import { Conversation } from './conversation.js';
import type { ConversationSettings } from './settings.js';
import type { Voice, VoiceEvent } from './voice.js';

const SETTINGS: ConversationSettings = {
  endpointing: { certainMs: 0, unsureMs: 0, unlikelyMs: 0, partsMs: 0, incompleteMs: 0, unknownMs: 0 },
  speculation: true,
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
  idle: { afterMs: 60_000, prompts: [], goodbye: 'Goodbye.' },
  turnMs: 60_000,
  callMs: 60_000,
  farewell: 'Farewell.',
  recognitionMs: 2000,
  reasonerMs: 60_000,
  apology: 'Sorry.',
  failures: 3,
  secrets: [],
  dtmfMs: 2000,
};

/** Plays everything at once, from within `say`. */
class InstantVoice implements Voice {
  readonly channel = 'text';
  readonly said: string[] = [];
  readonly expect = vi.fn();
  readonly stop = vi.fn();
  emit: (event: VoiceEvent) => void = () => {};

  listen(listener: (event: VoiceEvent) => void): void {
    this.emit = listener;
  }

  say({ id, text }: { id: string; text: string }): void {
    this.said.push(text);
    this.emit({ type: 'utterance.started', at: monotonicMs(), id });
    this.emit({ type: 'utterance.ended', at: monotonicMs(), id, heard: text, stopped: false });
  }

  readonly prepare = vi.fn();
  yield(): void {}
  goOn(): void {}
  sensitive(): void {}
  commit(): void {}
  finalise(): void {}
  close(): void {}
}

function talk(respond: ReasonerSession['respond']) {
  const voice = new InstantVoice();
  const journal: JournalEvent[] = [];
  const finish = vi.fn();
  const heard = vi.fn();
  const session: ReasonerSession = {
    greeting: () => 'Hello.',
    respond,
    heard,
    transferFailed: respond as never,
    close: vi.fn(),
  };
  const conversation = new Conversation({
    voice,
    session,
    settings: SETTINGS,
    record: (event) => journal.push(event),
    origin: monotonicMs(),
    finish,
    logger: createLogger('silent'),
  });
  conversation.begin({ notice: [], greeting: ['Hello.'] });
  const type = (text: string) => voice.emit({ type: 'text', at: monotonicMs(), text });
  return { voice, journal, finish, heard, conversation, type };
}

describe('Conversation', () => {
  it('ends the call when what it is carried by fails, and goes on to the end', async () => {
    const { voice, journal, finish, heard, conversation, type } = talk(async function* () {
      yield { type: 'text', text: 'We open at nine.' };
    });
    heard.mockImplementation(() => {
      throw new Error('boom');
    });
    type('when');
    await vi.waitFor(() => expect(finish).toHaveBeenCalledWith({ type: 'hangup', reason: 'boom', by: 'error' }));
    type('and then');
    conversation.end();
    expect(voice.said).toContain('We open at nine.');
    expect(journal.filter((event) => event.type === 'caller.turn')).toHaveLength(2);
  });

  it('speaks sentences as the reasoner makes them, records its events, and finishes when all was heard', async () => {
    const { voice, journal, finish, heard, conversation, type } = talk(async function* () {
      yield { type: 'event', event: { type: 'topic', turn: 1, topic: 'hours', score: 1, ms: 1 } };
      yield { type: 'text', text: 'We open at ni' };
      yield { type: 'text', text: 'ne. Good' };
      expect(voice.said).toContain('We open at nine.');
      yield { type: 'text', text: 'bye.' };
      yield { type: 'hangup', reason: 'done' };
    });
    type('when do you open');
    await vi.waitFor(() => expect(finish).toHaveBeenCalledTimes(1));
    expect(voice.said).toEqual(['Hello.', 'We open at nine.', 'Goodbye.']);
    expect(finish.mock.calls[0]?.[0]).toMatchObject({ type: 'hangup', by: 'agent' });
    expect(heard).toHaveBeenCalledWith(1, 'We open at nine. Goodbye.', false);
    expect(journal.map((e) => e.type)).toContain('topic');
    conversation.end();
    expect(conversation.pending).toBe(0);
  });

  it('aborts a reasoner that is overtaken, and never says what it still had to say', async () => {
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let aborted = false;
    const { voice, conversation, type } = talk(async function* (turn, signal) {
      if (turn.text === 'first') {
        await gate;
        aborted = signal.aborted;
      }
      yield { type: 'text', text: `Answer to ${turn.text}.` };
    });
    type('first');
    type('second');
    await vi.waitFor(() => expect(voice.said).toContain('Answer to first second.'));
    release();
    await vi.waitFor(() => expect(aborted).toBe(true));
    conversation.end();
    expect(voice.said).not.toContain('Answer to first.');
  });

  it('apologises when the reasoner throws', async () => {
    const { voice, journal, conversation, type } = talk(() => {
      throw new Error('boom');
    });
    type('hello');
    await vi.waitFor(() => expect(voice.said).toContain('Sorry.'));
    expect(journal).toContainEqual({ type: 'error', code: 'PARLEY_ERR_REASONER_FAILED', message: 'boom' });
    conversation.end();
  });

  it('keeps a speculative answer to itself until it is certain, and makes its first sentence ready', async () => {
    let certain = false;
    const { voice, journal, conversation } = talk(async function* (turn, _signal, standing) {
      yield { type: 'event', event: { type: 'topic', turn: 1, topic: turn.text, score: 1, ms: 1 } };
      yield { type: 'text', text: `Answer to ${turn.text}. More.` };
      await standing;
      certain = true;
      yield { type: 'text', text: ' Done.' };
    });
    const at = () => monotonicMs();
    voice.emit({ type: 'onset', at: at(), position: 0 });
    voice.emit({ type: 'partial', at: at(), text: 'one', position: 100, paused: true });
    await vi.waitFor(() => expect(voice.prepare).toHaveBeenCalledWith('Answer to one.', expect.anything()));
    voice.emit({ type: 'partial', at: at(), text: 'one two', position: 200, paused: true });
    await vi.waitFor(() => expect(voice.prepare).toHaveBeenCalledTimes(2));
    expect(voice.prepare.mock.calls[0]?.[1].aborted).toBe(true);
    expect(voice.said).toEqual(['Hello.']);
    expect(certain).toBe(false);
    voice.emit({ type: 'offset', at: at(), voicedAt: at(), position: 200 });
    voice.emit({ type: 'final', at: at(), text: 'one two', position: 200 });
    await vi.waitFor(() => expect(voice.said).toEqual(['Hello.', 'Answer to one two.', 'More.', 'Done.']));
    expect(journal.filter(({ type }) => type === 'topic')).toMatchObject([{ topic: 'one two' }]);
    conversation.end();
    expect(conversation.pending).toBe(0);
  });
});
