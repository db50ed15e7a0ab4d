import { afterEach, describe, expect, it } from 'vitest';
import { SpeechHost, type SynthesisRequest } from './speech-host.js';
import type { StreamEvent } from './speech-stream.js';

const FAKE = new URL('../../../test/kit/fake-speech-worker.mjs', import.meta.url);
const BROKEN = new URL('data:text/javascript,throw new Error("no such model")');
const hosts: SpeechHost[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

async function start(workers = 2, jobTimeoutMs = 400, connected: number[] = []): Promise<SpeechHost> {
  const connectMedia = (speech: number) => void connected.push(speech);
  const host = await SpeechHost.start({ workers, logLevel: 'silent', jobTimeoutMs, connectMedia, entry: FAKE });
  hosts.push(host);
  return host;
}

const say = (spoken: string): SynthesisRequest => ({
  spoken,
  settings: { engine: 'flite', speed: 1 },
  sampleRate: 8000,
});

/** A leg whose stream's events can be waited for. */
function leg() {
  const events: StreamEvent[] = [];
  const listening: number[] = [];
  let wake = () => {};
  const media = {
    leg: 'leg',
    ring: new SharedArrayBuffer(8 + 160),
    sampleRate: 8000,
    listen: (speech: number) => void listening.push(speech),
  };
  return {
    media,
    events,
    listening,
    listener: (event: StreamEvent) => {
      events.push(event);
      wake();
    },
    async until(found: (event: StreamEvent) => boolean): Promise<StreamEvent> {
      for (;;) {
        const event = events.find(found);
        if (event) return event;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

describe('SpeechHost', () => {
  it('gives work to the worker with the least of it, and tells which failed', async () => {
    const host = await start();
    const stop = new AbortController();
    const waiting = host.synthesise(say('wait'), stop.signal);
    expect([...(await host.synthesise(say('hello'))).pcm]).toEqual([1]);
    await expect(host.synthesise(say('fail'))).rejects.toMatchObject({
      code: 'PARLEY_ERR_SYNTHESIS_FAILED',
      details: { reason: 'out of breath' },
    });
    stop.abort(new Error('not needed'));
    await expect(waiting).rejects.toThrow('not needed');
  });

  it.each(['die', 'hang', 'stall'])(
    'runs a job again elsewhere when its worker does not survive it: %s',
    async (fate) => {
      const connected: number[] = [];
      const host = await start(2, 400, connected);
      expect([...(await host.synthesise(say(`${fate} on 0`))).pcm]).toEqual([1]);
      expect(host.stats().restarts).toBe(1);
      // The replacement takes work again: one worker is kept busy.
      const stop = new AbortController();
      const busy = host.synthesise(say('wait on 1'), stop.signal);
      while (host.stats().workers < 2) await new Promise(setImmediate);
      expect(connected).toEqual([0, 1, 0]);
      stop.abort();
      await expect(busy).rejects.toThrow();
    },
  );

  it('has others do the work of a worker that does not answer, and takes it back when it does', async () => {
    const host = await start(2, 8000);
    const { media, events, listener } = leg();
    // Blocks the thread for 4 s: no hang yet, and too long for a caller.
    const slow = host.synthesise(say('block 4000 on 0'));
    host.openStream(media, listener);
    expect([...(await slow).pcm]).toEqual([1]);
    expect(host.stats().restarts).toBe(0);
    expect(events.some(({ type }) => type === 'moved')).toBe(true);
    for (let worker = -1; worker !== 0; ) [worker = -1] = (await host.synthesise(say('hello'))).pcm;
    expect(host.stats().restarts).toBe(0);
  }, 15_000);

  it('gives up a job that no worker survives', async () => {
    const host = await start();
    await expect(host.synthesise(say('die'))).rejects.toMatchObject({ code: 'PARLEY_ERR_SPEECH_WORKER', sip: 503 });
    expect([...(await host.synthesise(say('hello on 9'))).pcm]).toHaveLength(1);
  });

  it('moves a stream to another worker from its last commit on, and asks again for its final', async () => {
    const host = await start();
    const { media, events, listening, listener, until } = leg();
    const stream = host.openStream(media, listener);
    expect(() => host.openStream(media, listener)).toThrow('already');
    stream.finalise(100);
    await until((event) => event.type === 'final' && event.position === 100);
    stream.commit(50);
    // Goes to the worker without a stream; the next job then to the one with it.
    const stop = new AbortController();
    const busy = host.synthesise(say('wait'), stop.signal).catch(() => undefined);
    await expect(host.synthesise(say('die on 0'))).resolves.toBeDefined();
    stop.abort();
    await busy;
    await until((event) => event.type === 'partial' && event.text === 'worker 1 from 50 resumed');
    stream.finalise(200);
    await until((event) => event.type === 'final' && event.text === 'final of worker 1');
    expect(listening).toEqual([0, 1]);
    // The worker that took over found the final of position 100 again: it was answered before.
    expect(events.flatMap((event) => (event.type === 'final' ? [event.position] : []))).toEqual([100, 200]);
    stream.close();
  });

  it('says what is missing when it cannot start', async () => {
    const options = {
      workers: 1,
      logLevel: 'silent',
      jobTimeoutMs: 1500,
      connectMedia: () => {},
      entry: BROKEN,
    } as const;
    await expect(SpeechHost.start(options)).rejects.toMatchObject({ code: 'PARLEY_ERR_SPEECH_WORKER' });
  });

  it('rejects work under way when it is closed', async () => {
    const host = await start(1);
    const waiting = host.synthesise(say('wait'));
    const closed = host.close();
    await expect(waiting).rejects.toMatchObject({ code: 'PARLEY_ERR_SPEECH_WORKER' });
    await closed;
  });
});
