import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPENING_HOURS } from './kit/examples.js';
import { Phone } from './kit/phone.js';
import { Server } from './kit/server.js';
import { speak } from './kit/speech.js';
import { until } from './kit/until.js';

/** A line that gives the agent's own voice back, with echo control: it interrupts nobody, and who speaks over it is heard. */
describe('echo', () => {
  let server: Server;

  beforeAll(async () => {
    server = await Server.start({ env: { PARLEY_LISTENING_ECHO: 'on' } });
  });

  afterEach(async () => {
    await server.waitForIdle();
    expect(server.noise).toEqual([]);
  });

  afterAll(() => server?.stop());

  it('is not taken for the caller, and the caller is heard over it', async () => {
    const phone = await Phone.dial(server);
    // -12 dB, as late as a mobile network and a loudspeaker make it.
    phone.rtp.echo = { delayMs: 250, gain: 0.25 };
    const { callId: sipCallId } = phone;
    const turns = (kind: string) =>
      server.journal(sipCallId).flatMap((event) => (event.type === 'agent.turn' && event.kind === kind ? [event] : []));
    try {
      await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
      await phone.rtp.play(await speak(OPENING_HOURS.question));
      await until('the answer', () => turns('reply').length > 0, { ms: 30_000 });
      expect([...turns('greeting'), ...turns('reply')].map(({ interrupted }) => interrupted)).toEqual([false, false]);
      const since = performance.now();
      await phone.rtp.play(await speak('What is your return policy?'));
      await until(
        'the agent speaks',
        () => server.journal(sipCallId).filter(({ type }) => type === 'agent.started').length > 2,
      );
      await phone.rtp.spoken(since, 0);
      await phone.rtp.play(await speak('Stop. Please stop.'));
      await server.event('interruption', { sipCallId, ms: 8000 });
      await phone.hangUp();
    } finally {
      await phone.close();
    }
  });
});
