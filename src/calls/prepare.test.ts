import { describe, expect, it } from 'vitest';
import { createLogger } from '../telemetry/log.js';
import { type PrepareOptions, prepareCall } from './prepare.js';

/** A call of an entry that asks for the store; nothing of it is reached without one. */
function options(storeAnswers: () => Promise<boolean>): PrepareOptions {
  const services = { agents: new Map([['desk', {}]]), limits: { prepareMs: 0 }, storeAnswers };
  const action = { type: 'answer', agent: 'desk', earlyMedia: false, record: false, variables: {}, requireStore: true };
  const none = () => undefined;
  return {
    services: services as never,
    call: 'c',
    invite: {} as never,
    action: action as never,
    logger: createLogger('silent'),
    origin: 0,
    record: none,
    finish: none,
    fromMedia: none,
  };
}

describe('a call that must be kept', () => {
  it.each([
    ['does not answer', async () => false],
    ['takes its time', () => new Promise<boolean>(() => undefined)],
  ])('is not taken while the store %s', async (_, answers) => {
    await expect(prepareCall(options(answers))).rejects.toMatchObject({ code: 'PARLEY_ERR_STORE_REQUIRED', sip: 503 });
  });
});
