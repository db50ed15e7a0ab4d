import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { opusLibrary } from '../src/audio/opus.js';
import { resample } from '../src/audio/resample.js';
import type { StoredEvent } from '../src/journal/events.js';
import { Baresip } from './kit/baresip.js';
import { OPENING_HOURS } from './kit/examples.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { assertComplete, Server } from './kit/server.js';
import { runSipp } from './kit/sipp.js';
import { overlap, speak, speakWide, transcribe } from './kit/speech.js';
import { Tap } from './kit/tap.js';
import { until } from './kit/until.js';
import { join, type Sound, silence } from './kit/wav.js';

/** Of other makes; that of interop.test.ts speaks PCMU. */
describe.concurrent('a caller asks and is answered', () => {
  let server: Server;

  fixture(async () => {
    server = await Server.start();
    return server;
  });

  const codecs = (['G722', 'opus'] as const).filter((name) => name === 'G722' || opusLibrary.problem === undefined);

  it.each(codecs)('by baresip with %s, which sounds brighter than a telephone', async (codec) => {
    await using phone = await Baresip.start(codec);
    await phone.dial(`sip:8001@127.0.0.1:${server.sip.port}`);
    const sipCallId = await server.callOf(phone.name);
    expect((await server.event('call.answered', { sipCallId })).codec).toBe(codec);
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
    await phone.say(await speakWide(OPENING_HOURS.question));
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'reply', ms: 30_000 });
    await phone.hangUp();
    await server.event('call.ended', { sipCallId });
    const recorded = phone.sound();
    await expectAnswer(server.journal(sipCallId), recorded);
    expect(trebleShare(recorded)).toBeGreaterThan(0.001);
  });

  it('by sipp with RTP: what went over the wire to it answers its question', async () => {
    using tap = await Tap.open(server.sip);
    // sipp can't listen: it stays silent for as long as the greeting takes, and a second more.
    await using before = await Phone.dial(server);
    const { callId: sipCallId } = before;
    const greeting = await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
    const greetingMs = greeting.at - (await server.event('call.answered', { sipCallId })).at;
    await before.hangUp();
    const says = join(silence(greetingMs / 1000 + 1), await speak(OPENING_HOURS.question));
    const stayMs = (says.pcm.length / 8000) * 1000 + 9000;
    const callId = `talk-${randomBytes(3).toString('hex')}@sipp`;
    const result = await runSipp({ scenario: 'caller', target: tap.target, callId, says, stayMs });
    expect(result).toMatchObject({ code: 0, succeeded: 1, failed: 0 });
    await server.event('call.ended', { sipCallId: callId });
    await expectAnswer(server.journal(callId), tap.sound());
  });

  it('once, when they go on as the answer begins: both parts are one turn', async () => {
    await using phone = await Phone.dial(server);
    const { callId: sipCallId } = phone;
    await phone.greeted();
    const more = await speak('on Saturday.');
    await phone.rtp.play(await speak(OPENING_HOURS.question));
    const asked = performance.now();
    await until('the answer begins', () => phone.rtp.speaks(asked), { ms: 15_000, everyMs: 5 });
    await phone.rtp.play(more);
    await server.event('agent.turn', { sipCallId, where: ({ latency }) => latency !== undefined, ms: 30_000 });
    await phone.hangUp();
    await server.event('call.ended', { sipCallId });
    const journal = server.journal(sipCallId);
    assertComplete(journal);
    const turns = journal.flatMap((event) => (event.type === 'caller.turn' ? [event.text] : []));
    expect(turns).toEqual([expect.stringMatching(/hours.*saturday/i)]);
    const replies = journal.flatMap((event) => (event.type === 'agent.turn' && event.kind === 'reply' ? [event] : []));
    expect(replies).toMatchObject([
      { turn: 1, interrupted: true },
      { turn: 1, interrupted: false },
    ]);
    expect(journal.some((event) => event.type === 'turn.decision' && event.decision === 'rejoined')).toBe(true);
  });
});

/** The journal is whole and the recording holds both what the journal says was heard, and an answer. */
async function expectAnswer(journal: readonly StoredEvent[], recorded: Sound): Promise<void> {
  assertComplete(journal);
  const heard = journal.flatMap((event) => (event.type === 'agent.turn' ? [event.heard] : [])).join(' ');
  const said = journal.flatMap((event) => (event.type === 'caller.turn' ? [event.text] : [])).join(' ');
  const words = await transcribe(recorded);
  expect(overlap(OPENING_HOURS.question, said), `recognised: ${said}`).toBeGreaterThan(0.7);
  expect(words).toMatch(OPENING_HOURS.answer);
  expect(overlap(heard, words), `said: ${heard}\nrecorded: ${words}`).toBeGreaterThan(0.6);
}

/** Share of the power that lies above 4.5 kHz: none of it comes through a telephone line. */
function trebleShare({ pcm, sampleRate }: Sound): number {
  const wide = resample(pcm, sampleRate, 16_000);
  const bass = resample(resample(wide, 16_000, 10_000), 10_000, 16_000);
  const power = (of: Int16Array) => of.reduce((sum, sample) => sum + sample * sample, 0);
  return power(wide.map((sample, n) => sample - bass[n]!)) / power(wide);
}
