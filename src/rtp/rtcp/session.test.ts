import { describe, expect, it } from 'vitest';
import { rtpFields } from '../packet.js';
import { parseRtcp } from './packets.js';
import { Reception } from './reception.js';
import { RtcpSession } from './session.js';

const WALL = 1_800_000_000_000;

function packet(sequence: number, at: number, timestamp = sequence * 160, ssrc = 7) {
  return { ...rtpFields(), sequence: sequence & 0xffff, timestamp: timestamp >>> 0, ssrc, at };
}

describe('Reception', () => {
  it('counts losses over wraps, with duplicates and reordering', () => {
    const reception = new Reception();
    for (let n = 65_500; n < 65_500 + 200_000; n++) {
      if (n % 10 === 3) continue;
      reception.packet(packet(n % 100 === 50 ? n + 1 : n % 100 === 51 ? n - 1 : n, n * 20), 8000);
    }
    expect(reception.expected).toBe(200_000);
    expect(reception.lost).toBe(20_000);
    expect(reception.extended).toBe(65_500 + 199_999);
    expect(reception.report(0, 0)).toMatchObject({ ssrc: 7, fractionLost: 0.1, lost: 20_000 });
    expect(reception.report(0, 0)?.fractionLost).toBe(0);
  });

  it('measures jitter as the RFC does, in spite of keys, a wrap of the timestamp and a pause', () => {
    const reception = new Reception();
    // Every other packet 10 ms late: the difference of transits is always 10 ms.
    for (let n = 0; n < 500; n++) reception.packet(packet(n, n * 20 + (n % 2) * 10, 0xffff_0000 + n * 160), 8000);
    expect(reception.jitterMs).toBeCloseTo(10, 1);
    for (let n = 500; n < 540; n++) reception.packet(packet(n, n * 20, 5), 0);
    reception.packet(packet(540, 540 * 20 + 60_000, 0xffff_0000 + 540 * 160), 8000);
    expect(reception.jitterMs).toBeCloseTo(10, 1);
  });

  it('tells bursts from random loss, and begins anew with another source or numbering', () => {
    const reception = new Reception();
    for (let n = 0; n < 1000; n++) if (n % 100 < 95) reception.packet(packet(n, n * 20), 8000);
    expect(reception.burstRatio).toBeGreaterThan(4);
    reception.packet(packet(30_000, 20_000), 8000);
    expect(reception.expected).toBeGreaterThan(900);
    reception.packet(packet(30_001, 20_020), 8000);
    expect([reception.expected, reception.lost]).toEqual([1, 0]);
    reception.packet(packet(5, 20_040, 5, 8), 8000);
    expect([reception.ssrc, reception.expected]).toEqual([8, 1]);
  });
});

