import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Phone } from './kit/phone.js';
import { Server } from './kit/server.js';
import { transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

describe('SIGTERM', () => {
  let server: Server;

  beforeAll(async () => {
    server = await Server.start({ env: { PARLEY_LIMITS_DRAIN_MS: '60000' } });
  });

  afterAll(async () => {
    await server?.stop();
  });

  it('lets calls that are up end by themselves, takes no more, and then ends the process', async () => {
    const phone = await Phone.dial(server);
    try {
      await phone.greeted();
      process.kill(server.pid, 'SIGTERM');
      await until('draining', () => server.lastWords().includes('no more calls'));
      await expect(Phone.dial(server)).rejects.toThrow('503');
      const heard = await phone.ask('What are your opening hours?');
      expect(await transcribe(heard)).toMatch(/nine/i);
      await phone.hangUp();
      await until('the end of the process', () => !server.alive);
    } finally {
      await phone.close();
    }
  });
});
