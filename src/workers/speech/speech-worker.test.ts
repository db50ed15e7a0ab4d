import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AudioRing } from '../../audio/ring.js';
import { buildVocabulary, type Vocabulary } from '../../speech/recognition/vocabulary.js';
import type { MediaToSpeech, SpeechToMedia } from '../messages.js';
import { SpeechHost } from './speech-host.js';
import type { StreamEvent } from './speech-stream.js';

/* The real engines in their thread: Flite speaks, Moonshine listens. The media side is played by the test. */

const RATE = 8000;
const SETTINGS = { engine: 'flite', voice: 'rms', speed: 1 };
const seconds = (s: number) => Math.round(s * RATE);
let host: SpeechHost;
let media: MessagePort;

beforeAll(async () => {
  host = await SpeechHost.start({
    workers: 1,
    logLevel: 'silent',
    jobTimeoutMs: 10_000,
    connectMedia: (_, attach) => {
      const { port1, port2 } = new MessageChannel();
      media = port1;
      attach(0, port2);
    },
  });
});
afterAll(async () => {
  await host.close();
  media.close();
});

const synthesise = async (spoken: string) =>
  (await host.synthesise({ spoken, settings: SETTINGS, sampleRate: RATE })).pcm;

function sound(length: number, wave: (t: number) => number): Int16Array {
  return Int16Array.from({ length: seconds(length) }, (_, i) => Math.round(20_000 * wave(i / RATE)));
}

/** What is heard of a sound after half a second of silence, when media marks all of it as voice. */
async function hear(...sounds: Int16Array[]): Promise<StreamEvent[]> {
  return hearWith(undefined, ...sounds);
}

async function hearWith(vocabulary: Vocabulary | undefined, ...sounds: Int16Array[]): Promise<StreamEvent[]> {
  const ring = AudioRing.allocate(seconds(16));
  const events: StreamEvent[] = [];
  let done = () => {};
  const finals = new Promise<void>((resolve) => {
    done = resolve;
  });
  const heard = (event: StreamEvent) => {
    events.push(event);
    if (events.filter(({ type }) => type === 'final').length === sounds.length) done();
  };
  const stream = host.openStream(
    { leg: 'leg', ring: ring.shared, sampleRate: RATE, listen: () => {} },
    heard,
    vocabulary,
  );
  const mark = (type: 'onset' | 'offset') => {
    const message: MediaToSpeech = { type, leg: 'leg', position: ring.end, at: 0 };
    media.postMessage(message);
  };
  for (const pcm of sounds) {
    ring.write(new Int16Array(seconds(0.5)));
    mark('onset');
    ring.write(pcm);
    mark('offset');
  }
  await finals;
  stream.close();
  return events;
}

const words = (text: string) => text.toLowerCase().replace(/[^a-z ]/g, '');

describe('speech worker', () => {
  it('recognises what was said, and goes on with it after a pause', async () => {
    const events = await hear(await synthesise('what are your opening hours'), await synthesise('on a sunday'));
    const texts = events.map((event) => ('text' in event ? words(event.text) : event.type));
    expect(texts).toEqual([
      'what are your opening hours',
      expect.stringMatching(/^what are your opening hours on a sunday$/),
    ]);
  });

  it('hears what its agent can expect to hear', async () => {
    const pcm = await synthesise('replace the windshield');
    const texts = (events: StreamEvent[]) => events.map((event) => ('text' in event ? words(event.text) : event.type));
    expect(texts(await hear(pcm))).not.toEqual(['replace the windshield']);
    const vocabulary = buildVocabulary(['change my tires', 'replace the windshield']);
    expect(texts(await hearWith(vocabulary, pcm))).toEqual(['replace the windshield']);
  });

  it('hears no words in silence, tones and noise', async () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 16807) % 2147483647;
      return seed / 1073741823.5 - 1;
    };
    const ringback = (t: number) => Math.sin(2 * Math.PI * 440 * t) + Math.sin(2 * Math.PI * 480 * t);
    const sounds = [
      new Int16Array(seconds(2)),
      sound(2, (t) => 0.4 * ringback(t)),
      sound(0.2, (t) => Math.sin(2 * Math.PI * 1000 * t)),
      sound(2, () => 0.3 * random()),
      sound(0.1, random),
    ];
    for (const pcm of sounds) {
      expect(await hear(pcm)).toMatchObject([{ type: 'final', text: '' }]);
    }
  });

  it('transcribes a recording with long pauses', async () => {
    const parts = [await synthesise('i would like a refund please'), await synthesise('what are your opening hours')];
    const pcm = new Int16Array(seconds(30));
    pcm.set(parts[0]!, seconds(1));
    pcm.set(parts[1]!, seconds(19));
    expect(words(await host.transcribe(pcm, RATE))).toBe('i would like a refund please what are your opening hours');
  });

  it('sends a clip straight to media', async () => {
    const clip = new Promise<SpeechToMedia>((resolve) => media.once('message', resolve));
    const play = { leg: 'leg', epoch: 3, utterance: 'u1', media: 0 };
    const made = await host.synthesise({ spoken: 'hello there', settings: SETTINGS, sampleRate: RATE, play });
    expect(await clip).toMatchObject({ type: 'clip', leg: 'leg', epoch: 3, utterance: 'u1', sampleRate: RATE });
    expect(await clip).toMatchObject({ pcm: made.pcm });
    expect(made.pcm.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(made.words?.map(({ word }) => word)).toEqual(['hello', 'there']);
    expect(made.words?.at(-1)?.end).toBeLessThanOrEqual(made.pcm.length);
  });
});
