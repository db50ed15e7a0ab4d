import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Trunks, trunksConfig } from './trunks.js';

const schema = trunksConfig(z.strictObject({ ptime: z.number().optional() }).prefault({}));

const TRUNKS = schema.parse([
  { name: 'everywhere', networks: ['0.0.0.0/0', '::/0'] },
  { name: 'carrier', networks: ['203.0.113.0/24', '2001:db8::/32'], media: { ptime: 30 } },
  { name: 'sbc', networks: ['203.0.113.7', '2001:db8:1::/48'] },
]);

describe('trunks', () => {
  it('are told by source address, the longest prefix first', () => {
    const trunks = new Trunks(TRUNKS);
    const name = (address: string) => trunks.of(address)?.name;
    expect(name('203.0.113.7')).toBe('sbc');
    expect(name('203.0.113.8')).toBe('carrier');
    expect(name('::ffff:203.0.113.7')).toBe('sbc');
    expect(name('198.51.100.1')).toBe('everywhere');
    expect(name('[2001:db8:1::5]')).toBe('sbc');
    expect(name('2001:db8:2::5')).toBe('carrier');
    expect(name('not an address')).toBeUndefined();
    expect(trunks.of('203.0.113.9')?.media).toEqual({ ptime: 30 });
    expect(new Trunks<(typeof TRUNKS)[number]>([]).of('203.0.113.7')).toBeUndefined();
  });

  it('have names and networks of their own', () => {
    const problems = (trunks: unknown) => schema.safeParse(trunks).error?.issues.map(({ path }) => path.join('.'));
    const one = { name: 'a', networks: ['192.0.2.1'] };
    expect(problems([one, { name: 'a', networks: ['192.0.2.2', '192.0.2.1'] }])).toEqual(['1.name', '1.networks.1']);
    for (const network of ['192.0.2.0/33', '192.0.2.0/', 'example.com', '192.0.2.0/24/1', '']) {
      expect(problems([{ name: 'b', networks: [network] }])).toEqual(['0.networks.0']);
    }
    expect(problems([{ name: 'c', networks: [] }])).toEqual(['0.networks']);
    expect(problems([{ name: 'c', hosts: ['sip.example.com', '192.0.2.7', 'not a host'] }])).toEqual(['0.hosts.2']);
    expect(problems([{ ...one, inbound: { username: 'a', password: 'short' } }])).toEqual(['0.inbound.password']);
    expect(problems([{ ...one, inbound: { username: 'a' } }])).toEqual(['0.inbound']);
    expect(problems([{ ...one, headers: { out: { Via: 'x' } } }])).toEqual(['0.headers.out.Via']);
    expect(problems([{ ...one, headers: { out: { 'X-A': 'a\r\nVia: b' } } }])).toEqual(['0.headers.out.X-A']);
    expect(problems([{ ...one, overflow: { target: 'a' } }])).toEqual(['0.overflow']);
    expect(problems([{ ...one, media: { codec: 'x' } }])).toEqual(['0.media']);
    expect(schema.parse(undefined)).toEqual([]);
  });
});
