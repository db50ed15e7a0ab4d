import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnsweringApp, EdgeBench, OFFER, SECRET, until } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SipPeer } from '../../../test/kit/edge-peer.js';
import { ParleyError } from '../../errors.js';
import { createLogger } from '../../telemetry/log.js';
import { startEdge } from './edge-host.js';
import { EdgeServer } from './edge-server.js';

const TORTURE = join(process.env.PARLEY_TEST_DATA ?? '../shared/data', 'sip-torture');

let bench: EdgeBench;
let app: AnsweringApp;
let peer: SipPeer;

beforeEach(async () => {
  bench = await EdgeBench.start();
  app = await bench.answering();
  peer = await bench.udpPeer();
});

afterEach(async () => {
  await bench.close();
  expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0, tcpConnections: 0 });
});

/** A whole call still works. */
async function takesCalls(): Promise<void> {
  const call = new ScriptedCall(peer, bench.uri);
  const made = app.next();
  call.send('INVITE', { body: OFFER });
  await call.response(200, 'INVITE');
  call.send('ACK');
  const destroyed = once(await made, 'destroy');
  call.send('BYE');
  await call.response(200, 'BYE');
  await destroyed;
}

describe('hostile input', () => {
  it('over UDP is answered or dropped, and costs only itself', async () => {
    const call = new ScriptedCall(peer, bench.uri);
    const invite = call.text('INVITE', { body: OFFER });
    const broken = [
      '\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n',
      'not SIP at all, but long enough to be looked at',
      invite.slice(0, 40),
      invite.slice(0, invite.indexOf('Max-Forwards')),
      `${invite}trailing`.replace('Content-Length: ', 'Content-Length: 9'),
      invite.replace('Via:', 'Vla:'),
      invite.replace(' SIP/2.0\r\n', ' SIP/3.0\r\n'),
      `INVITE sip:a SIP/2.0\r\nX: ${' '.repeat(60_000)}\r\n\r\n`,
      'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKnone\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n',
      call.text('ACK'),
      call.text('CANCEL'),
    ];
    for (const text of broken) peer.send(text);
    await peer.response(505);
    expect((await peer.response(400)).startLine).toMatch(/^SIP\/2\.0 400 Bad Request \(.+\)$/);
    await peer.response(481, 'CANCEL');
    await takesCalls();
  });

  it('over TCP closes that connection only; messages in pieces and in one piece are read', async () => {
    const whole = await bench.tcpPeer();
    const call = new ScriptedCall(whole, bench.uri, 'TCP');
    for (const text of ['GET / HTTP/1.1\r\n\r\n', 'x'.repeat(70_000), call.text('INFO').replace(': 0\r', ': -1\r')]) {
      const socket = connect(bench.edge.sipPort, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      socket.write(text);
      await once(socket, 'close');
    }
    const made = app.next();
    for (const byte of `\r\n\r\n${call.text('INVITE', { body: OFFER })}`) whole.send(byte);
    await call.response(200, 'INVITE');
    whole.send(call.text('ACK') + call.text('INFO') + call.text('BYE'));
    await call.response(200, 'INFO');
    await call.response(200, 'BYE');
    await made;
    await takesCalls();
  });

  it('of known scanners is not answered', async () => {
    for (const name of ['friendly-scanner', 'sipvicious', 'VaxSIPUserAgent/3.5']) {
      const call = new ScriptedCall(peer, bench.uri);
      call.send('OPTIONS', { extra: [`User-Agent: ${name}`] });
      call.send('INVITE', { extra: [`User-Agent: ${name}`, 'Broken header'] });
    }
    await takesCalls();
    expect(peer.seen.every((m) => m.get('call-id') === peer.seen[0]?.get('call-id'))).toBe(true);
  });

  it('whose very Via or version is at fault is answered all the same', async () => {
    const send = (from: RegExp, to: string) => {
      const call = new ScriptedCall(peer, bench.uri);
      peer.send(call.text('OPTIONS').replace(from, to));
      return call;
    };
    await send(/(Via: [^;]*);.*/, '$1;;,;,,').next((m) => m.status === 400);
    await send(/Via: SIP\/2.0/, 'Via: SIP/7.0').next((m) => m.status === 400);
    await send(/(\r\nVia: SIP\/)2.0|2.0(?=\r\nVia)/g, '$17.0').next((m) => m.status === 505);
    const twice = await send(/(From:.*)/, '$1\r\nFrom: <sip:other@h>;tag=2').next((m) => m.status === 400);
    expect(twice.all('from')).toHaveLength(1);
  });

  it.runIf(existsSync(TORTURE))('of RFC 4475, over TCP, leaves it answering calls', async () => {
    // Strangers are turned away: a call of theirs would be ended with a BYE to hosts that are not this machine.
    app.admits = (req) => req.source_address === '127.0.0.1' && req.get('from').includes('sip:caller@127.0.0.1');
    for (const [i, name] of readdirSync(TORTURE).entries()) {
      const stream = connect({ port: bench.edge.sipPort, host: '127.0.0.1', localAddress: `127.0.1.${i + 1}` });
      stream.on('error', () => undefined).resume();
      stream.end(readFileSync(join(TORTURE, name)));
    }
    await takesCalls();
    await until(() => bench.edge.counts().tcpConnections === 0);
  });
});

describe('the allowed networks', () => {
  it('are all that is answered', async () => {
    const closed = await EdgeBench.start(10, { allowedNetworks: ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7'] });
    const outside = await closed.udpPeer();
    const call = new ScriptedCall(outside, closed.uri);
    outside.send('BROKEN sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\r\n');
    call.send('OPTIONS');
    const stream = connect(closed.edge.sipPort, '127.0.0.1');
    stream.on('error', () => undefined).resume();
    await once(stream, 'close');
    // What the application calls is heard, and may go on in the dialog, but begins nothing of its own.
    const srf = await closed.application((one) => one.use('options', (_req, res) => res.send(200, {})));
    const dialog = srf.createUAC(`sip:b@127.0.0.1:${outside.port}`, { localSdp: OFFER });
    const invite = await outside.request('INVITE');
    call.send('OPTIONS');
    outside.answer(invite, '200 OK', 'b', [`Contact: <sip:b@127.0.0.1:${outside.port}>`], OFFER);
    (await dialog).destroy();
    outside.answer(await outside.request('BYE'), '200 OK', 'b');
    expect(outside.seen.every((m) => m.status === 0)).toBe(true);
    await closed.close();
  });

  it('must be networks', async () => {
    for (const network of ['300.1.1.1', '10.0.0.0/33', '10.0.0.0/8/8', 'localhost', '']) {
      const starting = EdgeServer.start({
        sip: { host: '127.0.0.1', port: 0 },
        control: { host: '127.0.0.1', port: 0 },
        secret: SECRET,
        allowedNetworks: [network],
        log: createLogger('silent'),
      });
      await expect(starting).rejects.toMatchObject({ code: 'PARLEY_ERR_EDGE_NETWORK' });
    }
  });
});

describe('startEdge', () => {
  const options = {
    sip: { host: '127.0.0.1', port: 0 },
    control: { host: '127.0.0.1', port: 0 },
    secret: SECRET,
    allowedNetworks: ['127.0.0.0/8'],
    logLevel: 'silent' as const,
  };

  it('runs an edge in its own thread until it is closed', async () => {
    const edge = await startEdge(options);
    expect(edge.sipHost).toBe('127.0.0.1');
    expect(await edge.counts()).toEqual({ transactions: 0, dialogs: 0, tcpConnections: 0, timers: 0, applications: 0 });
    const exit = new Promise((resolve) => edge.onExit(resolve));
    await edge.close();
    expect(await exit).toBeUndefined();
    await expect(edge.counts()).rejects.toMatchObject({ code: 'PARLEY_ERR_EDGE_THREAD' });
  });

  it('says what it cannot listen on', async () => {
    const sip = { host: '127.0.0.1', port: bench.edge.sipPort };
    const error: unknown = await startEdge({ ...options, sip }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ParleyError);
    expect(error).toMatchObject({ code: 'PARLEY_ERR_EDGE_LISTEN', details: { address: `127.0.0.1:${sip.port}` } });
  });
});
