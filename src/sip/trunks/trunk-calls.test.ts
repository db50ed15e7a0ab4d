import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../telemetry/log.js';
import { TrunkGate } from './trunk-gate.js';
import { headersFrom, mayBeSet, variablesFrom } from './trunk-headers.js';
import { TrunkHosts } from './trunk-hosts.js';
import { TrunkLoad } from './trunk-load.js';
import { Trunks } from './trunks.js';

const LOG = createLogger('silent');
afterEach(() => void vi.useRealTimers());

describe('calls of a trunk', () => {
  it('are counted, and given back once', () => {
    const load = new TrunkLoad(new Map([['west', 2]]));
    const places = [load.take('west'), load.take('west')];
    expect(load.take('west')).toBeUndefined();
    expect(load.take('east')).toBeTypeOf('function');
    expect(load.take(undefined)).toBeTypeOf('function');
    places[0]?.();
    places[0]?.();
    expect(load.of('west')).toBe(1);
    expect(load.take('west')).toBeTypeOf('function');
    expect(load.take('west')).toBeUndefined();
  });

  it('bring variables in headers, and take headers with them that no value can break out of', () => {
    const headers: Record<string, string> = { 'X-Account': ' 77\r\nVia: evil ' };
    expect(variablesFrom({ 'X-Account': 'account', 'X-None': 'none' }, (name) => headers[name])).toEqual({
      account: '77 Via: evil',
    });
    const made = headersFrom(
      { 'X-A': 'of {{account}}', 'X-B': '{{none}}', 'X-C': '{{ whole }}{{constructor}}', 'X-D': '{{long}}' },
      { account: '1\r\nVia: evil\u2028x\0', whole: { a: 1 }, long: 'x'.repeat(999) },
    );
    expect(made).toEqual({ 'X-A': 'of 1 Via: evil x', 'X-D': 'x'.repeat(256) });
    expect(['X-Tenant', 'Subject', 'P-Asserted-Identity'].every(mayBeSet)).toBe(true);
    expect(['via', 'From', 'CONTACT', 'Content-Type', 'Route', 'X Y', 'X:Y', ''].some(mayBeSet)).toBe(false);
  });

  it('come from where their host name leads, now and later; one that is not found keeps its addresses', async () => {
    vi.useFakeTimers();
    const trunks = new Trunks([
      { name: 'a', networks: ['192.0.2.0/24'] },
      { name: 'b', networks: [], hosts: ['sip.b.example', '198.51.100.7'] },
    ]);
    const name = (address: string) => trunks.of(address)?.name;
    let found: string[] = ['192.0.2.9'];
    const changed = vi.fn();
    const dns = { addresses: async () => found, close: vi.fn() };
    const hosts = await TrunkHosts.start(trunks, dns, changed, LOG);
    expect(['192.0.2.9', '192.0.2.8', '198.51.100.7'].map(name)).toEqual(['b', 'a', 'b']);
    expect(trunks.allowed).toEqual(['192.0.2.0/24', '192.0.2.9', '198.51.100.7']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(changed).toHaveBeenCalledTimes(1);
    found = [];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(name('192.0.2.9')).toBe('b');
    found = ['203.0.113.5', '2001:db8::5'];
    await vi.advanceTimersByTimeAsync(60_000);
    expect(changed).toHaveBeenCalledTimes(2);
    expect(['192.0.2.9', '203.0.113.5', '2001:db8::5'].map(name)).toEqual(['a', 'b', 'b']);
    hosts.close();
    expect(dns.close).toHaveBeenCalled();
  });

  it('come by the transport that the trunk has, or not at all', async () => {
    const trunk = { name: 'a', networks: ['192.0.2.1'], transport: 'tls' as const, inbound: undefined };
    const gate = new TrunkGate([trunk], 'parley', { records: {} as never }, LOG);
    const by = (protocol: string) =>
      gate.admit(
        { method: 'INVITE', uri: 'sip:1@x', source: '192.0.2.1', port: 1, protocol, header: () => undefined },
        'a',
      );
    expect(await by('tls')).toBeUndefined();
    expect(await by('udp')).toMatchObject({ status: 403 });
  });
});
