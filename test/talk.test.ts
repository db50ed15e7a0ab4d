import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../src/journal/events.js';
import { Baresip } from './kit/baresip.js';
import { OPENING_HOURS } from './kit/examples.js';
import { assertComplete, Server } from './kit/server.js';
import { runSipp } from './kit/sipp.js';
import { overlap, speak, transcribe } from './kit/speech.js';
import { Tap } from './kit/tap.js';
import { join, type Sound, silence } from './kit/wav.js';

describe('a caller asks and is answered', () => {
  let server: Server;
  let greetingMs = 0;

  beforeAll(async () => {
    server = await Server.start();
  });

  afterAll(() => server?.stop());

  it('by baresip: the answer it records answers its question', async () => {
    const phone = await Baresip.start();
    try {
      await phone.dial(`sip:8001@127.0.0.1:${server.sip.port}`);
      const greeting = await server.event('agent.turn', { where: ({ kind }) => kind === 'greeting' });
      greetingMs = greeting.at - (await server.event('call.answered')).at;
      await phone.say(await speak(OPENING_HOURS.question));
      await server.event('agent.turn', { where: ({ kind }) => kind === 'reply', ms: 30_000 });
      await phone.hangUp();
      await server.event('call.ended');
      await expectAnswer(server.journal(), phone.sound());
    } finally {
      await phone.stop();
    }
    await server.waitForIdle();
  });

  it('by sipp with RTP: what went over the wire to it answers its question', async () => {
    const before = new Set(server.journals().keys());
    const tap = await Tap.open(server.sip);
    try {
      // sipp can't listen: it stays silent for as long as the greeting took, and a second more.
      const line = await speak(OPENING_HOURS.question);
      const says = join(silence(greetingMs / 1000 + 1), line);
      const stayMs = (says.pcm.length / 8000) * 1000 + 9000;
      const result = await runSipp({ scenario: 'caller', target: tap.target, says, stayMs });
      expect(result).toMatchObject({ code: 0, succeeded: 1, failed: 0 });
      const id = [...server.journals().keys()].find((call) => !before.has(call)) ?? '';
      await expectAnswer(server.journals().get(id) ?? [], tap.sound());
    } finally {
      tap.close();
    }
    await server.waitForIdle();
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
