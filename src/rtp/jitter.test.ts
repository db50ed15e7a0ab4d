import { describe, expect, it } from 'vitest';
import { JitterBuffer } from './jitter.js';
import { rtpFields } from './packet.js';

/** Runs a PCMU tone through the buffer; `late` gives a packet's delay, ms, or undefined for a loss. */
function run(packets: number, late: (n: number) => number | undefined, speed = 1): JitterBuffer {
  const buffer = new JitterBuffer(8000);
  buffer.expect([{ payloadType: 0, name: 'PCMU' }]);
  const arrivals: { n: number; at: number }[] = [];
  for (let n = 0; n < packets; n++) {
    const delay = late(n);
    if (delay !== undefined) arrivals.push({ n, at: 1000 + (n * 20) / speed + delay });
  }
  arrivals.sort((a, b) => a.at - b.at);
  const payload = Uint8Array.from({ length: 160 }, (_, n) => (n % 40 < 20 ? 0x90 : 0x10));
  const out = new Int16Array(160);
  let next = 0;
  for (let now = 1000; now < 1000 + (packets * 20) / speed; now += 20) {
    for (; next < arrivals.length && arrivals[next]!.at <= now; next++) {
      const { n, at } = arrivals[next]!;
      const sequence = (65_000 + n) & 0xffff;
      const timestamp = (0xffff_0000 + n * 160) >>> 0;
      buffer.push({ ...rtpFields(), ssrc: 1, sequence, timestamp, payloadEnd: 160 }, payload, at);
    }
    buffer.pull(out, now);
  }
  return buffer;
}

describe('JitterBuffer', () => {
  it('keeps near the least delay on a clean line, over all wraps', () => {
    const { stats } = run(2000, () => 0);
    expect(stats).toMatchObject({ lost: 0, late: 0 });
    expect(stats.targetMs).toBeLessThan(25);
    expect(stats.delayMs).toBeLessThan(50);
  });

  it('grows with the jitter, and makes up for losses', () => {
    const { stats } = run(2000, (n) => (n % 20 === 7 ? undefined : (n * 37) % 60));
    expect(stats.targetMs).toBeGreaterThan(60);
    expect(stats.targetMs).toBeLessThan(100);
    expect(stats.lost).toBeGreaterThan(80);
    expect(stats.concealed).toBeGreaterThan(0);
  });

  it('lets no drift of the clocks build up', () => {
    for (const speed of [0.999, 1.001]) {
      const { stats } = run(20_000, () => 0, speed);
      expect(stats.delayMs).toBeLessThan(60);
      expect(stats.delayMs).toBeGreaterThan(-20);
    }
  });
});
