import { describe, expect, it } from 'vitest';
import { AudioRing } from '../../audio/ring.js';
import type { Recogniser, RecognitionOptions } from '../../speech/recognition/recogniser.js';
import { type ListenerEvent, StreamListener, type TurnModels } from './speech-listener.js';
import { Scheduler } from './speech-scheduler.js';

const RATE = 8000;
const VOCABULARY = { id: 'a', phrases: ['refund'] };
const seconds = (s: number) => Math.round(s * RATE);

/** A recogniser that tells how much it was given, rounded to 0.1 s, or whatever it is told to say. */
class Fake implements Recogniser {
  readonly capabilities = { sampleRate: RATE, maxSeconds: 12, drafts: true };
  readonly asked: RecognitionOptions[] = [];
  readonly lengths: number[] = [];
  listening: number | undefined;
  unfinished: boolean | undefined;
  answer: (length: number) => string = (length) => `${length.toFixed(1)}s`;

  async recognise(pcm: Float32Array, options: RecognitionOptions = {}) {
    this.asked.push(options);
    this.lengths.push(pcm.length / RATE);
    const text = this.answer(pcm.length / RATE);
    const { listening, unfinished } = this;
    return { text, tokens: [this.asked.length], logProbability: -0.1, listening, unfinished };
  }

  async close() {}
}

function setUp(ringSeconds = 16, turns?: TurnModels) {
  const ring = AudioRing.allocate(seconds(ringSeconds));
  const recogniser = new Fake();
  const events: ListenerEvent[] = [];
  const scheduler = new Scheduler(
    () => 0,
    (error) => {
      throw error;
    },
  );
  const emit = (event: ListenerEvent) => void events.push(event);
  const listener = new StreamListener({
    leg: 'a',
    ring,
    sampleRate: RATE,
    from: 0,
    recogniser,
    turns,
    scheduler,
    emit,
    warn: () => undefined,
    now: () => 0,
    vocabulary: VOCABULARY,
  });
  /** Audio arrives in packets up to `until`; what is due is done. */
  async function arrive(until: number) {
    while (ring.end < seconds(until)) {
      ring.write(new Int16Array(Math.min(160, seconds(until) - ring.end)).fill(1000));
      listener.poll();
      await scheduler.idle();
    }
  }
  const finals = () => events.flatMap((event) => (event.type === 'final' ? [event] : []));
  const partials = () => events.flatMap((event) => (event.type === 'partial' ? [event] : []));
  return { ring, recogniser, events, scheduler, listener, arrive, finals, partials };
}

