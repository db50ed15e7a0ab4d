import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Certificates, makeCertificates } from '../../../../test/kit/certificates.js';
import { ANSWER, EdgeBench, OFFER, until } from '../../../../test/kit/edge-bench.js';
import { ScriptedCall, type SeenMessage, SipPeer } from '../../../../test/kit/edge-peer.js';
import { scratchFolder } from '../../../../test/kit/scratch.js';
import type { EdgeServerOptions } from '../edge-server.js';

let bench: EdgeBench;
let folder: ReturnType<typeof scratchFolder>;
let own: Certificates;

beforeAll(() => {
  folder = scratchFolder('tls');
  own = makeCertificates(folder.path, ['IP:127.0.0.1', 'DNS:trunk.example']);
});

afterAll(() => folder.remove());

afterEach(async () => {
  await bench.close();
  expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0, tcpConnections: 0 });
});

async function secured(change: Partial<NonNullable<EdgeServerOptions['tls']>> = {}): Promise<void> {
  const tls = { port: 0, ...own, verify: true, verifyClients: false, ...change };
  bench = await EdgeBench.start(10, { tls });
}

function pems() {
  return { cert: readFileSync(own.cert), key: readFileSync(own.key), ca: readFileSync(own.ca) };
}

function accept(peer: SipPeer, invite: SeenMessage, contact: string): void {
  peer.answer(invite, '200 OK', 'bob', [`Contact: <${contact}>`], ANSWER);
}

async function failure(call: Promise<unknown>): Promise<number> {
  const error: unknown = await call.catch((reason: unknown) => reason);
  return typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 0;
}

describe('TLS', () => {
  it('takes calls, and sends within them over the same connection', async () => {
    await secured();
    const app = await bench.answering();
    const peer = bench.keep(await SipPeer.tls(bench.edge.tlsPort ?? 0, { ca: pems().ca }));
    const { call, dialog } = await bench.answered(peer, app, 'TLS');
    expect(call.target).toBe(`sip:127.0.0.1:${bench.edge.tlsPort};transport=tls`);
    dialog.destroy();
    const bye = await call.request('BYE');
    expect(bye.get('via')).toMatch(/^SIP\/2.0\/TLS /);
    peer.answer(bye, '200 OK');
    const secure = new ScriptedCall(peer, `sips:8001@127.0.0.1:${bench.edge.tlsPort}`, 'TLS');
    secure.send('INVITE', { body: OFFER });
    expect((await secure.response(200)).get('contact')).toBe(`<sips:127.0.0.1:${bench.edge.tlsPort}>`);
    secure.send('ACK');
    secure.send('BYE');
    await secure.response(200, 'BYE');
  });

  it('calls out by transport=tls and by sips', async () => {
    await secured();
    const srf = await bench.application();
    const peer = bench.keep(await SipPeer.tlsServer(pems()));
    for (const [uri, contact] of [
      [`sip:bob@127.0.0.1:${peer.port};transport=tls`, `<sip:127.0.0.1:${bench.edge.tlsPort};transport=tls>`],
      [`sips:bob@127.0.0.1:${peer.port}`, `<sips:127.0.0.1:${bench.edge.tlsPort}>`],
    ] as const) {
      const dialog = srf.createUAC(uri, { localSdp: OFFER });
      const invite = await peer.request('INVITE');
      expect([invite.get('via').slice(0, 11), invite.get('contact')]).toEqual(['SIP/2.0/TLS', contact]);
      accept(peer, invite, uri);
      (await dialog).destroy();
      peer.answer(await peer.request('BYE'), '200 OK');
    }
  });

  it('does not call a server that is not who it was called as', async () => {
    await secured({ ca: own.cert });
    const srf = await bench.application();
    const peer = bench.keep(await SipPeer.tlsServer(pems()));
    const named = `sips:bob@localhost:${peer.port}`;
    expect(await failure(srf.createUAC(named, { localSdp: OFFER }))).toBe(503);
    expect(peer.seen).toEqual([]);
  });

  it('asks clients for a certificate when told to', async () => {
    await secured({ verifyClients: true });
    await bench.answering();
    const without = await SipPeer.tls(bench.edge.tlsPort ?? 0, { ca: pems().ca });
    without.send('OPTIONS sip:a SIP/2.0\r\n\r\n');
    const peer = bench.keep(await SipPeer.tls(bench.edge.tlsPort ?? 0, pems()));
    const call = new ScriptedCall(peer, bench.uri, 'TLS');
    call.send('BYE');
    await call.response(481);
    without.close();
  });

  it('must have usable certificates, and without it sips is not understood', async () => {
    const broken = join(folder.path, 'broken.pem');
    writeFileSync(broken, 'no certificate');
    await expect(secured({ cert: broken })).rejects.toMatchObject({ code: 'PARLEY_ERR_EDGE_TLS' });
    await expect(secured({ key: '/nowhere' })).rejects.toMatchObject({ code: 'PARLEY_ERR_EDGE_TLS' });
    bench = await EdgeBench.start();
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri.replace('sip:', 'sips:'));
    call.send('INVITE', { body: OFFER });
    await call.response(416);
  });
});

