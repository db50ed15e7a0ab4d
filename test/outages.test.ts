import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPENING_HOURS } from './kit/examples.js';
import { Phone } from './kit/phone.js';
import { toSound } from './kit/rtp-peer.js';
import { Server } from './kit/server.js';
import { speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

describe('parts of the server fail while a caller talks', () => {
  let server: Server;
  let phone: Phone;

  beforeAll(async () => {
    server = await Server.start({ faults: true });
    phone = await Phone.dial(server);
    await phone.greeted();
  });

  afterAll(async () => {
    await phone?.close();
    await server?.stop();
  });

  /** What was heard since then of the stream that plays now, once the agent has fallen quiet. */
  async function heardSince(at: number): Promise<string> {
    await phone.rtp.spoken(at);
    const last = phone.rtp.heard.at(-1)?.ssrc;
    return transcribe(toSound(phone.rtp.heard.filter((packet) => packet.at > at && packet.ssrc === last)));
  }

  /** Asks, and waits for the beginning of the answer. */
  async function beginOfAnswer(): Promise<void> {
    await phone.rtp.play(await speak(OPENING_HOURS.question));
    const said = performance.now();
    await until('the answer on the wire', () => phone.rtp.speaks(said), { everyMs: 10 });
  }

  it.each(['exit', 'hang'] as const)(
    'a media worker (%s): the sentence is heard again, and the talk goes on',
    async (how) => {
      await beginOfAnswer();
      const before = server.journal().filter(({ type }) => type === 'media.restored').length;
      const offers = reinvites();
      const lost = performance.now();
      server.fault('media-0', how);
      await until(
        'another worker',
        () => server.journal().filter(({ type }) => type === 'media.restored').length > before,
      );
      expect(await heardSince(lost)).toMatch(OPENING_HOURS.answer);
      expect(reinvites()).toBe(offers + 1);
      expect(await transcribe(await phone.ask(OPENING_HOURS.question)), 'afterwards').toMatch(OPENING_HOURS.answer);
    },
  );

  function reinvites(): number {
    return phone.peer.received.filter(({ method }) => method === 'INVITE').length;
  }
});