describe('StreamListener', () => {
  it('gives partials while the caller speaks and a final at the offset, pre-roll included', async () => {
    const { listener, arrive, scheduler, finals, partials, recogniser } = setUp();
    recogniser.answer = (length) => `${length.toFixed(2)}s`;
    await arrive(1.1);
    listener.onset(seconds(1));
    await arrive(2.2);
    expect(partials().map(({ text }) => text)).toEqual(['0.61s', '0.87s', '1.13s', '1.39s']);
    listener.offset(seconds(2));
    await scheduler.idle();
    expect(finals()).toMatchObject([{ text: '1.41s', from: seconds(0.75), position: seconds(2) }]);
  });

  it('lets speech after an offset go on with the utterance, with the earlier result as draft', async () => {
    const { listener, arrive, scheduler, finals, recogniser } = setUp();
    await arrive(1);
    listener.onset(seconds(0.5));
    listener.offset(seconds(0.8));
    await scheduler.idle();
    listener.onset(seconds(1.2));
    await arrive(1.6);
    listener.offset(seconds(1.4));
    await scheduler.idle();
    expect(finals().map(({ text, from }) => [text, from])).toEqual([
      ['0.7s', seconds(0.25)],
      ['1.3s', seconds(0.25)],
    ]);
    expect(recogniser.asked.at(-1)?.draft).not.toEqual([]);
  });

  it('has the words of a pause ready when it turns out to be the end, and asks again when it was not', async () => {
    const { listener, arrive, scheduler, finals, recogniser } = setUp();
    await arrive(1);
    listener.onset(seconds(0.5));
    await arrive(1.2);
    listener.pause(seconds(1));
    await scheduler.idle();
    const asked = recogniser.asked.length;
    listener.offset(seconds(1.02));
    await scheduler.idle();
    expect(recogniser.asked).toHaveLength(asked);
    expect(finals()).toMatchObject([{ text: '0.9s', position: seconds(1.02) }]);
    listener.onset(seconds(1.3));
    await arrive(1.8);
    listener.offset(seconds(1.6));
    await scheduler.idle();
    expect(finals().at(-1)).toMatchObject({ text: '1.5s' });
  });

  it('has the agent fall silent at a stop word while it speaks, and tells how likely a turn is', async () => {
    const turns = {
      finished: async ({ words }: { words: string }) => (words === 'stop' ? 0.9 : 0.1),
      real: async ({ elapsedMs }: { elapsedMs: number }) => Math.min(1, elapsedMs / 1000),
      meanings: async (text: string) => [{ text, vector: new Float32Array([1]) }],
    };
    const { listener, arrive, scheduler, recogniser, partials, finals } = setUp(16, turns);
    let hushed = 0;
    recogniser.answer = () => 'stop';
    await arrive(1);
    listener.onset(seconds(0.9), () => hushed++);
    await arrive(1.3);
    expect(hushed).toBe(0);
    expect(partials().at(-1)).toMatchObject({ finished: undefined, real: undefined, meanings: undefined });
    listener.agentSays({ text: 'You may return', speaking: true, stopWords: [] });
    await arrive(1.6);
    expect(hushed).toBeGreaterThan(0);
    expect(partials().at(-1)?.real).toBeGreaterThan(0.5);
    listener.pause(seconds(1.5));
    await scheduler.idle();
    expect(partials().at(-1)).toMatchObject({ finished: 0.9, meanings: [{ text: 'stop' }] });
    listener.offset(seconds(1.5));
    await scheduler.idle();
    expect(finals()[0]).toMatchObject({ finished: 0.9, real: 0.6, meanings: [{ text: 'stop' }] });
    recogniser.unfinished = true;
    await arrive(2);
    listener.onset(seconds(1.9));
    listener.offset(seconds(2));
    await scheduler.idle();
    expect(finals().at(-1)?.finished).toBe(0.2);
  });

  it('asks whether it is a listener’s word while the agent speaks, and hushes for no stop word that may be one', async () => {
    const { listener, arrive, scheduler, recogniser, partials, finals } = setUp();
    let hushed = 0;
    recogniser.answer = () => 'no';
    recogniser.listening = 0.5;
    await arrive(1);
    listener.onset(seconds(0.9), () => hushed++);
    await arrive(1.3);
    expect(recogniser.asked.at(-1)?.over).toBeUndefined();
    listener.agentSays({ text: 'You may return', speaking: true, stopWords: [] });
    await arrive(1.6);
    expect(recogniser.asked.at(-1)?.over).toBe('');
    expect(partials().at(-1)?.listening).toBe(0.5);
    expect(hushed).toBe(0);
    recogniser.listening = 4;
    await arrive(1.8);
    expect(hushed).toBeGreaterThan(0);
    listener.offset(seconds(1.7));
    await scheduler.idle();
    expect(finals().at(-1)?.listening).toBe(4);
    listener.onset(seconds(2));
    await arrive(2.5);
    expect(recogniser.asked.at(-1)?.over).toBe('no');
    await arrive(4);
    expect(recogniser.asked.at(-1)?.over).toBeUndefined();
  });

  it('looks at the vocabulary for final words only, and once for a segment that is whole', async () => {
    const { listener, arrive, scheduler, recogniser } = setUp();
    await arrive(0.5);
    listener.onset(seconds(0.5));
    await arrive(14);
    const partials = recogniser.asked.length;
    listener.pause(seconds(13.8));
    await scheduler.idle();
    expect(recogniser.asked.every(({ vocabulary }) => vocabulary === VOCABULARY)).toBe(true);
    const provisional = recogniser.asked.map((asked) => asked.provisional);
    expect(recogniser.asked).toHaveLength(partials + 1);
    // The first twelve seconds were settled when they were cut off.
    expect(provisional.filter((one) => !one)).toHaveLength(2);
    expect(provisional.at(-1)).toBe(false);
  });

  it('begins a new utterance after a commit, and keeps speech that began before the commit came', async () => {
    const { listener, arrive, scheduler, finals } = setUp();
    await arrive(3);
    listener.onset(seconds(1));
    listener.offset(seconds(2));
    listener.onset(seconds(2.5));
    listener.commit(seconds(2));
    listener.offset(seconds(2.9));
    await scheduler.idle();
    expect(finals().at(-1)).toMatchObject({ from: seconds(2.25), position: seconds(2.9) });
  });

  it('answers every offset and finalise, also without words, without an onset, or when recognition fails', async () => {
    const { listener, arrive, scheduler, finals, events, recogniser } = setUp();
    await arrive(2);
    recogniser.answer = () => '';
    listener.onset(seconds(0.5));
    listener.offset(seconds(0.6));
    listener.finalise(seconds(0.7));
    await scheduler.idle();
    recogniser.answer = () => {
      throw new Error('broken');
    };
    listener.offset(seconds(1));
    await scheduler.idle();
    expect(finals().map(({ text, position }) => [text, position])).toEqual([
      ['', seconds(0.6)],
      ['', seconds(0.7)],
      ['', seconds(1)],
    ]);
    expect(events.find(({ type }) => type === 'stream.failed')).toMatchObject({
      code: 'PARLEY_ERR_RECOGNITION_FAILED',
    });
  });

  it('judges a burst that goes on with an utterance by its own words', async () => {
    const judged: string[] = [];
    const turns: TurnModels = {
      finished: async ({ words }) => (words === 'no thank you' ? 1 : 0),
      real: async ({ words }) => {
        judged.push(words);
        return 0.5;
      },
    };
    const { listener, arrive, scheduler, finals, recogniser } = setUp(16, turns);
    recogniser.answer = (length) => (length < 1 ? 'no' : 'no thank you');
    listener.agentSays({ text: 'All right.', speaking: true, stopWords: [] });
    await arrive(1);
    listener.onset(seconds(0.5));
    listener.offset(seconds(0.8));
    await scheduler.idle();
    let hushed = 0;
    listener.onset(seconds(1.2), () => hushed++);
    await arrive(2);
    listener.offset(seconds(1.8));
    await scheduler.idle();
    expect(hushed).toBe(0);
    expect(finals().at(-1)).toMatchObject({ text: 'no thank you', finished: 1 });
    expect(judged.slice(1)).toEqual(judged.slice(1).map(() => 'thank you'));
    expect(judged.length).toBeGreaterThan(2);
  });

  it('forgets sounds that were no speech', async () => {
    const { listener, arrive, scheduler, finals, recogniser } = setUp();
    await arrive(3);
    recogniser.answer = (length) => (length < 0.5 ? '' : 'words');
    listener.onset(seconds(0.5));
    listener.offset(seconds(0.55));
    await scheduler.idle();
    listener.onset(seconds(2));
    listener.offset(seconds(2.6));
    await scheduler.idle();
    expect(finals().at(-1)).toMatchObject({ text: 'words', from: seconds(1.75) });
  });

  it('finalises in the middle of speech', async () => {
    const { listener, arrive, scheduler, finals } = setUp();
    await arrive(2);
    listener.onset(seconds(0.5));
    listener.finalise(seconds(1.5));
    await scheduler.idle();
    expect(finals()).toMatchObject([{ text: '1.3s', position: seconds(1.5) }]);
    listener.commit(seconds(1.5));
    listener.offset(seconds(1.9));
    await scheduler.idle();
    expect(finals().at(-1)).toMatchObject({ from: seconds(1.5), text: '0.5s' });
  });

  it('cuts a long utterance at its pauses and reports all of it', async () => {
    const { listener, arrive, scheduler, finals, recogniser } = setUp();
    await arrive(1);
    for (const [onset, offset] of [
      [1, 7],
      [8, 12],
      [13, 18],
    ] as const) {
      listener.onset(seconds(onset));
      await arrive(offset + 0.2);
      listener.offset(seconds(offset));
      await scheduler.idle();
    }
    expect(finals().map(({ text }) => text)).toEqual(['6.4s', '11.4s', '11.4s 5.4s']);
    expect(Math.max(...recogniser.lengths)).toBeLessThanOrEqual(12);
  });

  it('cuts speech without any pause, and keeps what has left the ring', async () => {
    const { listener, arrive, scheduler, finals, recogniser } = setUp(14);
    await arrive(0.5);
    listener.onset(seconds(0.5));
    await arrive(40.2);
    listener.offset(seconds(40));
    await scheduler.idle();
    const total = finals()[0]!
      .text.split(' ')
      .reduce((sum, piece) => sum + Number.parseFloat(piece), 0);
    expect(total).toBeCloseTo(39.9, 0);
    expect(Math.max(...recogniser.lengths)).toBeLessThanOrEqual(12);
  });

  it('says nothing after it is closed', async () => {
    const { listener, arrive, scheduler, events } = setUp();
    await arrive(1);
    listener.onset(seconds(0.2));
    listener.offset(seconds(0.7));
    listener.close();
    await scheduler.idle();
    expect(events).toEqual([]);
  });
});
