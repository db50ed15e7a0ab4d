import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertComplete, Server } from './kit/server.js';
import { runSipp } from './kit/sipp.js';
import { speak } from './kit/speech.js';

describe('many calls by sipp', () => {
  let server: Server;

  beforeAll(async () => {
    server = await Server.start({ env: { PARLEY_LOG_LEVEL: 'warn' } });
  });

  afterAll(() => server?.stop());

  it('30 in sequence, all answered, all transcripts complete', async () => {
    await dial(30, 1, 400);
  });

  it('20 at once, all answered, all transcripts complete', async () => {
    await dial(20, 20, 3000);
  });

  it('leaves no transaction behind', async () => {
    await server.drained();
  });

  async function dial(calls: number, atOnce: number, stayMs: number): Promise<void> {
    const before = server.journals().size;
    const says = await speak('Where is my order?');
    const result = await runSipp({ scenario: 'caller', target: server.sip, calls, atOnce, says, stayMs });
    expect(result).toEqual({ code: 0, succeeded: calls, failed: 0, errors: '' });
    await server.waitForIdle();
    const journals = [...server.journals().values()].slice(before);
    expect(journals).toHaveLength(calls);
    for (const journal of journals) {
      assertComplete(journal);
      expect(journal.map((event) => event.type)).toContain('call.answered');
      expect(journal.at(-1)).toMatchObject({ type: 'call.ended', by: 'caller' });
    }
    expect(server.noise).toEqual([]);
  }
});
