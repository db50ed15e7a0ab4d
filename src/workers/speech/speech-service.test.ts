import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { AudioRing } from '../../audio/ring.js';
import type { SpeechSegment } from '../../speech/detection/segments.js';
import { createLogger } from '../../telemetry/log.js';
import type { FromSpeech, MediaToSpeech } from '../messages.js';
import { SpeechService } from './speech-service.js';

const RATE = 8000;
let service: SpeechService;

afterEach(() => service.close());

/** A service on engines that find speech where they are told to and give its length in tenths of a second as words. */
function start(found: SpeechSegment[]) {
  const events: FromSpeech[] = [];
  let wake = () => {};
  const engines = {
    recogniser: {
      capabilities: { sampleRate: RATE, maxSeconds: 12, drafts: true },
      recognise: async (pcm: Float32Array) => ({
        text: `${Math.round((pcm.length * 10) / RATE)}`,
        tokens: [],
        logProbability: 0,
      }),
      close: async () => {},
    },
    turns: { finished: async () => 0.5, real: async () => 0.5 },
    topics: { embed: async (texts: readonly string[]) => texts.map((text) => new Float32Array([text.length])) },
    speech: async () => found,
    synthesiser: () => Promise.reject(new Error('no voice')),
    close: async () => {},
  };
  service = new SpeechService(engines, createLogger('silent'), (event) => {
    events.push(event);
    wake();
  });
  const until = async (enough: (events: FromSpeech[]) => boolean) => {
    while (!enough(events)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return events;
  };
  return { events, until };
}

const open = (ring: AudioRing, resumed: boolean) =>
  service.handle({ type: 'stream.open', leg: 'a', ring: ring.shared, sampleRate: RATE, from: 0, resumed });
const finals = (events: FromSpeech[]) => events.flatMap((event) => (event.type === 'final' ? [event] : []));

describe('SpeechService', () => {
  it('finds the marks of a stream that it takes over, before those that come meanwhile', async () => {
    const { until } = start([
      { start: 1 * RATE, end: 2 * RATE },
      { start: 3 * RATE, end: undefined },
    ]);
    const { port1, port2 } = new MessageChannel();
    service.handle({ type: 'media.port', media: 0, port: port2 });
    const ring = AudioRing.allocate(16 * RATE);
    ring.write(new Int16Array(5 * RATE));
    const mark: MediaToSpeech = { type: 'offset', leg: 'a', position: 4 * RATE, at: 0 };
    port1.postMessage(mark);
    open(ring, true);
    const events = await until((all) => finals(all).length === 2);
    expect(finals(events).map(({ from, position }) => [from / RATE, position / RATE])).toEqual([
      [0.75, 2],
      [0.75, 4],
    ]);
    port1.close();
  });

  it('puts finals between the steps of a long recording', async () => {
    const { until } = start([
      { start: 0, end: RATE },
      { start: 5 * RATE, end: 6 * RATE },
      { start: 10 * RATE, end: 11 * RATE },
    ]);
    const ring = AudioRing.allocate(16 * RATE);
    ring.write(new Int16Array(RATE));
    open(ring, false);
    service.handle({ type: 'transcribe', job: 't', pcm: new Int16Array(15 * RATE), sampleRate: RATE });
    await new Promise(setImmediate);
    service.handle({ type: 'stream.finalise', leg: 'a', position: RATE });
    const events = await until((all) => all.some(({ type }) => type === 'transcribed'));
    expect(events.map(({ type }) => type)).toEqual(['final', 'transcribed']);
    expect(events.at(-1)).toMatchObject({ text: '12 15 15' });
  });

  it('drops a cancelled job, and tells of one that fails', async () => {
    const { events, until } = start([]);
    service.handle({ type: 'transcribe', job: 'dropped', pcm: new Int16Array(RATE), sampleRate: RATE });
    service.handle({ type: 'cancel', job: 'dropped' });
    const settings = { engine: 'none', speed: 1 };
    service.handle({ type: 'synthesise', job: 'broken', spoken: 'hello', settings, sampleRate: RATE });
    await until((all) => all.some(({ type }) => type === 'failed'));
    expect(events).toMatchObject([{ type: 'failed', job: 'broken', reason: 'no voice' }]);
  });
});
