import { describe, expect, it } from 'vitest';
import { OPENING_HOURS } from './kit/examples.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { Server } from './kit/server.js';
import { speak } from './kit/speech.js';
import { until } from './kit/until.js';

/** Lines that give the agent's own voice back: as near and loud as a bad trunk, as late as a loudspeaker on a mobile network. */
const LINES = [
  { delayMs: 60, db: -6 },
  { delayMs: 250, db: -12 },
  { delayMs: 450, db: -20 },
];

describe('echo', () => {
  let server: Server;

  fixture(async () => {
    server = await Server.start();
    return server;
  });

  it.concurrent.each(LINES)('of $db dB after $delayMs ms interrupts nobody, and "stop" over it does', async (line) => {
    await using phone = await Phone.dial(server);
    phone.rtp.echo = { delayMs: line.delayMs, gain: 10 ** (line.db / 20) };
    const { callId: sipCallId } = phone;
    const turns = (kind: string) =>
      server.journal(sipCallId).flatMap((event) => (event.type === 'agent.turn' && event.kind === kind ? [event] : []));
    const count = (type: string) => server.journal(sipCallId).filter((event) => event.type === type).length;
    await server.event('agent.turn', { sipCallId, where: ({ kind }) => kind === 'greeting' });
    await phone.rtp.play(await speak(OPENING_HOURS.question));
    await until('the answer', () => turns('reply').length > 0, { ms: 30_000 });
    expect([...turns('greeting'), ...turns('reply')].map(({ interrupted }) => interrupted)).toEqual([false, false]);
    expect(count('caller.turn')).toBe(1);
    expect(count('interruption')).toBe(0);
    const spoke = count('agent.started');
    const since = performance.now();
    await phone.rtp.play(await speak('What is your return policy?'));
    await until('the agent speaks', () => count('agent.started') > spoke);
    await phone.rtp.spoken(since, 0);
    await phone.rtp.play(await speak('Stop. Please stop.'));
    await server.event('interruption', { sipCallId, ms: 8000 });
    await phone.hangUp();
  });
});
