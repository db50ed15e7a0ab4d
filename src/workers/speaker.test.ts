import { describe, expect, it } from 'vitest';
import { ParleyError } from '../errors.js';
import { Lexicon } from '../speech/synthesis/lexicon.js';
import type { VoiceSettings } from '../speech/synthesis/synthesiser.js';
import { createLogger } from '../telemetry/log.js';
import { decodeClip, encodeClip } from './clip-file.js';
import { Speaker, type SpeakerOptions, type SpeechSynthesis } from './speaker.js';

type Request = Parameters<SpeechSynthesis['synthesise']>[0];
type Made = Awaited<ReturnType<SpeechSynthesis['synthesise']>>;

const settings: VoiceSettings = { engine: 'flite', voice: 'rms', speed: 1 };

/** Speech workers of which the test decides when they are done. */
class Workers implements SpeechSynthesis {
  readonly jobs: { request: Request; signal: AbortSignal | undefined; done(): void; fail(error: Error): void }[] = [];
  private arrived: () => void = () => undefined;
  readonly log: string[];

  constructor(log: string[]) {
    this.log = log;
  }

  synthesise(request: Request, signal?: AbortSignal): Promise<Made> {
    return new Promise((resolve, reject) => {
      const done = () => {
        const { spoken, sampleRate, play } = request;
        if (play) this.log.push(`direct ${play.leg} ${play.media} ${play.utterance}`);
        const words = spoken.split(' ').map((word, at) => ({ word, start: at * 100, end: at * 100 + 100 }));
        resolve({ pcm: new Int16Array(words.length * 100).fill(spoken.length), sampleRate, words, ms: 1 });
      };
      signal?.addEventListener('abort', () => reject(signal.reason));
      this.jobs.push({ request, signal, done, fail: reject });
      this.arrived();
    });
  }

  /** Resolves when there are so many jobs. */
  async reach(count: number): Promise<void> {
    while (this.jobs.length < count) {
      await new Promise<void>((resolve) => {
        this.arrived = resolve;
      });
    }
  }
}

class Blobs {
  readonly kept = new Map<string, Uint8Array>();
  readonly ttls: (number | undefined)[] = [];
  broken = false;
  async get(key: string): Promise<Uint8Array | undefined> {
    this.check();
    return this.kept.get(key);
  }
  async put(key: string, bytes: Uint8Array, options?: { ttlMs?: number }): Promise<void> {
    this.check();
    this.kept.set(key, bytes);
    this.ttls.push(options?.ttlMs);
  }
  async delete(key: string): Promise<void> {
    this.kept.delete(key);
  }
  private check(): void {
    if (this.broken) throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: 'down' });
  }
}

function setUp(options: Partial<SpeakerOptions> = {}) {
  const log: string[] = [];
  const workers = new Workers(log);
  const blobs = new Blobs();
  const logger = createLogger('silent');
  const make = () =>
    new Speaker({ speech: workers, store: { blobs }, clipTtlMs: 5000, memoryBytes: 1e6, logger, ...options });
  const leg = (name: string) => ({
    leg: name,
    worker: 3,
    sampleRate: 8000,
    enqueue: (epoch: number, utterance: string) => void log.push(`enqueue ${name} ${epoch} ${utterance}`),
    clip: ({ utterance, pcm }: { utterance: string; pcm: Int16Array }) =>
      void log.push(`clip ${name} ${utterance} ${pcm.length}`),
    skip: (epoch: number, utterance: string) => void log.push(`skip ${name} ${epoch} ${utterance}`),
  });
  return { log, workers, blobs, speaker: make(), make, leg };
}

const say = (utterance: string, text: string, signal?: AbortSignal) => ({
  epoch: 1,
  utterance,
  text,
  settings,
  signal,
});

