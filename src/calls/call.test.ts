import { expect, it } from 'vitest';
import type { CallJournal } from '../journal/journal.js';
import type { CallerIdentity } from '../sip/caller-identity.js';
import type { Invite } from '../sip/invite.js';
import { createLogger } from '../telemetry/log.js';
import { Call } from './call.js';
import type { CallServices } from './services.js';

it.each([
  [true, true],
  [false, undefined],
])('is shown with whether its caller is withheld: %s', (withheld, shown) => {
  const identity: CallerIdentity = { from: '+4930123', name: 'Zoë', ownName: 'Zoë', asserted: false, withheld };
  const services = { logger: createLogger('silent') } as unknown as CallServices;
  const invite = { identity, to: '8001', belongsTo: () => undefined } as unknown as Invite;
  const journal = { call: 'c1', onEvent: () => undefined, events: [] } as unknown as CallJournal;
  const told = new Call(services, invite, journal).describe();
  expect(told).toMatchObject({ from: '+4930123', name: 'Zoë' });
  expect(told.withheld).toBe(shown);
});
