import { beforeEach, describe, expect, it } from 'vitest';
import { Playout } from './playout.js';

describe('Playout', () => {
  let events: string[];
  let playout: Playout;

  beforeEach(() => {
    events = [];
    playout = new Playout(8000, {
      started: (epoch, utterance) => events.push(`${utterance} started in ${epoch}`),
      ended: (_epoch, utterance, played, total, stopped) =>
        events.push(`${utterance} ${played}/${total}${stopped ? ' stopped' : ''}`),
    });
  });

  function frame(samples = 160): Int16Array {
    const out = new Int16Array(samples).fill(99);
    playout.render(out);
    return out;
  }

  const constant = (samples: number, value: number): Int16Array => new Int16Array(samples).fill(value);

  it('is silent with nothing to say', () => {
    expect(frame()).toEqual(constant(160, 0));
  });

  it('plays in the order reserved, however clips come, without a gap between them', () => {
    playout.enqueue(0, 'a');
    playout.enqueue(0, 'b');
    playout.clip(0, 'b', constant(100, 2));
    expect(frame()).toEqual(constant(160, 0));
    playout.clip(0, 'a', constant(200, 1));
    expect(frame()).toEqual(constant(160, 1));
    expect(frame()).toEqual(Int16Array.from([...constant(40, 1), ...constant(100, 2), ...constant(20, 0)]));
    expect(events).toEqual(['a started in 0', 'a 200/200', 'b started in 0', 'b 100/100']);
  });

  it('takes a clip that comes before its place is reserved', () => {
    playout.clip(1, 'a', constant(160, 5));
    expect(frame()).toEqual(constant(160, 0));
    playout.enqueue(1, 'a');
    expect(frame()).toEqual(constant(160, 5));
  });

  it('falls silent within 5 ms of the next frame when stopped', () => {
    playout.enqueue(1, 'a');
    playout.enqueue(1, 'b');
    playout.clip(1, 'a', constant(8000, 1000));
    frame();
    playout.stop(2);
    expect(events).toEqual(['a started in 1', 'a 160/8000 stopped', 'b 0/0 stopped']);
    const faded = frame();
    expect(faded[0]).toBeGreaterThan(900);
    expect(faded[39]).toBeLessThan(50);
    expect(faded.subarray(40)).toEqual(constant(120, 0));
    expect(frame()).toEqual(constant(160, 0));
  });

  it('never plays what belongs to a stopped epoch', () => {
    playout.stop(2);
    playout.clip(1, 'early', constant(160, 1));
    playout.enqueue(1, 'early');
    playout.clip(1, 'early', constant(160, 1));
    expect(frame()).toEqual(constant(160, 0));
    expect(events).toEqual(['early 0/0 stopped']);
    playout.stop(1);
    playout.enqueue(2, 'new');
    playout.clip(2, 'new', constant(160, 3));
    expect(frame()).toEqual(constant(160, 3));
  });

  it('keeps what belongs to the epoch that a stop begins', () => {
    playout.enqueue(1, 'old');
    playout.enqueue(2, 'new');
    playout.clip(2, 'new', constant(160, 3));
    playout.stop(2);
    expect(frame()).toEqual(constant(160, 3));
    expect(events[0]).toBe('old 0/0 stopped');
  });

  it('goes on behind a place that is skipped, but not behind one that has its clip', () => {
    for (const name of ['a', 'b', 'c']) playout.enqueue(0, name);
    playout.clip(0, 'b', constant(160, 2));
    playout.clip(0, 'c', constant(160, 3));
    playout.skip(0, 'a');
    playout.skip(0, 'b');
    expect(frame()).toEqual(constant(160, 2));
    expect(frame()).toEqual(constant(160, 3));
    expect(events[0]).toBe('a 0/0 stopped');
  });

  it('starts and ends an empty clip', () => {
    playout.enqueue(0, 'a');
    playout.clip(0, 'a', new Int16Array(0));
    frame();
    expect(events).toEqual(['a started in 0', 'a 0/0']);
  });

  it('falls to a lower level as fast as what is cut, and rises within one frame', () => {
    playout.enqueue(0, 'a');
    playout.clip(0, 'a', constant(800, 1000));
    playout.gain(0.5);
    const ramp = frame();
    expect(ramp[0]).toBeGreaterThan(980);
    expect(ramp.subarray(39)).toEqual(constant(121, 500));
    expect(frame()).toEqual(constant(160, 500));
    playout.gain(1);
    expect(frame()[0]).toBeLessThan(510);
    expect(frame()).toEqual(constant(160, 1000));
  });

  const ramp = (samples: number, from = 0): Int16Array => Int16Array.from({ length: samples }, (_, n) => from + n + 1);

  it('falls silent when held, and goes on where it stopped without losing a sample', () => {
    playout.enqueue(0, 'a');
    playout.clip(0, 'a', ramp(640));
    expect(frame()).toEqual(ramp(160));
    playout.hold();
    expect(playout.current).toEqual({ epoch: 0, utterance: 'a', sample: 160 });
    expect(frame().subarray(40)).toEqual(constant(120, 0));
    expect(frame()).toEqual(constant(160, 0));
    playout.resume();
    const resumed = frame();
    expect(resumed[0]).toBeLessThan(10);
    expect(resumed.subarray(40)).toEqual(ramp(120, 160));
    expect(frame()).toEqual(ramp(160, 280));
    frame();
    frame();
    expect(events).toEqual(['a started in 0', 'a 640/640']);
  });

  it('resumes at the beginning of the word that was cut, and tells what was heard of it', () => {
    playout.enqueue(0, 'a');
    playout.clip(0, 'a', ramp(640));
    frame();
    frame();
    playout.hold();
    frame();
    playout.resume(100);
    expect(frame().subarray(40)).toEqual(ramp(120, 100));
    playout.hold();
    playout.stop(1);
    frame();
    expect(events).toEqual(['a started in 0', 'a 220/640 stopped']);
    playout.enqueue(1, 'b');
    playout.clip(1, 'b', constant(160, 3));
    expect(frame()).toEqual(constant(160, 3));
  });

  it('loses no sample of what it resumes, whatever is held and resumed before a frame has gone', () => {
    playout.enqueue(0, 'a');
    playout.clip(0, 'a', ramp(800, 1));
    frame();
    frame();
    for (const sample of [250, undefined, 20, undefined]) {
      playout.hold();
      expect(frame().subarray(40)).toEqual(constant(120, 0));
      playout.resume(sample);
      playout.hold();
      expect(frame()).toEqual(constant(160, 0));
      playout.resume();
      const from = playout.current?.sample ?? 0;
      if (sample !== undefined) expect(from).toBe(sample);
      const risen = Math.min(40, from);
      const resumed = frame();
      expect(resumed[0]).toBeLessThan(risen === 0 ? from + 2 : 10);
      expect(resumed.subarray(risen)).toEqual(ramp(160 - risen, 1 + from));
    }
  });

  it('begins nothing while held', () => {
    playout.hold();
    playout.enqueue(0, 'a');
    playout.clip(0, 'a', constant(160, 3));
    expect(frame()).toEqual(constant(160, 0));
    expect(events).toEqual([]);
    playout.resume();
    expect(frame()).toEqual(constant(160, 3));
  });

  it('plays a stream as it comes; running dry is silence, not its end', () => {
    const underruns: number[] = [];
    playout = new Playout(8000, {
      started: () => events.push('started'),
      ended: (_epoch, _utterance, played, total, stopped, dry) => {
        events.push(`${played}/${total}${stopped}`);
        underruns.push(dry);
      },
    });
    playout.chunk(0, 'a', ramp(100), false);
    playout.enqueue(0, 'a');
    playout.enqueue(0, 'b');
    playout.clip(0, 'b', constant(160, 7));
    playout.chunk(0, 'a', ramp(100, 100), false);
    expect(frame()).toEqual(ramp(160));
    expect(frame()).toEqual(Int16Array.from([...ramp(40, 160), ...constant(120, 0)]));
    expect(frame()).toEqual(constant(160, 0));
    playout.chunk(0, 'a', ramp(160, 200), false);
    expect(frame()).toEqual(ramp(160, 200));
    expect(frame()).toEqual(constant(160, 0));
    playout.chunk(0, 'a', new Int16Array(0), true);
    playout.chunk(0, 'a', ramp(160), true);
    expect(frame()).toEqual(constant(160, 7));
    expect(events).toEqual(['started', '360/360false', 'started', '160/160false']);
    expect(underruns).toEqual([2, 0]);
    expect(playout.underruns).toBe(2);
  });
});
