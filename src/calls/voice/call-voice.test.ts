import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VoiceEvent } from '../../conversation/voice.js';
import { buildVocabulary } from '../../speech/recognition/vocabulary.js';
import { createLogger } from '../../telemetry/log.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { Reflex } from '../../workers/messages.js';
import type { Speaker } from '../../workers/speaker.js';
import type { SpeechHost } from '../../workers/speech/speech-host.js';
import { CallVoice } from './call-voice.js';

const TEXT = 'We are open from nine';
/** 1000 samples a word. */
const CLIP = {
  pcm: new Int16Array(5000),
  sampleRate: 8000,
  words: TEXT.split(' ').map((word, n) => ({ word, start: 1000 * n, end: 1000 * n + 1000 })),
};

/** A voice that is saying {@link TEXT}; `done` is what its leg was told. */
async function speaking(reflex?: Reflex, firm = false) {
  const done: unknown[][] = [];
  const told =
    (name: string) =>
    (...values: unknown[]) =>
      void done.push([name, ...values]);
  const obeys = Object.fromEntries(['hold', 'resume', 'gain', 'stop', 'reflex'].map((name) => [name, told(name)]));
  const leg = { leg: 'a', ...obeys };
  const stream = { agentSays: () => undefined, close: () => undefined };
  const voice = new CallVoice({
    leg: leg as unknown as MediaLeg,
    speech: { openStream: () => stream } as unknown as SpeechHost,
    speaker: { say: async () => CLIP } as unknown as Speaker,
    settings: { engine: 'flite', voice: 'slt', speed: 1 },
    lexicon: undefined,
    stopWords: [],
    vocabulary: buildVocabulary([]),
    byWords: true,
    reflex,
    logger: createLogger('silent', 'test'),
  });
  const events: VoiceEvent['type'][] = [];
  voice.listen(({ type }) => events.push(type));
  voice.say({ id: 'u', text: TEXT, firm });
  await Promise.resolve();
  await Promise.resolve();
  voice.fromMedia({ type: 'utterance.started', leg: 'a', epoch: 1, utterance: 'u', at: 0 });
  return {
    voice,
    done,
    held: (sample: number) => voice.fromMedia({ type: 'held', leg: 'a', epoch: 1, utterance: 'u', sample }),
  };
}

describe('what the agent says', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('pauses when it is spoken over, and goes on with the word that was cut', async () => {
    const { voice, done, held } = await speaking();
    voice.yield('pause', 0);
    held(2700);
    voice.goOn();
    expect(done).toEqual([['hold'], ['gain', 1], ['resume', 2000]]);
    // It was decided: nothing comes of it later.
    await vi.advanceTimersByTimeAsync(5000);
    expect(done).toHaveLength(3);
    voice.close();
  });

  it('goes on by itself when nobody decides about the stop word that paused it', async () => {
    const { voice, done, held } = await speaking();
    held(4100);
    await vi.advanceTimersByTimeAsync(1900);
    expect(done).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(done).toEqual([
      ['gain', 1],
      ['resume', 4000],
    ]);
    voice.close();
  });

  it('leaves a pause by itself to whoever decides about it', async () => {
    const { voice, done, held } = await speaking();
    held(2700);
    voice.yield('pause', 0);
    await vi.advanceTimersByTimeAsync(5000);
    expect(done).toEqual([['hold']]);
    voice.goOn();
    expect(done.slice(1)).toEqual([
      ['gain', 1],
      ['resume', 2000],
    ]);
    voice.close();
  });

  it('arms the reflex for what may be interrupted, and not on hold', async () => {
    const reflex = { how: 'duck', level: 0.3 } as const;
    const { voice, done } = await speaking(reflex);
    expect(done).toEqual([['reflex', reflex]]);
    voice.hold(true);
    expect(done.at(-1)).toEqual(['reflex', undefined]);
    voice.hold(false);
    expect(done.filter(([name]) => name === 'reflex').at(-1)).toEqual(['reflex', reflex]);
    voice.close();
    const firm = await speaking(reflex, true);
    expect(firm.done).toEqual([['reflex', undefined]]);
    firm.voice.close();
  });

  it('stays paused on hold, also where the reflex would have ended, and is only lowered where that is the way', async () => {
    const { voice, done, held } = await speaking();
    voice.yield('duck', 0.3);
    expect(done).toEqual([['gain', 0.3]]);
    held(1500);
    voice.hold(true);
    await vi.advanceTimersByTimeAsync(3000);
    expect(done.filter(([name]) => name === 'resume')).toEqual([]);
    voice.hold(false);
    expect(done.at(-1)).toEqual(['resume', 1000]);
    voice.close();
  });
});
