import { expect, it } from 'vitest';
import { checkLength, MESSAGE_MAX } from './message-limit.js';

it('lets no message through that a drachtio-server would choke on', () => {
  expect(() => checkLength({ Reason: 'SIP;cause=200' }, 'v=0\r\n')).not.toThrow();
  expect(() => checkLength({}, 'é'.repeat(MESSAGE_MAX / 2))).toThrow('longer than');
  expect(() => checkLength({ 'Refer-To': `<sip:${'1'.repeat(MESSAGE_MAX)}@h>` })).toThrow('longer than');
});
