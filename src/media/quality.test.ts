import { describe, expect, it } from 'vitest';
import type { Arrival } from '../rtp/rtcp/session.js';
import { assessQuality, type QualityMeasures } from './quality.js';
import { mediaWatchConfig } from './quality-config.js';
import { MediaWatch, type MediaWatchEvent } from './quality-watch.js';

const good: QualityMeasures = {
  direction: 'received',
  codec: 'PCMU',
  packets: 1000,
  lostPackets: 0,
  burstRatio: 1,
  jitterMs: 1,
  roundTripMs: 40,
  bufferMs: 40,
};

describe('assessQuality', () => {
  it('gives what the E-model does', () => {
    expect(assessQuality(good)).toMatchObject({ lossPercent: 0, r: 93.2 });
    expect(assessQuality(good).mos).toBeCloseTo(4.41, 2);
    const five = assessQuality({ ...good, packets: 950, lostPackets: 50 });
    expect(five.r).toBeCloseTo(93.2 - (95 * 5) / 30.1, 5);
    expect(assessQuality({ ...good, packets: 950, lostPackets: 50, burstRatio: 3 }).mos).toBeLessThan(five.mos);
    expect(assessQuality({ ...good, roundTripMs: 600 }).r).toBeLessThan(80);
    expect(assessQuality({ ...good, packets: 0, lostPackets: 1000 }).mos).toBeLessThan(2);
    expect(assessQuality({ ...good, codec: 'G722' }).mos).toBeGreaterThan(4);
  });
});

describe('MediaWatch', () => {
  it('alarms once an outage, acts once, tells of the return, and rests on hold', () => {
    const events: MediaWatchEvent[] = [];
    const watch = new MediaWatch(mediaWatchConfig.parse({ action: 'fallback' }), 0, (event) => events.push(event));
    const run = (from: number, to: number) => {
      for (let now = from; now <= to; now += 1000) {
        watch.onSent(now);
        watch.tick(now);
      }
    };
    run(0, 30_000);
    expect(events).toEqual([]);
    watch.expect(true, true, 30_000);
    watch.onRtcp(35_000);
    run(30_000, 100_000);
    expect(events.map(({ type, at }) => [type, at])).toEqual([
      ['silent', 40_000],
      ['timeout', 90_000],
    ]);
    watch.onReceived({ at: 101_000 });
    expect(events.at(-1)).toEqual({ type: 'returned', direction: 'received', forMs: 71_000, at: 101_000 });
    // Silence suppression: reports are life now.
    watch.onRtcp(108_000);
    run(101_000, 117_000);
    watch.expect(false, true, 117_000);
    run(117_000, 300_000);
    expect(events).toHaveLength(3);
  });

  it('takes the word of the peer for what does not get there', () => {
    const events: MediaWatchEvent[] = [];
    const watch = new MediaWatch(mediaWatchConfig.parse({ action: 'hangup' }), 0, (event) => events.push(event));
    watch.expect(true, true, 0);
    const run = (from: number, to: number, arrival: Arrival) => {
      for (let now = from; now < to; now += 1000) {
        watch.onReceived({ at: now });
        watch.onSent(now);
        if (now % 5000 === 0) watch.onArrival(arrival, now);
        watch.tick(now);
      }
    };
    const seen = () => events.splice(0).map(({ type, direction, at }) => [type, direction, at]);
    run(0, 30_000, 'arrives');
    expect(seen()).toEqual([]);
    // Since the report at 25 s.
    run(30_000, 100_000, 'stalls');
    expect(seen()).toEqual([
      ['silent', 'sent', 35_000],
      ['timeout', 'sent', 85_000],
    ]);
    run(100_000, 101_000, 'arrives');
    expect(seen()).toEqual([['returned', 'sent', 100_000]]);
    // One that never reports on us may be wrong: an alarm, and no more.
    watch.expect(true, false, 101_000);
    watch.expect(true, true, 102_000);
    run(102_000, 300_000, 'unheard');
    expect(seen()).toEqual([['silent', 'sent', 112_000]]);
    watch.moved(300_000);
    watch.onSent(300_000);
    expect(seen()).toEqual([['returned', 'sent', 300_000]]);
  });
});
