import { expect, it } from 'vitest';
import { withoutSecrets } from './redact.js';

it.each([
  ['Authorization: Bearer abc.def-1', 'Authorization: Bearer ***'],
  [`token parley_${'a'.repeat(43)} used`, 'token parley_*** used'],
  [`<sip:ho-${'0'.repeat(32)}@ivr>`, '<sip:ho-***@ivr>'],
  ['Digest username="201", response="6629fae4"', 'Digest username="201", response="***"'],
  [
    JSON.stringify({ err: 'Digest response="6629", body {"password":"x y"}' }).slice(0, 60),
    '{"err":"Digest response=\\"***\\", body {\\"password\\":\\"***\\"',
  ],
  ['{"password":"x, y","token":"t","at":1}', '{"password":"***","token":"***","at":1}'],
  ['connect rediss://:hunter2@db:6379/0 failed', 'connect rediss://***@db:6379/0 failed'],
  [
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***|2^20',
  ],
  ['card 4111 1111 1111 1111 refused', 'card **** **** **** **** refused'],
  ['order 4111 1111 1111 1112', 'order 4111 1111 1111 1112'],
  ['{"at":4111111111111111,"from":"+4111111111111111"}', '{"at":4111111111111111,"from":"+4111111111111111"}'],
])('%s', (text, masked) => {
  expect(withoutSecrets(text)).toBe(masked);
});
