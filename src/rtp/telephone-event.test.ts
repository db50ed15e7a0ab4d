import { beforeEach, describe, expect, it } from 'vitest';
import { TelephoneEvents } from './telephone-event.js';

describe('TelephoneEvents', () => {
  let keys: string[];
  let events: TelephoneEvents;

  beforeEach(() => {
    keys = [];
    events = new TelephoneEvents((digit, ms, at) => keys.push(`${digit}/${ms}@${at}`));
  });

  function push(code: number, timestamp: number, duration: number, end: boolean, at = 0): boolean {
    return events.push(Uint8Array.of(code, end ? 0x8a : 0x0a, duration >> 8, duration & 255), 0, 4, timestamp, at);
  }

  it('reports a press once, at its first end packet', () => {
    for (let n = 1; n < 5; n++) push(1, 1000, n * 160, false);
    for (let n = 0; n < 3; n++) push(1, 1000, 800, true, 100 + n);
    expect(keys).toEqual(['1/100@100']);
  });

  it('tells the same key pressed again by its timestamp', () => {
    push(11, 1000, 400, true);
    push(11, 3000, 400, true);
    expect(keys).toEqual(['#/50@0', '#/50@0']);
  });

  it('stands lost beginnings and lost ends', () => {
    push(2, 1000, 800, true);
    push(3, 3000, 160, false, 10);
    push(3, 3000, 320, false, 30);
    push(10, 6000, 160, false, 40);
    expect(keys).toEqual(['2/100@0', '3/40@30']);
    events.poll(159);
    expect(keys.length).toBe(2);
    events.poll(160);
    expect(keys[2]).toBe('*/20@40');
    push(10, 6000, 800, true, 170);
    expect(keys.length).toBe(3);
  });

  it('ignores an old end that comes after the next press has begun', () => {
    push(4, 1000, 800, true);
    push(5, 3000, 160, false);
    push(4, 1000, 800, true);
    push(5, 3000, 800, true);
    expect(keys).toEqual(['4/100@0', '5/100@0']);
  });

  it('takes timestamps over the wrap and after a new beginning', () => {
    push(6, 4_294_967_290, 80, true);
    push(6, 500, 80, true);
    events.restart();
    push(6, 100, 80, true);
    expect(keys.length).toBe(3);
  });

  it('passes over tones that are no keys, and refuses what is too short', () => {
    expect(push(36, 1000, 800, true)).toBe(true);
    expect(events.push(Uint8Array.of(1, 2, 3), 0, 3, 0, 0)).toBe(false);
    expect(keys).toEqual([]);
  });

  /** One packet of any number of events, with the marker. */
  function packet(timestamp: number, at: number, marker: boolean, ...octets: number[]): void {
    events.push(Uint8Array.from(octets), 0, octets.length, timestamp, at, marker);
  }

  it.each([8000, 48_000])('takes a key held beyond what a duration can say as one, at %i Hz', (clockRate) => {
    events.clockRate = clockRate;
    const start = 0xffff_f000;
    const update = clockRate / 50;
    let at = 0;
    let segment = start;
    for (let elapsed = update; elapsed <= 10 * clockRate; elapsed += update, at += 20) {
      if (start + elapsed - segment > 0xffff) segment += 0xffff;
      push(5, segment >>> 0, start + elapsed - segment, false, at);
      events.poll(at);
    }
    for (let n = 0; n < 3; n++) push(5, segment >>> 0, start + 10 * clockRate - segment, true, at);
    expect(keys).toEqual([`5/10000@${at}`]);
  });

  it('does not report a long key twice when its packets pause at the change of segment', () => {
    push(5, 1000, 0xffff, false, 0);
    events.poll(200);
    push(5, 1000 + 0xffff, 800, true, 300);
    expect(keys).toEqual(['5/8192@0']);
  });

  it.each([
    ['growing', (n: number) => 160 * (n + 1)],
    ['constant', () => 160],
    ['zero', () => 0],
  ])('takes a sender that moves the timestamp on with each packet, durations %s', (_name, duration) => {
    for (const [press, begins] of [1000, 3000].entries()) {
      for (let n = 0; n < 8; n++) push(7, begins + 160 * n, duration(n), n >= 5, press * 250 + 20 * n);
    }
    expect(keys.map((key) => key[0])).toEqual(['7', '7']);
  });

  it('hears the same key twice in quick succession, with the ends of the first lost', () => {
    for (let n = 1; n <= 5; n++) push(9, 1000, n * 160, false, 20 * n);
    for (let n = 1; n <= 5; n++) push(9, 1000 + 800 + 400, n * 160, n === 5, 150 + 20 * n);
    expect(keys).toEqual(['9/100@100', '9/100@250']);
  });

  it('takes an end that overtook everything of its press', () => {
    push(4, 1000, 800, true, 100);
    for (let n = 1; n <= 5; n++) push(4, 1000, n * 160, false, 100 + n);
    events.poll(1000);
    expect(keys).toEqual(['4/100@100']);
  });

  it('takes several events of one packet, its repetition and its padding', () => {
    for (let n = 0; n < 3; n++)
      packet(1000, n * 20, n === 0, 1, 0x8a, 1, 144, 1, 0x8a, 1, 144, 2, 0x8a, 1, 144, 0, 0, 0, 0);
    expect(keys).toEqual(['1/50@0', '1/50@0', '2/50@0']);
  });

  it('believes arrival where no duration is given, and knows a press by its marker', () => {
    packet(1000, 0, true, 3, 10, 0, 0);
    expect(events.pressed).toBe(true);
    packet(1000, 60, false, 3, 0x8a, 0, 0);
    packet(1100, 80, true, 3, 10, 0, 0);
    packet(1100, 160, false, 3, 0x8a, 0, 0);
    expect(keys).toEqual(['3/60@60', '3/80@160']);
    expect(events.pressed).toBe(false);
  });

  it('takes presses of a sender whose timestamps stand still', () => {
    for (const at of [0, 1000]) {
      for (let n = 1; n <= 5; n++) push(8, 7, n * 160, n === 5, at + 20 * n);
    }
    expect(keys).toEqual(['8/100@100', '8/100@1100']);
  });

  it('ignores flash and unknown events, and takes any volume', () => {
    packet(1000, 0, true, 16, 0x80, 1, 144);
    packet(2000, 50, true, 200, 0x80, 1, 144);
    packet(3000, 99, true, 10, 0xbf, 1, 144);
    expect(keys).toEqual(['*/50@99']);
  });
});
