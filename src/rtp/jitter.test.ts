import { describe, expect, it } from 'vitest';
import { opusLibrary } from '../audio/opus.js';
import { createCodec } from './codec.js';
import { JitterBuffer } from './jitter.js';
import { COMFORT_NOISE, rtpFields } from './packet.js';

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
      buffer.push({ ...rtpFields(), ssrc: 1, sequence, timestamp, payloadEnd: 160, at }, payload);
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

/** 20 ms of steady noise of this RMS. */
function hiss(rms: number, seed: number): Int16Array {
  let state = seed + 1;
  return Int16Array.from({ length: 160 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state / 0x8000_0000) * rms * Math.sqrt(3);
  });
}

function rms(pcm: readonly number[]): number {
  return Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);
}

/** Likeness of neighbouring samples: 0 of white noise, 1 of the lowest. */
function lowness(pcm: readonly number[]): number {
  return pcm.slice(1).reduce((sum, sample, n) => sum + sample * pcm[n]!, 0) / (pcm.length * rms(pcm) ** 2);
}

/** A second of background and a second of loud sound, then what `pause` sends in place of 12 s of silence. */
function heardOf(codecName: 'PCMU' | 'opus', pause: (frame: number) => Uint8Array | undefined) {
  const buffer = new JitterBuffer(8000);
  const codec = createCodec(codecName, 8000, { bitrate: 24_000, fec: false, dtx: false });
  buffer.expect([{ payloadType: 0, name: codecName }]);
  const heard: number[] = [];
  const out = new Int16Array(160);
  let sent = 0;
  for (let frame = 0; frame < 700; frame++) {
    const payload = new Uint8Array(400);
    const spoken = frame < 100 ? codec.encode(hiss(frame < 50 ? 80 : 4000, frame), 160, payload, 0) : 0;
    const noise = frame < 100 ? undefined : pause(frame);
    const bytes = noise ?? payload.subarray(0, spoken);
    const fields = { ...rtpFields(), ssrc: 1, sequence: sent, timestamp: (frame * codec.clockRate) / 50 };
    const payloadType = noise ? COMFORT_NOISE : 0;
    if (bytes.length > 0) {
      buffer.push({ ...fields, payloadType, payloadEnd: bytes.length, at: 1000 + 20 * frame }, bytes);
      sent++;
    }
    buffer.pull(out, 1000 + 20 * frame);
    heard.push(...out);
  }
  return { from: (second: number, to: number) => heard.slice(8000 * second, 8000 * to), buffer };
}

describe('silence that is not sent', () => {
  it('is noise at the level that comfort noise packets tell, for as long as it lasts', () => {
    const { from, buffer } = heardOf('PCMU', (frame) => (frame % 50 === 0 ? Uint8Array.of(50) : undefined));
    for (const at of [3, 7, 13]) expect(20 * Math.log10(rms(from(at, at + 1)) / 32_767)).toBeCloseTo(-50, 0);
    expect(Math.abs(lowness(from(3, 6)))).toBeLessThan(0.05);
    expect(buffer.stats.lost).toBe(0);
  });

  it('has the spectrum that they tell', () => {
    // One pole at 0.8: k = -0.8 (RFC 3389, 3.2).
    const coefficient = Math.round(127 - (0.8 * 32_768) / 258);
    const { from } = heardOf('PCMU', (frame) => (frame === 100 ? Uint8Array.of(50, coefficient) : undefined));
    expect(20 * Math.log10(rms(from(3, 6)) / 32_767)).toBeCloseTo(-50, 0);
    expect(lowness(from(3, 6))).toBeCloseTo(0.8, 1);
  });

  it('goes on as the background was, not as what was said, until nobody may be there', () => {
    const { from } = heardOf('PCMU', () => undefined);
    // It may have grown by 2 dB while there was no pause.
    expect(rms(from(2.2, 3))).toBeGreaterThan(60);
    expect(rms(from(2.2, 3))).toBeLessThan(130);
    expect(rms(from(11, 11.8))).toBeCloseTo(rms(from(2.2, 3)), -1);
    expect(rms(from(13, 14))).toBe(0);
  });

  it.runIf(opusLibrary.problem === undefined)('is what Opus makes of it', () => {
    const { from } = heardOf('opus', () => undefined);
    expect(rms(from(4, 8))).toBeLessThan(400);
    expect(rms(from(13, 14))).toBe(0);
  });
});
