import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ANSWER, EdgeBench, OFFER, SECRET, until } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SipPeer } from '../../../test/kit/edge-peer.js';
import { listeningApplication, type SrfAgent } from '../../../test/kit/srf-bench.js';

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function edge(handlers: { method: string; url: string }[]): Promise<{ bench: EdgeBench; peer: SipPeer }> {
  const bench = await EdgeBench.start(10, { requestHandlers: handlers });
  ends.push(() => bench.close());
  return { bench, peer: await bench.udpPeer() };
}

/** An application that waits for the edge to connect; `host:port`. */
async function listening(routes: (srf: SrfAgent) => void): Promise<string> {
  const { address, close } = await listeningApplication(SECRET, routes);
  ends.push(close);
  return address;
}

/** A service that always says the same; what it was asked. */
async function service(say: () => unknown): Promise<{ url: string; asked: URLSearchParams[] }> {
  const asked: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams);
    response.end(JSON.stringify(say()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close().closeAllConnections());
  const { port }: AddressInfo = Object.assign({ port: 0, address: '', family: '' }, server.address());
  return { url: `http://127.0.0.1:${port}/route`, asked };
}

const answering = (srf: SrfAgent) => {
  srf.use('invite', (req, res) => void srf.createUAS(req, res, { localSdp: ANSWER }));
};

async function callThrough(bench: EdgeBench, peer: SipPeer): Promise<void> {
  const call = new ScriptedCall(peer, bench.uri);
  call.send('INVITE', { body: OFFER });
  expect((await call.response(200, 'INVITE')).body).toBe(ANSWER);
  call.send('ACK');
  call.send('BYE');
  await call.response(200, 'BYE');
}

describe('a request handler', () => {
  it('is an application that listens, and is connected to for each request', async () => {
    const address = await listening(answering);
    const { bench, peer } = await edge([{ method: 'invite', url: `tcp://${address}` }]);
    await callThrough(bench, peer);
    await callThrough(bench, peer);
    expect(bench.edge.counts()).toMatchObject({ applications: 2, dialogs: 0 });
  });

  it('is a service that names an application, by address or by tag', async () => {
    const address = await listening(answering);
    let data: object = { uri: address };
    const { url, asked } = await service(() => ({ action: 'route', data }));
    const { bench, peer } = await edge([{ method: '*', url }]);
    await callThrough(bench, peer);
    expect(Object.fromEntries(asked[0] ?? [])).toMatchObject({
      method: 'INVITE',
      fromUser: 'caller',
      uriUser: '8001',
      source_address: '127.0.0.1',
      protocol: 'udp',
    });
    data = { tag: 'nobody' };
    const call = new ScriptedCall(peer, bench.uri);
    call.send('OPTIONS');
    await call.response(480);
  });

  it('rejects, redirects and proxies as the service says', async () => {
    let told: unknown;
    const { url } = await service(() => told);
    const { bench, peer } = await edge([{ method: 'INVITE', url }]);
    const callee = await bench.udpPeer();
    const outcomes: [unknown, number, string][] = [
      [{ action: 'reject', data: { status: 603, reason: 'Not Today' } }, 603, 'Not Today'],
      [{ action: 'redirect', data: { contact: ['sip:c@192.0.2.1', 'sip:d@192.0.2.1'] } }, 302, 'sip:d@192.0.2.1'],
      [{ action: 'proxy', data: { destination: `sip:b@127.0.0.1:${callee.port}` } }, 486, 'Busy Here'],
      [{ action: 'route', data: { uri: '127.0.0.1:1' } }, 480, ''],
      [{ action: 'dance', data: {} }, 500, ''],
    ];
    for (const [say, status, text] of outcomes) {
      told = say;
      const call = new ScriptedCall(peer, bench.uri);
      call.send('INVITE', { body: OFFER });
      if (status === 486) callee.answer(await callee.request('INVITE'), '486 Busy Here', 'b');
      expect((await call.response(status, 'INVITE')).text).toContain(text);
      call.send('ACK', { sameBranch: true });
    }
  });

  it('is forgotten when the call is cancelled before it answers', async () => {
    let answer: () => void = () => undefined;
    const server = createServer((_request, response) => {
      answer = () => response.end(JSON.stringify({ action: 'reject', data: { status: 404 } }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => server.close().closeAllConnections());
    const { port }: AddressInfo = Object.assign({ port: 0, address: '', family: '' }, server.address());
    const { bench, peer } = await edge([{ method: 'INVITE', url: `http://127.0.0.1:${port}` }]);
    const call = new ScriptedCall(peer, bench.uri);
    const asked = once(server, 'request');
    call.send('INVITE', { body: OFFER });
    await asked;
    call.send('CANCEL', { sameBranch: true });
    await call.response(487, 'INVITE');
    call.send('ACK', { sameBranch: true });
    answer();
    await until(() => bench.edge.counts().transactions === 0);
    expect(peer.seen.map(({ status }) => status)).not.toContain(404);
  });
});
