import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DnsRecord, DnsServer } from '../../../../test/kit/dns-server.js';
import { ANSWER, EdgeBench, OFFER, until } from '../../../../test/kit/edge-bench.js';
import type { SeenMessage, SipPeer } from '../../../../test/kit/edge-peer.js';
import { parseUri } from '../message/uri.js';
import { NextHopResolver } from './next-hop.js';
import type { Peer, Protocol } from './transport.js';

function service(name: string, priority: number, port: number): DnsRecord {
  return { name, type: 'SRV', priority, weight: 1, port, target: 'node.trunk.test' };
}

function pointer(order: number, kind: string, replacement: string): DnsRecord {
  return { name: 'trunk.test', type: 'NAPTR', order, preference: 1, service: kind, replacement };
}

const NODE: DnsRecord = { name: 'node.trunk.test', type: 'A', address: '127.0.0.1' };

describe('the next hop of a call', () => {
  let bench: EdgeBench;
  let names: DnsServer;
  let srf: Srf;

  beforeEach(async () => {
    names = await DnsServer.start();
    bench = await EdgeBench.start(10, { dnsServers: [names.address] });
    srf = await bench.application();
  });

  afterEach(async () => {
    await bench.close();
    expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0, tcpConnections: 0 });
    names.close();
  });

  async function accept(peer: SipPeer, invite: SeenMessage, dialog: Promise<Srf.Dialog>): Promise<void> {
    peer.answer(invite, '200 OK', 'bob', [`Contact: <sip:bob@127.0.0.1:${peer.port}>`], ANSWER);
    (await dialog).destroy();
    peer.answer(await peer.request('BYE'), '200 OK');
    await until(() => bench.edge.counts().dialogs === 0);
  }

  it('is found by NAPTR and SRV; the next one takes what another refuses or does not hear', async () => {
    const [busy, silent, last] = [await bench.udpPeer(), await bench.udpPeer(), await bench.udpPeer()];
    names.records.push(
      pointer(2, 'SIP+D2U', 'u.trunk.test'),
      pointer(1, 'SIP+D2T', 't.trunk.test'),
      pointer(0, 'SIPS+D2T', 's.trunk.test'),
      // Nothing listens for TCP there.
      service('t.trunk.test', 1, last.port),
      service('u.trunk.test', 30, last.port),
      service('u.trunk.test', 20, silent.port),
      service('u.trunk.test', 10, busy.port),
      NODE,
    );
    const dialog = srf.createUAC('sip:bob@trunk.test', { localSdp: OFFER });
    const first = await busy.request('INVITE');
    busy.answer(first, '503 Service Unavailable', 'x');
    await busy.request('ACK');
    const tries = [first, await silent.request('INVITE'), await last.request('INVITE')];
    expect(new Set(tries.map((m) => m.get('via'))).size).toBe(3);
    expect(new Set(tries.map((m) => `${m.startLine} ${m.get('call-id')} ${m.get('cseq')}`)).size).toBe(1);
    expect(names.asked).toEqual(expect.arrayContaining(['NAPTR trunk.test', 'SRV t.trunk.test', 'SRV u.trunk.test']));
    await accept(last, tries[2]!, dialog);
    // What failed is tried last from now on.
    const heard = busy.seen.length + silent.seen.length;
    const again = srf.createUAC('sip:bob@trunk.test', { localSdp: OFFER });
    await accept(last, await last.request('INVITE'), again);
    expect(busy.seen.length + silent.seen.length).toBe(heard);
  });

  it('is cancelled where it rings', async () => {
    const [gone, peer] = [await bench.udpPeer(), await bench.udpPeer()];
    const name = '_sip._udp.trunk.test';
    names.records.push(service(name, 1, gone.port), service(name, 2, peer.port), NODE);
    let sent: Srf.SrfRequest | undefined;
    const progress = {
      cbRequest: (...args: unknown[]) => {
        // The typings leave out the error, which comes first.
        sent = args[1] as Srf.SrfRequest;
      },
    };
    const call = srf.createUAC('sip:bob@trunk.test', { localSdp: OFFER }, progress).catch((error: unknown) => error);
    gone.answer(await gone.request('INVITE'), '503 Service Unavailable', 'x');
    const invite = await peer.request('INVITE');
    peer.answer(invite, '180 Ringing', 'b');
    await until(() => sent !== undefined);
    await new Promise((resolve) => sent?.cancel(resolve));
    const cancel = await peer.request('CANCEL');
    expect(cancel.get('via')).toBe(invite.get('via'));
    peer.answer(cancel, '200 OK');
    peer.answer(invite, '487 Request Terminated', 'b');
    expect(await call).toMatchObject({ status: 487 });
    expect(gone.seen.some((m) => m.method === 'CANCEL')).toBe(false);
  });

  it('is the address itself when a port is given; where nothing is found it is 503', async () => {
    const peer = await bench.udpPeer();
    names.records.push({ name: 'plain.test', type: 'A', address: '127.0.0.1' });
    const dialog = srf.createUAC(`sip:bob@plain.test:${peer.port}`, { localSdp: OFFER });
    await accept(peer, await peer.request('INVITE'), dialog);
    expect(names.asked).toEqual(['A plain.test']);
    await expect(srf.createUAC('sip:bob@none.test', { localSdp: OFFER })).rejects.toMatchObject({ status: 503 });
    expect(names.asked).toEqual(
      expect.arrayContaining(['NAPTR none.test', 'SRV _sip._udp.none.test', 'SRV _sip._tcp.none.test', 'A none.test']),
    );
  });
});

