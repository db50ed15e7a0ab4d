import { describe, expect, it } from 'vitest';
import { SourceLatch } from './latch.js';

describe('SourceLatch', () => {
  it('takes the first source, and no other until media is negotiated again', () => {
    const latch = new SourceLatch();
    latch.negotiated('192.0.2.1', 4000);
    expect([latch.address, latch.port]).toEqual(['192.0.2.1', 4000]);
    expect(latch.accepts('198.51.100.1', 7000)).toBe(true);
    expect(latch.accepts('203.0.113.5', 9)).toBe(false);
    expect([latch.address, latch.port, latch.foreign]).toEqual(['198.51.100.1', 7000, 1]);
    latch.negotiated('192.0.2.1', 4000);
    expect(latch.port).toBe(7000);
    expect(latch.accepts('198.51.100.1', 7002)).toBe(true);
    latch.negotiated('192.0.2.2', 5000);
    expect([latch.address, latch.port]).toEqual(['192.0.2.2', 5000]);
  });
});
