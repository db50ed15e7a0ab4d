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
});