const sixth = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

it.runIf(sixth)('listens on both families, and answers and calls each in its own', async () => {
  bench = await EdgeBench.start(10, { sip: { host: '::', port: 0 }, allowedNetworks: ['127.0.0.0/8', '::1/128'] });
  const app = await bench.answering();
  for (const host of ['127.0.0.1', '[::1]']) {
    const peer = bench.keep(await SipPeer.udp(bench.edge.sipPort, host.replace(/[[\]]/g, '')));
    const call = new ScriptedCall(peer, bench.uri.replace('127.0.0.1', host));
    const here = (text: string) => text.replaceAll('127.0.0.1', host);
    const send = (method: string, body = '') => peer.send(here(call.text(method, { body: here(body) })));
    const made = app.next();
    send('INVITE', OFFER);
    const answer = await call.response(200, 'INVITE');
    expect(answer.get('contact')).toBe(`<sip:${host}:${bench.edge.sipPort}>`);
    send('ACK');
    (await made).destroy();
    const bye = await call.request('BYE');
    expect(bye.get('via')).toContain(`SIP/2.0/UDP ${host}:${bench.edge.sipPort};`);
    peer.answer(bye, '200 OK');
  }
});

it('answers a keep-alive by a blank line, in whatever pieces it comes (RFC 5626)', async () => {
  bench = await EdgeBench.start();
  const socket = connect(bench.edge.sipPort, '127.0.0.1');
  socket.setNoDelay(true);
  for (const piece of ['\r\n', '\r', '\n']) await new Promise((resolve) => socket.write(piece, resolve));
  const [pong] = await once(socket, 'data');
  expect(String(pong)).toBe('\r\n');
  socket.destroy();
});

describe('a request too long for UDP', () => {
  const long = { localSdp: `${OFFER}${'a=x:1234567890\r\n'.repeat(100)}` };

  it('goes over TCP, its Via saying so', async () => {
    bench = await EdgeBench.start();
    const srf = await bench.application();
    const peer = await bench.tcpServer();
    const dialog = srf.createUAC(`sip:bob@127.0.0.1:${peer.port}`, long);
    const invite = await peer.request('INVITE');
    expect(invite.get('via')).toMatch(/^SIP\/2.0\/TCP /);
    accept(peer, invite, `sip:bob@127.0.0.1:${peer.port};transport=tcp`);
    (await dialog).destroy();
    peer.answer(await peer.request('BYE'), '200 OK');
  });

  it('goes over UDP when TCP is refused, or UDP was asked for', async () => {
    bench = await EdgeBench.start();
    const srf = await bench.application();
    const peer = await bench.udpPeer();
    peer.absorbs = true;
    for (const param of ['', '', ';transport=udp']) {
      const dialog = srf.createUAC(`sip:bob@127.0.0.1:${peer.port}${param}`, long);
      const invite = await peer.request('INVITE');
      expect(invite.get('via')).toMatch(/^SIP\/2.0\/UDP /);
      accept(peer, invite, `sip:bob@127.0.0.1:${peer.port}`);
      (await dialog).destroy();
      peer.answer(await peer.request('BYE'), '200 OK');
    }
    await until(() => bench.edge.counts().tcpConnections === 0);
  });
});
