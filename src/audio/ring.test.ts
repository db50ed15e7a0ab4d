import { describe, expect, it } from 'vitest';
import { AudioRing } from './ring.js';

const ramp = (from: number, count: number) => Int16Array.from({ length: count }, (_, i) => from + i);

describe('AudioRing', () => {
  it('gives back samples by position from another view of the same memory', () => {
    const writer = AudioRing.allocate(100);
    for (let at = 0; at < 260; at += 20) writer.write(ramp(at, 20));
    const reader = new AudioRing(writer.shared);
    expect(reader.end).toBe(260);
    expect(reader.start).toBe(160);
    expect(reader.read(190, 215)).toEqual({ from: 190, pcm: ramp(190, 25) });
  });

  it('cuts a read to what is held', () => {
    const ring = AudioRing.allocate(50);
    ring.write(ramp(0, 40));
    ring.write(ramp(40, 40));
    expect(ring.read(0, 1000)).toEqual({ from: 30, pcm: ramp(30, 50) });
    expect(ring.read(500, 600).pcm).toHaveLength(0);
  });

  it('goes on past 2^30 samples, for its readers too', () => {
    const { shared } = AudioRing.allocate(1000);
    new Int32Array(shared, 0, 2).set([2 ** 30 - 30, 3]);
    const [writer, reader] = [new AudioRing(shared), new AudioRing(shared)];
    for (let at = 0; at < 100; at += 20) {
      writer.write(ramp(at, 20));
      expect(reader.end).toBe(4 * 2 ** 30 - 30 + at + 20);
    }
    expect(reader.read(reader.end - 100, reader.end).pcm).toEqual(ramp(0, 100));
  });

  it('whose memory has another stream gives nothing of it to who read the one before', () => {
    const first = AudioRing.allocate(100);
    first.write(ramp(1, 60));
    const reader = new AudioRing(first.shared);
    expect(reader.end).toBe(60);
    const next = AudioRing.renewed(first);
    expect(new AudioRing(next.shared).end).toBe(0);
    next.write(ramp(500, 100));
    expect(reader.end).toBe(60);
    expect(reader.read(0, 60).pcm).toHaveLength(0);
    const other = new AudioRing(next.shared);
    expect(other.read(0, 100)).toEqual({ from: 0, pcm: ramp(500, 100) });
    // Nothing that was said before is left where the new stream has not been.
    const third = AudioRing.renewed(next);
    third.write(ramp(7, 1));
    expect(new Int16Array(third.shared, 12).subarray(1)).toEqual(new Int16Array(99));
  });
});