describe('NextHopResolver', () => {
  /** Finds the peers for a URI, by an index that is asked instead of name servers. */
  async function locate(
    uri: string,
    records: Record<string, { port: number; weight?: number; priority?: number }[]> = {},
  ) {
    const protocols: Protocol[] = ['udp', 'tcp', 'tls'];
    const resolver = new NextHopResolver({
      protocols,
      families: [6, 4],
      dns: {
        naptr: async () => [],
        srv: async (name) =>
          (records[name] ?? []).map(({ port, weight = 0, priority = 0 }) => ({
            name: 'h.test',
            port,
            weight,
            priority,
          })),
        addresses: async (name) => (name === 'none' ? [] : ['2001:db8::1', '192.0.2.1']),
        close: () => undefined,
      },
    });
    const parsed = parseUri(uri)!;
    const found = resolver.reaches(parsed)
      ? await new Promise<Peer | undefined>((resolve) => resolver.resolve(parsed, resolve))
      : undefined;
    const list: string[] = [];
    for (let peer = found; peer; peer = peer.alternative) list.push(`${peer.protocol} ${peer.host} ${peer.port}`);
    return list;
  }

  it('chooses transport, address and port as RFC 3263 4 says', async () => {
    expect(await locate('sip:a@192.0.2.9')).toEqual(['udp 192.0.2.9 5060']);
    expect(await locate('sip:a@[2001:db8::9]:5070;transport=TCP')).toEqual(['tcp 2001:db8::9 5070']);
    expect(await locate('sips:a@192.0.2.9')).toEqual(['tls 192.0.2.9 5061']);
    expect(await locate('sips:a@192.0.2.9;transport=udp')).toEqual([]);
    expect(await locate('sip:a@192.0.2.9;transport=tls;maddr=192.0.2.10')).toEqual(['tls 192.0.2.10 5061']);
    expect(await locate('sip:a@192.0.2.9;transport=sctp')).toEqual([]);
    expect(await locate('sip:a@b.test')).toEqual(['udp 2001:db8::1 5060', 'udp 192.0.2.1 5060']);
    expect(await locate('sip:a@none')).toEqual([]);
    const records = {
      '_sip._tcp.b.test': [
        { port: 2, priority: 2 },
        { port: 1, priority: 1 },
      ],
      '_sips._tcp.b.test': [{ port: 3 }],
    };
    const ports = async (uri: string) => (await locate(uri, records)).map((text) => text.replace(/ .* /, ' '));
    expect(await ports('sip:a@b.test')).toEqual(['tcp 1', 'tcp 1', 'tcp 2', 'tcp 2', 'tls 3', 'tls 3']);
    expect(await ports('sip:a@b.test;transport=udp')).toEqual(['udp 5060', 'udp 5060']);
    expect(await ports('sips:a@b.test')).toEqual(['tls 3', 'tls 3']);
    expect(await ports('sip:a@b.test:9')).toEqual(['udp 9', 'udp 9']);
  });

  it('draws among records of one priority by their weight (RFC 2782)', async () => {
    const records = {
      '_sip._udp.b.test': [
        { port: 1, weight: 90 },
        { port: 2, weight: 10 },
      ],
    };
    let heavy = 0;
    for (let i = 0; i < 200; i++) if ((await locate('sip:b.test', records))[0]?.endsWith(' 1')) heavy++;
    expect(heavy).toBeGreaterThan(150);
    expect(heavy).toBeLessThan(200);
  });
});
