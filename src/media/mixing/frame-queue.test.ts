import { describe, expect, it } from 'vitest';
import { FrameQueue } from './frame-queue.js';

const ramp = (from: number, count: number) => Int16Array.from({ length: count }, (_, n) => from + n);

describe('FrameQueue', () => {
  it.each([10, 20, 30, 40, 60])('carries 20 ms frames to packets of %i ms without a gap', (ptime) => {
    const queue = new FrameQueue(8 * (2 * 60 + 20));
    const packet = new Int16Array(8 * ptime);
    let sent = 0;
    for (let tick = 0; tick < 300; tick++) {
      queue.push(ramp(tick * 160, 160));
      while (queue.take(packet)) {
        expect(packet).toEqual(ramp(sent, packet.length));
        sent += packet.length;
      }
    }
    expect(queue.length).toBeLessThan(packet.length);
    expect(sent + queue.length).toBe(300 * 160);
  });

  it('drops the oldest when nothing takes them', () => {
    const queue = new FrameQueue(400);
    for (let tick = 0; tick < 5; tick++) queue.push(ramp(tick * 160, 160));
    const rest = new Int16Array(400);
    expect(queue.take(rest)).toBe(true);
    expect(rest).toEqual(ramp(400, 400));
    queue.push(ramp(0, 1000));
    expect(queue.take(rest)).toBe(true);
    expect(rest).toEqual(ramp(600, 400));
    expect(queue.take(rest)).toBe(false);
    queue.push(ramp(0, 160));
    queue.clear();
    expect(queue.length).toBe(0);
  });
});
