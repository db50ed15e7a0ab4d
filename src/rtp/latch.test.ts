import { describe, expect, it } from 'vitest';
import { SourceLatch } from './latch.js';

const SIP = '192.0.2.1';
const NAT = '198.51.100.1';
const STRANGER = '203.0.113.5';

function latched(address = SIP, port = 4000): SourceLatch {
  const latch = new SourceLatch();
  latch.negotiated(SIP, 4000);
  if (address === SIP) latch.accepts(address, port, { ssrc: 1, at: 0 });
  else for (let at = 0; at <= 200; at += 20) latch.accepts(address, port, { ssrc: 1, at });
  return latch;
}

describe('SourceLatch', () => {
  it('takes the signalled source at once, and nobody else then', () => {
    const latch = new SourceLatch();
    latch.negotiated(SIP, 4000);
    expect([latch.address, latch.port]).toEqual([SIP, 4000]);
    expect(latch.accepts(SIP, 4000, { ssrc: 1, at: 0 })).toBe(true);
    for (let at = 10; at < 60_000; at += 20) expect(latch.accepts(STRANGER, 9, { ssrc: 1, at })).toBe(false);
    expect([latch.address, latch.port, latch.foreign]).toEqual([SIP, 4000, 3000]);
  });

  it('follows a peer behind NAT when the signalled source stays silent', () => {
    const latch = new SourceLatch();
    latch.negotiated(SIP, 4000);
    const taken: number[] = [];
    for (let at = 0; at < 300; at += 20) if (latch.accepts(NAT, 7000, { ssrc: 1, at })) taken.push(at);
    expect(taken[0]).toBe(200);
    expect([latch.address, latch.port]).toEqual([NAT, 7000]);
    // Another port of the signalled address needs no trial.
    const other = new SourceLatch();
    other.negotiated(SIP, 4000);
    expect(other.accepts(SIP, 4002, { ssrc: 1, at: 0 })).toBe(true);
  });

  it('gives the call to the signalled source even if a stranger was first', () => {
    const latch = latched(STRANGER, 9);
    expect(latch.address).toBe(STRANGER);
    expect(latch.accepts(SIP, 4000, { ssrc: 2, at: 220 })).toBe(true);
    expect(latch.accepts(STRANGER, 9, { ssrc: 1, at: 240 })).toBe(false);
    expect(latch.address).toBe(SIP);
  });

  it('stays locked over a re-negotiation that changes nothing, and learns again after one that does', () => {
    const latch = latched(NAT, 7000);
    latch.negotiated(SIP, 4000);
    expect([latch.address, latch.port]).toEqual([NAT, 7000]);
    expect(latch.accepts(STRANGER, 9, { ssrc: 1, at: 300 })).toBe(false);
    latch.negotiated('192.0.2.2', 5000);
    expect([latch.address, latch.port]).toEqual(['192.0.2.2', 5000]);
    // Late packets of the old source do not win it back...
    for (let at = 300; at < 1300; at += 20) expect(latch.accepts(NAT, 7000, { ssrc: 1, at })).toBe(false);
    expect(latch.accepts('192.0.2.2', 5000, { ssrc: 3, at: 1300 })).toBe(true);
    // ...but a peer that goes on from there is heard in the end.
    const moved = latched();
    moved.negotiated(SIP, 6000);
    expect(moved.accepts(SIP, 4000, { ssrc: 1, at: 100 })).toBe(false);
    expect(moved.port).toBe(6000);
    expect(moved.accepts(SIP, 4000, { ssrc: 1, at: 2100 })).toBe(true);
  });

  it('follows a NAT that forgot its binding: same address, same stream, after silence', () => {
    const latch = latched(NAT, 7000);
    expect(latch.accepts(NAT, 7001, { ssrc: 1, at: 1000 })).toBe(false);
    expect(latch.accepts(NAT, 7001, { ssrc: 2, at: 9000 })).toBe(false);
    expect(latch.accepts(STRANGER, 7001, { ssrc: 1, at: 9000 })).toBe(false);
    expect(latch.accepts(NAT, 7001, { ssrc: 1, at: 9000 })).toBe(true);
    expect(latch.port).toBe(7001);
  });

  it('hears authentic packets from wherever they come, and sends where ICE says', () => {
    const latch = new SourceLatch();
    latch.negotiated('0.0.0.0', 9);
    expect(latch.accepts(NAT, 7000, { ssrc: 1, at: 0 }, true)).toBe(true);
    expect(latch.accepts('198.51.100.2', 8, { ssrc: 1, at: 20 }, true)).toBe(true);
    expect(latch.address).toBe(NAT);
    latch.nominate('198.51.100.2', 8);
    expect(latch.accepts(NAT, 7000, { ssrc: 1, at: 9000 }, true)).toBe(true);
    expect(latch.accepts(NAT, 7000, { ssrc: 1, at: 9000 })).toBe(false);
    expect(latch.address).toBe('198.51.100.2');
  });

  it('knows an IPv6 address however SDP writes it', () => {
    const latch = new SourceLatch();
    latch.negotiated('2001:DB8:0::1', 4000);
    expect(latch.accepts('2001:db8::1', 4000, { ssrc: 1, at: 0 })).toBe(true);
  });
});
