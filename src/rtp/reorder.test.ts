import { beforeEach, describe, expect, it } from 'vitest';
import { rtpFields } from './packet.js';
import { ReorderBuffer } from './reorder.js';

describe('ReorderBuffer', () => {
  let out: string[];
  let buffer: ReorderBuffer;

  beforeEach(() => {
    out = [];
    buffer = new ReorderBuffer((packet) => {
      const lost = packet.lostBefore > 0 ? `(${packet.lostBefore})` : '';
      out.push(`${packet.restarted ? '!' : ''}${lost}${packet.bytes[packet.start]}`);
    });
  });

  function push(sequence: number, at = 0, ssrc = 1): void {
    const fields = { ...rtpFields(), sequence: sequence & 0xffff, ssrc, timestamp: sequence * 160, payloadEnd: 1, at };
    buffer.push(fields, Uint8Array.of(sequence & 0xff));
  }

  it('lets packets in order through at once, over the wrap', () => {
    for (const sequence of [65_534, 65_535, 65_536, 65_537]) push(sequence);
    expect(out).toEqual(['!254', '255', '0', '1']);
    expect(buffer.counts).toEqual({ lost: 0, late: 0, duplicate: 0 });
  });

  it('puts swapped ones right as soon as it can', () => {
    push(10);
    push(12);
    push(13);
    expect(out).toEqual(['!10']);
    push(11);
    expect(out).toEqual(['!10', '11', '12', '13']);
    push(14);
    expect(buffer.counts.lost).toBe(0);
  });

  it('gives a gap up after 40 ms, and counts what comes after that as late', () => {
    push(10, 0);
    push(13, 20);
    push(15, 40);
    buffer.poll(59);
    expect(out).toEqual(['!10']);
    buffer.poll(60);
    expect(out).toEqual(['!10', '(2)13']);
    buffer.poll(80);
    expect(out).toEqual(['!10', '(2)13', '(1)15']);
    push(11, 81);
    push(15, 82);
    push(16, 83);
    push(16, 84);
    expect(out.at(-1)).toBe('16');
    expect(buffer.counts).toEqual({ lost: 3, late: 1, duplicate: 2 });
  });

  it('counts a packet that waits twice once', () => {
    push(1);
    push(3);
    push(3);
    push(2);
    expect(out).toEqual(['!1', '2', '3']);
    expect(buffer.counts.duplicate).toBe(1);
  });

  it('goes on at once after a long outage', () => {
    push(1);
    push(3);
    push(500);
    expect(out).toEqual(['!1', '(1)3', `(496)${500 & 0xff}`]);
    expect(buffer.counts.lost).toBe(497);
  });

  it('believes a wild jump only when a second packet follows it', () => {
    push(1);
    push(30_000);
    push(2);
    expect(out).toEqual(['!1', '2']);
    push(40_000);
    push(40_001);
    push(40_002);
    expect(out.slice(2)).toEqual([`!${40_001 & 0xff}`, `${40_002 & 0xff}`]);
    expect(buffer.counts).toEqual({ lost: 0, late: 2, duplicate: 0 });
  });

  it('starts anew with another source, without losing what waited', () => {
    push(1);
    push(3);
    push(9000, 0, 2);
    expect(out).toEqual(['!1', '(1)3', `!${9000 & 0xff}`]);
  });
});
