import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER, EdgeBench, OFFER, until } from '../../../test/kit/edge-bench.js';
import type { SipPeer } from '../../../test/kit/edge-peer.js';

let bench: EdgeBench;
let srf: Srf;

beforeEach(async () => {
  bench = await EdgeBench.start();
  srf = await bench.application();
});

afterEach(async () => {
  await bench.close();
  expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0 });
});

function to(peer: SipPeer, params = ''): string {
  return `sip:bob@127.0.0.1:${peer.port}${params}`;
}

function contact(peer: SipPeer): string[] {
  return [`Contact: <sip:bob@127.0.0.1:${peer.port}>`];
}

/** The status a call fails with. */
async function failure(call: Promise<unknown>): Promise<number> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (typeof error === 'object' && error !== null && 'status' in error) return Number(error.status);
  throw error ?? new Error('the call was answered');
}

async function finished(): Promise<void> {
  await until(() => bench.edge.counts().transactions === 0);
  expect(bench.edge.counts()).toMatchObject({ dialogs: 0, timers: 0 });
}

describe('a call of an application', () => {
  it('rings, is answered, and ended by the peer', async () => {
    const peer = await bench.udpPeer();
    const provisional: number[] = [];
    const dialog = srf.createUAC(
      to(peer),
      { localSdp: OFFER, headers: { From: '<sip:parley@localhost>', 'X-Note': 'Zürich' } },
      { cbProvisional: (res) => provisional.push(res.status) },
    );
    const invite = await peer.request('INVITE');
    expect(invite.get('from')).toMatch(new RegExp(`^<sip:parley@127.0.0.1:${bench.edge.sipPort}>;tag=`));
    expect(invite.get('contact')).toBe(`<sip:127.0.0.1:${bench.edge.sipPort}>`);
    expect(invite.get('x-note')).toBe('Zürich');
    expect(invite.body).toBe(OFFER);
    peer.answer(invite, '100 Trying');
    peer.answer(invite, '180 Ringing', 'bob');
    peer.answer(invite, '200 OK', 'bob', contact(peer), ANSWER);
    const made = await dialog;
    expect(provisional).toEqual([180]);
    expect(made.remote.sdp).toBe(ANSWER);
    const ack = await peer.request('ACK');
    expect(ack.startLine).toBe(`ACK sip:bob@127.0.0.1:${peer.port} SIP/2.0`);
    const destroyed = once(made, 'destroy');
    const via = `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK-bye`;
    const parties = [`From: ${ack.get('to')}`, `To: ${ack.get('from')}`, `Call-ID: ${ack.get('call-id')}`];
    const bye = [`BYE sip:127.0.0.1:${bench.edge.sipPort} SIP/2.0`, via, ...parties, 'CSeq: 1 BYE'];
    peer.send(`${bye.join('\r\n')}\r\n\r\n`);
    await peer.response(200, 'BYE');
    await destroyed;
    await finished();
  });

  it('goes over TCP when the URI says so', async () => {
    const peer = await bench.tcpServer();
    const dialog = srf.createUAC(to(peer, ';transport=tcp'), { localSdp: OFFER });
    const invite = await peer.request('INVITE');
    expect(invite.get('via')).toContain('SIP/2.0/TCP');
    expect(invite.get('contact')).toContain(';transport=tcp');
    const here = [`Contact: <sip:bob@127.0.0.1:${peer.port};transport=tcp>`];
    peer.answer(invite, '200 OK', 'bob', here, ANSWER);
    (await dialog).destroy();
    await peer.request('ACK');
    peer.answer(await peer.request('BYE'), '200 OK');
    await finished();
  });

  it.each([486, 302, 603])('fails with the status of the peer: %i', async (status) => {
    const peer = await bench.udpPeer();
    const call = failure(srf.createUAC(to(peer), { localSdp: OFFER }));
    const invite = await peer.request('INVITE');
    peer.answer(invite, `${status} No`, 'bob');
    expect(await call).toBe(status);
    const ack = await peer.request('ACK');
    expect(ack.get('via')).toBe(invite.get('via'));
    await finished();
  });

  it('authenticates by digest, keeping Call-ID and From, with the next CSeq', async () => {
    const peer = await bench.udpPeer();
    const call = srf.createUAC(to(peer), { localSdp: OFFER, auth: { username: 'u', password: 'p' } });
    const first = await peer.request('INVITE');
    peer.answer(first, '401 Unauthorized', 'x', ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5']);
    const second = await peer.next((m) => m.method === 'INVITE' && m.get('authorization') !== '');
    expect([second.get('call-id'), second.get('from')]).toEqual([first.get('call-id'), first.get('from')]);
    expect(Number.parseInt(second.get('cseq'), 10)).toBe(Number.parseInt(first.get('cseq'), 10) + 1);
    peer.answer(second, '200 OK', 'bob', contact(peer), ANSWER);
    (await call).destroy();
    const ack = await peer.next(
      (m) => m.method === 'ACK' && m.get('cseq') === second.get('cseq').replace('INVITE', 'ACK'),
    );
    expect(ack.get('authorization')).toBe(second.get('authorization'));
    peer.answer(await peer.request('BYE'), '200 OK');
    await finished();
  });

  it('is cancelled: the CANCEL waits for the first provisional response', async () => {
    const peer = await bench.udpPeer();
    let sent: Srf.SrfRequest | undefined;
    const progress = {
      cbRequest: (...args: unknown[]) => {
        // The typings leave out the error, which comes first.
        sent = args[1] as Srf.SrfRequest;
      },
    };
    const call = failure(srf.createUAC(to(peer), { localSdp: OFFER }, progress));
    const invite = await peer.request('INVITE');
    await new Promise((resolve) => sent?.cancel(resolve));
    expect(peer.seen.some((m) => m.method === 'CANCEL')).toBe(false);
    peer.answer(invite, '180 Ringing', 'bob');
    const cancel = await peer.request('CANCEL');
    expect(cancel.get('via')).toBe(invite.get('via'));
    peer.answer(cancel, '200 OK');
    peer.answer(invite, '487 Request Terminated', 'bob');
    expect(await call).toBe(487);
    await peer.request('ACK');
    await finished();
  });

  it('that is answered while its CANCEL is on the way is ended', async () => {
    const peer = await bench.udpPeer();
    let sent: Srf.SrfRequest | undefined;
    const progress = {
      cbRequest: (...args: unknown[]) => {
        // The typings leave out the error, which comes first.
        sent = args[1] as Srf.SrfRequest;
      },
    };
    const call = srf.createUAC(to(peer), { localSdp: OFFER }, progress);
    const invite = await peer.request('INVITE');
    peer.answer(invite, '180 Ringing', 'bob');
    await new Promise((resolve) => sent?.cancel(resolve));
    peer.answer(await peer.request('CANCEL'), '200 OK');
    peer.answer(invite, '200 OK', 'bob', contact(peer), ANSWER);
    const destroyed = once(await call, 'destroy');
    await peer.request('ACK');
    peer.answer(await peer.request('BYE'), '200 OK');
    await destroyed;
    await finished();
  });

  it('that nobody answers fails with 408, one refused or unresolvable with 503', async () => {
    const silent = createSocket('udp4');
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    expect(await failure(srf.createUAC(`sip:a@127.0.0.1:${silent.address().port}`, { localSdp: OFFER }))).toBe(408);
    silent.close();
    const gone = await bench.tcpServer();
    gone.close();
    const refused = `sip:a@127.0.0.1:${gone.port};transport=tcp`;
    expect(await failure(srf.createUAC(refused, { localSdp: OFFER }))).toBe(503);
    expect(await failure(srf.createUAC('sip:a@nowhere.invalid', { localSdp: OFFER }))).toBe(503);
    await finished();
  });

  it('is refused at once when it cannot be sent', async () => {
    const refusal = (uri: string) => srf.createUAC(uri, { localSdp: OFFER }).then(() => '', String);
    expect(await refusal(bench.uri)).toContain('can not send request to myself');
    expect(await refusal('sips:a@127.0.0.1')).toContain('requested protocol/transport not available');
    expect(await refusal('sip:a@127.0.0.1;transport=ws')).toContain('requested protocol/transport not available');
    expect(await refusal('sip:a@127.0.0.1:99999')).toContain('invalid request-uri');
  });

  it('answered twice by a fork keeps the first and ends the second', async () => {
    const peer = await bench.udpPeer();
    const call = srf.createUAC(to(peer), { localSdp: OFFER });
    const invite = await peer.request('INVITE');
    peer.answer(invite, '200 OK', 'one', contact(peer), ANSWER);
    const dialog = await call;
    peer.answer(invite, '200 OK', 'two', contact(peer), ANSWER);
    const bye = await peer.request('BYE');
    expect(bye.get('to')).toContain('tag=two');
    peer.answer(bye, '200 OK');
    dialog.destroy();
    const own = await peer.request('BYE');
    expect(own.get('to')).toContain('tag=one');
    peer.answer(own, '200 OK');
    await finished();
  });
});

describe('other requests of an application', () => {
  it('go out and bring their response; a proxy is the next hop', async () => {
    const peer = await bench.udpPeer();
    const agent: { request(uri: string, options: object): Promise<NodeJS.EventEmitter> } = Object.create(srf);
    const proxy = `sip:127.0.0.1:${peer.port}`;
    for (const method of ['OPTIONS', 'MESSAGE', 'REGISTER']) {
      const headers = { 'Content-Type': 'text/plain' };
      const sent = await agent.request('sip:far@192.0.2.1', { method, headers, body: 'grüezi', proxy });
      const response = once(sent, 'response');
      const request = await peer.request(method);
      expect(request.startLine).toBe(`${method} sip:far@192.0.2.1 SIP/2.0`);
      expect(request.get('content-length')).toBe('7');
      expect(request.get('contact') !== '').toBe(method === 'OPTIONS');
      peer.answer(request, '200 OK', 't');
      expect((await response)[0].status).toBe(200);
    }
    await expect(agent.request(to(peer), { method: 'MESSAGE', body: 'x' })).rejects.toThrow('missing content-type');
    await finished();
  });
});
