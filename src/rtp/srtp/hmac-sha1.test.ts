import { createHmac, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { HmacSha1 } from './hmac-sha1.js';

it('signs as node:crypto does, at every length around the blocks', () => {
  const message = randomBytes(300);
  const out = Buffer.alloc(20);
  for (const key of [randomBytes(20), randomBytes(64), Buffer.alloc(0)]) {
    const hmac = new HmacSha1(key);
    for (let end = 0; end <= 300; end++) {
      const word = (end * 0x1234567) >>> 0;
      const extra = Buffer.alloc(4);
      extra.writeUInt32BE(word);
      hmac.sign(message, end, word, out);
      expect(out).toEqual(createHmac('sha1', key).update(message.subarray(0, end)).update(extra).digest());
    }
  }
});
