import { describe, expect, it } from 'vitest';
import { createCodec } from '../rtp/codec.js';
import { JitterBuffer } from '../rtp/jitter.js';
import { rtpFields } from '../rtp/packet.js';
import { ReorderBuffer } from '../rtp/reorder.js';
import { ListeningStream, listeningRing } from './listening.js';

const HOURS = 2;
const PACKETS = HOURS * 3600 * 50;
/** Every hundredth packet is lost, and every minute the sender is silent for two seconds. */
const isLost = (n: number) => n % 100 === 42;
const isSilent = (n: number) => n % 3000 >= 2900;

/** Two hours of a call on a fast clock, by a sender whose clock is off, over every wrap of its counters. */
describe.each([
  ['200 ppm fast', 1.0002],
  ['200 ppm slow', 0.9998],
])('a call of two hours, its sender %s', (_, speed) => {
  it('is heard in its place, and played without delay that builds up', { timeout: 60_000 }, () => {
    const codec = createCodec('PCMU', 8000);
    const ring = listeningRing(8000);
    const listening = new ListeningStream(ring, 8000);
    const reorder = new ReorderBuffer((packet) => listening.audio(packet, codec));
    const jitter = new JitterBuffer(8000);
    jitter.expect([{ payloadType: 0, name: 'PCMU' }]);
    const payload = new Uint8Array(160).fill(0x90);
    const frame = new Int16Array(160);
    let now = 5000;
    let longest = 0;
    let sent = 0;
    for (let n = 0; n < PACKETS; n++) {
      // It comes 0 to 12 ms late, each packet by its own.
      const at = 5000 + (n * 20) / speed + ((n * 7919) % 13);
      for (; now + 20 <= at; now += 20) {
        jitter.pull(frame, now);
        reorder.poll(now);
        listening.tick(now, 8000, reorder.waiting);
        // While nothing comes there is nothing to be late; a second after it has begun again all is settled.
        const settled = n % 3000 > 50 && n % 3000 < 2900;
        if (settled) longest = Math.max(longest, jitter.stats.delayMs);
      }
      if (isLost(n) || isSilent(n)) continue;
      sent++;
      const sequence = (65_000 + n - Math.floor(n / 3000) * 100) & 0xffff;
      const timestamp = (0xffff_f000 + n * 160) >>> 0;
      const fields = { ...rtpFields(), ssrc: 9, sequence, timestamp, payloadEnd: 160, at };
      jitter.push(fields, payload);
      reorder.push(fields, payload);
    }
    // What is heard stands where the sender's clock puts it, to within a gap that is still being filled.
    const samples = PACKETS * 160;
    expect(Math.abs(ring.end - samples)).toBeLessThan(8000 * 2.2);
    expect(Math.abs(listening.arrivalOf(ring.end - 1) - now)).toBeLessThan(2100);
    expect(reorder.counts.lost).toBe(PACKETS - sent - (PACKETS / 3000) * 100);
    expect(listening.dropped).toBe(0);
    // Two hours at 200 ppm are 1.4 s: made up for in small pieces, not lost.
    expect(longest).toBeLessThan(150);
    expect(jitter.stats.late).toBeLessThan(PACKETS / 200);
  });
});
