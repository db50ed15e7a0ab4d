import { expect, it } from 'vitest';
import { AudioRing } from '../../audio/ring.js';
import { RingPool } from './ring-pool.js';

it('RingPool gives a ring again after its rest, to a leg of the same rate, and empty', () => {
  let now = 0;
  const pool = new RingPool(() => now);
  const first = pool.take(8000);
  first.write(new Int16Array(160).fill(7));
  pool.give(first, 8000);
  now = 9999;
  expect(pool.take(8000).shared).not.toBe(first.shared);
  now = 10_000;
  expect(pool.take(16_000).shared).not.toBe(first.shared);
  const again = pool.take(8000);
  expect(again.shared).toBe(first.shared);
  expect(new AudioRing(again.shared).end).toBe(0);
  expect(pool.take(8000).shared).not.toBe(first.shared);
});
