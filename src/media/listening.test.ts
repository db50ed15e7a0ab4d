import { beforeEach, describe, expect, it } from 'vitest';
import { MU_LAW } from '../audio/g711.js';
import { createCodec } from '../rtp/codec.js';
import { ListeningStream, listeningRing } from './listening.js';

const codec = createCodec('PCMU', 8000);
/** A loud constant and its mu-law octet. */
const LOUD = MU_LAW.decode[0x90]!;

describe('ListeningStream', () => {
  let stream: ListeningStream;

  beforeEach(() => {
    stream = new ListeningStream(listeningRing(8000), 8000);
  });

  /** A packet of constant sound. */
  function audio(
    timestamp: number,
    at: number,
    more: { lostBefore?: number; restarted?: boolean; samples?: number } = {},
  ): void {
    const { samples = 160, lostBefore = 0, restarted = false } = more;
    const bytes = new Uint8Array(samples).fill(0x90);
    const packet = { payloadType: 0, marker: false, timestamp: timestamp >>> 0, bytes, start: 0, end: samples };
    stream.audio({ ...packet, at, lostBefore, restarted }, codec);
  }

  /** The ring as runs: `S160` is 160 samples of silence, `L160` of the loud constant, `H160` of half of it. */
  function runs(): string {
    const { pcm } = stream.ring.read(0, stream.ring.end);
    const names = [...pcm].map((sample) => (sample === 0 ? 'S' : sample === LOUD ? 'L' : 'H'));
    return names
      .join('')
      .replace(/S+|L+|H+/g, (run) => `${run[0]}${run.length} `)
      .trim();
  }

  it('begins with the first packet and takes packets of any length over the timestamp wrap', () => {
    stream.tick(5000, 8000);
    expect(stream.ring.end).toBe(0);
    audio(-160, 0);
    audio(0, 20, { samples: 240 });
    audio(240, 50, { samples: 80 });
    expect(runs()).toBe('L480');
  });

  it('turns a jump of the timestamps into silence of that length', () => {
    audio(0, 0);
    audio(160 + 400, 70);
    expect(runs()).toBe('L160 S400 L160');
  });

  it('repeats what was before a loss, fading, and is silent after 60 ms', () => {
    for (let n = 0; n < 4; n++) audio(n * 160, n * 20);
    audio(640 + 1600, 300, { lostBefore: 10 });
    expect(stream.ring.end).toBe(640 + 1600 + 160);
    const { pcm } = stream.ring.read(640, 640 + 1600);
    const at = (ms: number) => pcm[ms * 8]! / LOUD;
    expect([at(5), at(15) < 1, at(50) < 0.3, at(60), at(150)]).toEqual([1, true, true, 0, 0]);
    expect(stream.concealed).toBe(480);
  });

  it('goes on in real time when packets stop, and with the timestamps when they come again', () => {
    audio(0, 0);
    for (let now = 20; now <= 400; now += 20) stream.tick(now, 8000);
    expect(stream.ring.end).toBe(160 + 360 * 8);
    audio(160 + 400 * 8, 420);
    // What came last fades, then there is silence.
    expect(runs()).toMatch(/^L\d+ H\d+ S2720 L160$/);
    expect(stream.ring.end).toBe(160 + 400 * 8 + 160);
  });

  it('loses no sound that merely came late', () => {
    audio(0, 0);
    for (let now = 20; now <= 100; now += 20) stream.tick(now, 8000);
    for (let n = 1; n < 6; n++) audio(n * 160, 105);
    audio(6 * 160, 120);
    expect(runs()).toMatch(/^L\d+ H\d+ L960$/);
    expect(stream.ring.end).toBe(160 + 480 + 960);
  });

  it('waits for packets that wait for others, and for the jitter of late', () => {
    for (let n = 0; n < 10; n++) audio(n * 160, n * 20 + (n % 2) * 40);
    for (let now = 220; now <= 300; now += 20) stream.tick(now, 8000);
    expect(stream.ring.end).toBe(1600);
    stream.tick(340, 8000, true);
    expect(stream.ring.end).toBe(1600);
    stream.tick(360, 8000);
    expect(stream.ring.end).toBeGreaterThan(1600);
  });

  it('does not believe a jump that time does not bear out, nor one over seconds', () => {
    audio(0, 0);
    audio(160 + 8000, 20);
    audio(500_000, 40);
    audio(40, 60);
    audio(99_999_999, 80, { restarted: true });
    expect(runs()).toBe('L800');
  });

  it('drops what comes far faster than speech', () => {
    for (let n = 0; n < 1000; n++) audio(n * 160, n);
    expect(stream.dropped).toBeGreaterThan(500);
    expect(stream.ring.end).toBeLessThan(6 * 8000);
  });

  it('makes up for a stall without flooding the ring', () => {
    audio(0, 0);
    stream.tick(60_000, 8000);
    expect(stream.ring.end).toBe(160 + 8000);
    stream.tick(60_020, 8000);
    expect(stream.ring.end).toBe(160 + 8000 + 160);
  });

  it('knows when a sample came', () => {
    for (let n = 0; n < 1000; n++) audio(n * 160, 100 + n * 20);
    expect(stream.arrivalOf(999 * 160)).toBe(100 + 999 * 20);
    expect(stream.arrivalOf(999 * 160 - 1)).toBe(100 + 998 * 20);
    expect(stream.arrivalOf(900 * 160 + 80)).toBe(100 + 900 * 20);
    expect(stream.arrivalOf(0)).toBeLessThan(100 + 500 * 20);
  });
});
