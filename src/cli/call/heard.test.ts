import { expect, it } from 'vitest';
import { AudioRing } from '../../audio/ring.js';
import { HeardAudio } from './heard.js';

it('HeardAudio tells when each sample came and keeps more than the ring does', () => {
  const ring = AudioRing.allocate(800);
  const heard = new HeardAudio(ring, 8000);
  const loud = new Int16Array(160).fill(5000);
  for (let packet = 0; packet < 50; packet++) {
    ring.write(packet >= 10 && packet < 20 ? loud : new Int16Array(160));
    heard.take(1000 + packet * 20);
    heard.take(1005 + packet * 20);
  }
  expect(heard.length).toBe(8000);
  expect(heard.arrivalOf(161)).toBe(1020);
  expect(heard.spurts()).toEqual([{ from: 1600, to: 3200, startedAt: 1200, endedAt: 1380 }]);
  expect(heard.lastSpurt(1380)?.endedAt).toBe(1380);
  expect(heard.lastSpurt(1381)).toBeUndefined();
  expect([...heard.cut(1598, 1602)]).toEqual([0, 0, 5000, 5000]);
  expect(heard.cut(7999, 9000)).toHaveLength(1);
});