describe('Speaker', () => {
  it('has a new sentence synthesised straight to the leg, and keeps it', async () => {
    const { log, workers, blobs, speaker, leg } = setUp();
    const said = speaker.say(leg('a'), say('u1', 'It costs $5.'));
    expect(log).toEqual(['enqueue a 1 u1']);
    await workers.reach(1);
    workers.jobs[0]!.done();
    const clip = await said;
    expect(log).toEqual(['enqueue a 1 u1', 'direct a 3 u1']);
    expect(workers.jobs[0]!.request).toMatchObject({ spoken: 'It costs five dollars.', settings, sampleRate: 8000 });
    expect(clip.words).toEqual([
      { word: 'It', start: 0, end: 100 },
      { word: 'costs', start: 100, end: 200 },
      { word: '$5.', start: 200, end: 400 },
    ]);
    expect(clip.pcm.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(blobs.ttls).toEqual([5000]);

    const again = speaker.say(leg('b'), say('u2', 'It costs five dollars.'));
    expect(log.slice(2)).toEqual(['enqueue b 1 u2', 'clip b u2 400']);
    expect((await again).words.map(({ word }) => word)).toEqual(['It', 'costs', 'five', 'dollars.']);
    expect(speaker.stats()).toEqual({ hits: 1, misses: 1, bytes: 800 });
  });

  it('finds in the store what another process made, and makes again what is broken there', async () => {
    const { log, workers, blobs, speaker, make, leg } = setUp();
    const made = speaker.prepare('Hello there.', settings, 8000);
    await workers.reach(1);
    workers.jobs[0]!.done();
    const clip = await made;

    const found = await make().say(leg('a'), say('u1', 'Hello there.'));
    expect(found).toEqual(clip);
    expect(log).toEqual(['enqueue a 1 u1', 'clip a u1 200']);
    expect(workers.jobs).toHaveLength(1);

    const [key, bytes] = [...blobs.kept][0]!;
    blobs.kept.set(key, bytes.subarray(0, bytes.length - 1));
    const repaired = make().prepare('Hello there.', settings, 8000);
    await workers.reach(2);
    workers.jobs[1]!.done();
    expect(await repaired).toEqual(clip);
  });

  it('makes what several want at once one time, and goes on when the first leaves', async () => {
    const { log, workers, speaker, leg } = setUp();
    const leaving = new AbortController();
    const first = speaker.say(leg('a'), say('u1', 'One moment.', leaving.signal));
    const second = speaker.say(leg('b'), say('u2', 'One moment.'));
    const third = speaker.prepare('One moment.', settings, 8000);
    await workers.reach(1);
    leaving.abort(new Error('interrupted'));
    await expect(first).rejects.toThrow('interrupted');
    expect(workers.jobs[0]!.signal?.aborted).toBe(false);
    workers.jobs[0]!.done();
    expect(await second).toEqual(await third);
    expect(workers.jobs).toHaveLength(1);
    expect(log).toEqual(['enqueue a 1 u1', 'enqueue b 1 u2', 'skip a 1 u1', 'direct a 3 u1', 'clip b u2 200']);
  });

  it('stops the work when nobody waits for it, and begins anew for the next', async () => {
    const { log, workers, speaker, leg } = setUp();
    const leaving = new AbortController();
    const first = speaker.say(leg('a'), say('u1', 'One moment.', leaving.signal));
    await workers.reach(1);
    leaving.abort(new Error('interrupted'));
    await expect(first).rejects.toThrow('interrupted');
    expect(workers.jobs[0]!.signal?.aborted).toBe(true);
    await expect(speaker.say(leg('a'), say('u2', 'No.', leaving.signal))).rejects.toThrow('interrupted');
    const second = speaker.say(leg('a'), say('u3', 'One moment.'));
    await workers.reach(2);
    workers.jobs[1]!.done();
    await second;
    expect(log).toEqual(['enqueue a 1 u1', 'skip a 1 u1', 'enqueue a 1 u3', 'direct a 3 u3']);
  });

  it('leaves the place of a sentence that fails, and tries again the next time', async () => {
    const { log, workers, speaker, leg } = setUp();
    const failing = speaker.say(leg('a'), say('u1', 'Hello.'));
    await workers.reach(1);
    workers.jobs[0]!.fail(new ParleyError('PARLEY_ERR_SYNTHESIS_FAILED', { engine: 'flite', reason: 'trap' }));
    await expect(failing).rejects.toMatchObject({ code: 'PARLEY_ERR_SYNTHESIS_FAILED' });
    expect(log).toEqual(['enqueue a 1 u1', 'skip a 1 u1']);
    const retried = speaker.say(leg('a'), say('u2', 'Hello.'));
    await workers.reach(2);
    workers.jobs[1]!.done();
    await retried;
  });

  it('speaks on while the store is down, or silent', async () => {
    const { workers, blobs, speaker, leg, make } = setUp();
    blobs.broken = true;
    const said = speaker.say(leg('a'), say('u1', 'Hello.'));
    await workers.reach(1);
    workers.jobs[0]!.done();
    await said;
    expect(blobs.kept.size).toBe(0);

    blobs.get = () => new Promise(() => undefined);
    const waited = make().prepare('Hello.', settings, 8000);
    await workers.reach(2);
    workers.jobs[1]!.done();
    await waited;
  });

  it('keeps apart what sounds different, and forgets what was used least recently', async () => {
    const { workers, speaker } = setUp({ memoryBytes: 500 });
    const lexicon = new Lexicon([{ word: 'hello', say: 'hallo' }]);
    const variants = [
      () => speaker.prepare('Hello.', settings, 8000),
      () => speaker.prepare('Hello.', { ...settings, voice: 'slt' }, 8000),
      () => speaker.prepare('Hello.', { ...settings, speed: 1.2 }, 8000),
      () => speaker.prepare('Hello.', settings, 16_000),
      () => speaker.prepare('Hello.', settings, 8000, lexicon),
    ];
    for (const [index, prepare] of variants.entries()) {
      const clip = prepare();
      await workers.reach(index + 1);
      workers.jobs[index]!.done();
      await clip;
    }
    // A pitch that the voice can't take, and the gender of a voice that is named, change nothing.
    await speaker.prepare('Hello.', { ...settings, pitch: 200, gender: 'male' }, 16_000);
    expect(workers.jobs).toHaveLength(5);
    expect(speaker.stats().bytes).toBeLessThanOrEqual(500);
  });
});

describe('a stored clip', () => {
  const clip = {
    pcm: Int16Array.from([0, -32768, 32767, 5]),
    sampleRate: 8000,
    words: [{ word: 'naïve', start: 0, end: 4 }],
  };

  it('comes back as it was', () => {
    for (const kept of [clip, { ...clip, words: undefined }, { ...clip, pcm: new Int16Array(0) }]) {
      const back = decodeClip(encodeClip(kept), 8000);
      expect(back?.words).toEqual(kept.words);
      expect([...(back?.pcm ?? [])]).toEqual([...kept.pcm]);
    }
  });

  it('is nothing when damaged, in whatever way', () => {
    const whole = encodeClip(clip);
    expect(decodeClip(whole, 16_000)).toBeUndefined();
    for (let length = 0; length < whole.length; length++) {
      expect(decodeClip(whole.subarray(0, length), 8000)).toBeUndefined();
    }
    for (let at = 0; at < 60; at++) {
      const damaged = Uint8Array.from(whole);
      damaged[at] = 0xff;
      const decoded = decodeClip(damaged, 8000);
      if (decoded) expect(decoded.pcm).toHaveLength(4);
    }
  });
});
