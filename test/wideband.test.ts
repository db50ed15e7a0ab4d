import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { opusLibrary } from '../src/audio/opus.js';
import { resample } from '../src/audio/resample.js';
import { Baresip } from './kit/baresip.js';
import { OPENING_HOURS } from './kit/examples.js';
import { assertComplete, Server } from './kit/server.js';
import { overlap, speakWide, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';
import type { Sound } from './kit/wav.js';

describe('a wideband call', () => {
  let server: Server;

  beforeAll(async () => {
    server = await Server.start();
  });

  afterAll(() => server?.stop());

  const codecs = (['G722', 'opus'] as const).filter((name) => name === 'G722' || opusLibrary.problem === undefined);

  it.each(codecs)('by baresip with %s is understood, answered, and sounds brighter than a telephone', async (codec) => {
    const before = new Set(server.journals().keys());
    const phone = await Baresip.start(codec);
    try {
      await phone.dial(`sip:8001@127.0.0.1:${server.sip.port}`);
      const sipCallId = await until('journal of the call', () => newCall(server, before));
      expect((await server.event('call.answered', { sipCallId })).codec).toBe(codec);
      await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
      await phone.say(await speakWide(OPENING_HOURS.question));
      await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'reply', ms: 30_000 });
      await phone.hangUp();
      await server.event('call.ended', { sipCallId });
      const journal = server.journal(sipCallId);
      assertComplete(journal);
      const said = journal.flatMap((event) => (event.type === 'caller.turn' ? [event.text] : [])).join(' ');
      expect(overlap(OPENING_HOURS.question, said), `recognised: ${said}`).toBeGreaterThan(0.7);
      const recorded = phone.sound();
      expect(await transcribe(recorded)).toMatch(OPENING_HOURS.answer);
      expect(trebleShare(recorded)).toBeGreaterThan(0.001);
    } finally {
      await phone.stop();
    }
    await server.waitForIdle();
  });
});

/** Call-ID of the call that was not there before. */
function newCall(server: Server, before: ReadonlySet<string>): string | undefined {
  const [, journal = []] = [...server.journals()].find(([call]) => !before.has(call)) ?? [];
  return journal.flatMap((event) => (event.type === 'call.received' ? [event.sipCallId] : []))[0];
}

/** Share of the power that lies above 4.5 kHz: none of it comes through a telephone line. */
function trebleShare({ pcm, sampleRate }: Sound): number {
  const wide = resample(pcm, sampleRate, 16_000);
  const bass = resample(resample(wide, 16_000, 10_000), 10_000, 16_000);
  const power = (of: Int16Array) => of.reduce((sum, sample) => sum + sample * sample, 0);
  return power(wide.map((sample, n) => sample - bass[n]!)) / power(wide);
}