describe('RtcpSession', () => {
  const make = (ssrc: number) => new RtcpSession({ ssrc, cname: 'c@h', now: 1000, wallClock: WALL, random: () => 0.5 });

  it('reports every 5 s or so, the first time sooner, from its own clock and counts', () => {
    const session = make(1);
    const times: number[] = [];
    for (let now = 1000; now < 31_000; now += 20) {
      session.onRtpSent(160, (now * 8) >>> 0, now, 8000);
      if (session.due(now)) times.push(now);
    }
    const gaps = times.slice(1).map((time, n) => time - times[n]!);
    expect(times[0]).toBeLessThan(4000);
    for (const gap of gaps) expect(Math.abs(gap - 5000 / (Math.E - 1.5))).toBeLessThan(41);
    const [report] = parseRtcp(session.due(40_000)!)!;
    const { rtpTimestamp: timestamp, ...counts } = report?.type === 'sr' ? report.sender : { rtpTimestamp: 0 };
    expect(timestamp).toBe(40_000 * 8);
    expect(counts).toEqual({
      ntpSeconds: 2_208_988_800 + WALL / 1000 + 39,
      ntpFraction: 0,
      packets: 1500,
      octets: 240_000,
    });
    // Quiet for so long that it is no sender any more.
    expect(parseRtcp(session.due(60_000)!)![0]?.type).toBe('rr');
  });

  it('finds the round trip, and what the other side hears', () => {
    const [near, far] = [make(7), make(8)];
    near.onRtpSent(160, 0, 1000, 8000);
    for (let n = 0; n < 20; n++) if (n !== 3) far.onRtpReceived(packet(n, 1000 + n * 20), 8000);
    expect(far.received(near.due(5000)!, 5040)).toBe(true);
    expect(near.received(far.due(6000)!, 6060)).toBe(true);
    expect(near.roundTripMs).toBeCloseTo(100, 0);
    expect(near.remote).toMatchObject({ at: 6060, lost: 1, highestSequence: 19 });
    expect(far.peerSent).toBe(1);
  });

  it('learns whether what it sends arrives, and from silence about it, too', () => {
    const [near, far] = [make(7), make(8)];
    let sequence = 0;
    const talk = (from: number, arrives: boolean) => {
      for (let n = 0; n < 100; n++, sequence++) {
        near.onRtpSent(160, sequence * 160, from + n * 20, 8000);
        if (arrives) far.onRtpReceived(packet(sequence, from + n * 20), 8000);
      }
      near.received(far.due(from + 10_000)!, from + 10_000);
      return near.arrival;
    };
    expect(talk(1000, false)).toBe('unheard');
    expect(talk(11_000, true)).toBe('arrives');
    expect(talk(21_000, true)).toBe('arrives');
    expect(talk(31_000, false)).toBe('stalls');
    expect(talk(41_000, true)).toBe('arrives');
    // Nothing was sent: nothing can have come.
    near.received(far.due(60_000)!, 60_000);
    expect(near.arrival).toBe('arrives');
    // Who reports on others only knows nothing of us.
    const between = make(9);
    between.onRtpReceived(packet(1, 60_000, 160, 70), 8000);
    for (let n = 0; n < 100; n++) near.onRtpSent(160, n, 60_000, 8000);
    near.received(between.due(70_000)!, 70_000);
    expect(near.arrival).toBe('arrives');
  });

  it('goes over the ends of its numbers: NTP time in 2036, 2^32 packets and sequence numbers', () => {
    const wallClock = (0x1_0000_0000 - 2_208_988_800) * 1000 - 3000;
    const at2036 = (ssrc: number) => new RtcpSession({ ssrc, cname: 'c@h', now: 1000, wallClock, random: () => 0.5 });
    const [near, far] = [at2036(7), at2036(8)];
    near.sentPackets = 0xffff_ffff;
    for (const n of [1, 2]) near.onRtpSent(160, 160 * n, 3990, 8000);
    far.onRtpReceived(packet(65_535, 3990), 8000);
    far.onRtpReceived(packet(0, 3990), 8000);
    const before = near.due(3995)!;
    expect(parseRtcp(before)?.[0]).toMatchObject({ sender: { ntpSeconds: 0xffff_ffff, packets: 1 } });
    far.received(before, 4010);
    near.received(far.due(6000)!, 6020);
    expect(near.roundTripMs).toBeCloseTo(35, 0);
    expect(near.remote).toMatchObject({ lost: 0, highestSequence: 0x1_0000 });
    expect(parseRtcp(near.due(9000)!)?.[0]).toMatchObject({ sender: { ntpSeconds: 5 } });

    const reception = new Reception();
    reception.packet(packet(0, 0), 8000);
    // 65,536 times round: steps as large as losses may be.
    for (let n = 2500; n < 0x1_0000_0000 + 5000; n += 2500) reception.packet(packet(n, 0), 0);
    expect(reception.extended).toBeGreaterThan(0x1_0000_0000);
    expect(reception.report(0, 0)?.highestSequence).toBe(reception.extended - 0x1_0000_0000);
    expect(reception.lost).toBeGreaterThan(4e9);
  });

  it('leaves, and sees the other leave; believes nothing malformed or about others', () => {
    const [near, far] = [make(7), make(8)];
    expect(near.bye(2000)).toBeUndefined();
    near.onRtpSent(160, 0, 1000, 8000);
    far.onRtpReceived(packet(1, 1000), 8000);
    const bye = near.bye(2000)!;
    expect(far.received(bye.subarray(0, bye.length - 2), 2000)).toBe(false);
    expect(far.left).toBe(false);
    const other = make(9);
    other.onRtpReceived(packet(1, 1000, 160, 70), 8000);
    expect(other.received(bye, 2000) && !other.left).toBe(true);
    expect(far.received(bye, 2000)).toBe(true);
    expect(far.left).toBe(true);
  });
});
