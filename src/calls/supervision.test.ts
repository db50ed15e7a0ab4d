import { describe, expect, it } from 'vitest';
import { ParleyError } from '../errors.js';
import type { MediaLeg } from '../workers/media/hosted-leg.js';
import type { MonitorOptions } from '../workers/messages.js';
import { Supervision } from './supervision.js';

function supervised() {
  const state: { leg: string | undefined; person: string | undefined } = { leg: 'c1', person: 'c1/p1' };
  const attached: string[] = [];
  const supervision = new Supervision({
    conversation: () => undefined,
    leg: () =>
      state.leg === undefined
        ? undefined
        : ({
            leg: state.leg,
            monitor: ({ talksTo }: MonitorOptions) => attached.push(`${state.leg} ${talksTo}`),
            monitorEnd: () => undefined,
          } as unknown as MediaLeg),
    person: () => state.person,
    knows: async () => true,
    takeBack: () => false,
    record: () => undefined,
    notUp: () => new ParleyError('PARLEY_ERR_CALL_NOT_UP', { call: 'c1', reason: 'nobody is there' }),
  });
  return { supervision, state, attached };
}

describe('somebody who listens to a call whose media are set up again', () => {
  it('hears the new leg, and talks to whom they did', () => {
    const { supervision, state, attached } = supervised();
    supervision.listen('anna', 8000, 'caller', () => undefined);
    supervision.listen('bert', 8000, 'person', () => undefined);
    Object.assign(state, { leg: 'c1~1', person: 'c1/p1~1' });
    supervision.moved();
    expect(attached).toEqual(['c1 c1', 'c1 c1/p1', 'c1~1 c1~1', 'c1~1 c1/p1~1']);
  });

  it('is no reason to give the call up when the person they talked to is gone, or the call is over', () => {
    const { supervision, state, attached } = supervised();
    supervision.listen('anna', 8000, 'person', () => undefined);
    state.person = undefined;
    supervision.moved();
    expect(attached).toEqual(['c1 c1/p1', 'c1 none']);
    supervision.end();
    state.leg = undefined;
    supervision.moved();
  });
});
