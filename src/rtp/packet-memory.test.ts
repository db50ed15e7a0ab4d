import { describe, expect, it } from 'vitest';
import { PacketMemory } from './packet-memory.js';

describe('PacketMemory', () => {
  it('is used again and again, but not while something made in it is still read', () => {
    const memory = new PacketMemory();
    memory.bytes.fill(1);
    const taken = memory.view(172);
    expect(memory.view(172)).toBe(taken);
    memory.leave();
    memory.bytes.fill(2);
    expect([...new Set(taken)]).toEqual([1]);
    expect([...new Set(memory.view(172))]).toEqual([2]);
  });
});
