import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER, EdgeBench, OFFER, SECRET, until } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SeenMessage, type SipPeer } from '../../../test/kit/edge-peer.js';

interface Outcome {
  connected: boolean;
  finalStatus: number;
  responses: { port: number; msgs: { status: number }[] }[];
}

let bench: EdgeBench;
let caller: SipPeer;
let callee: SipPeer;
let other: SipPeer;

beforeEach(async () => {
  bench = await EdgeBench.start();
  [caller, callee, other] = await Promise.all([bench.udpPeer(), bench.udpPeer(), bench.udpPeer()]);
});

afterEach(async () => {
  expect(bench.edge.counts().dialogs).toBe(0);
  await bench.close();
});

const at = (peer: SipPeer) => `sip:b@127.0.0.1:${peer.port}`;
const contact = (peer: SipPeer) => [`Contact: <${at(peer)}>`];

/** An application that proxies all it is given; resolves to what it is told at the end of each. */
async function proxying(targets: () => string[], options: object = {}): Promise<{ outcome(): Promise<Outcome> }> {
  const told: Promise<Outcome>[] = [];
  await bench.application((srf) => {
    const agent: { proxyRequest(req: Srf.SrfRequest, to: string[], options: object): Promise<Outcome> } =
      Object.create(srf);
    for (const verb of ['invite', 'register', 'options']) {
      srf.use(verb, (req) => {
        const outcome = agent.proxyRequest(req, targets(), { ...options });
        outcome.catch(() => undefined);
        told.push(outcome);
      });
    }
  });
  return {
    outcome: async () => {
      await until(() => told.length > 0);
      return told.shift() ?? Promise.reject();
    },
  };
}

function invite(): ScriptedCall {
  const call = new ScriptedCall(caller, bench.uri);
  call.send('INVITE', { body: OFFER });
  return call;
}

/** The callee's answer, and the caller's ACK as the callee sees it. */
async function answered(call: ScriptedCall, request: SeenMessage, ack: () => void): Promise<SeenMessage> {
  callee.answer(request, '200 OK', 'b', contact(callee), ANSWER);
  await call.response(200, 'INVITE');
  ack();
  return callee.request('ACK');
}

describe('proxyRequest', () => {
  it('passes an INVITE on and steps aside: what follows goes past the edge', async () => {
    const app = await proxying(() => [at(callee)]);
    const call = invite();
    const request = await callee.request('INVITE');
    expect(request.startLine).toBe(`INVITE ${at(callee)} SIP/2.0`);
    expect(request.all('via')).toHaveLength(2);
    expect(request.get('max-forwards')).toBe('69');
    expect(request.get('record-route')).toBe('');
    expect(request.body).toBe(OFFER);
    callee.answer(request, '180 Ringing', 'b', contact(callee));
    expect((await call.response(180)).all('via')).toHaveLength(1);
    callee.answer(request, '200 OK', 'b', contact(callee), ANSWER);
    expect((await call.response(200)).body).toBe(ANSWER);
    // A repeated 2xx comes through too, until the caller's ACK reaches the callee by itself.
    callee.answer(request, '200 OK', 'b', contact(callee), ANSWER);
    await call.response(200);
    const outcome = await app.outcome();
    expect(outcome).toMatchObject({ connected: true, finalStatus: 200 });
    expect(outcome.responses).toMatchObject([{ port: callee.port, msgs: [{ status: 200 }] }]);
  });

  it('stays in the dialog when asked to: ACK, re-INVITE and BYE of both sides pass through', async () => {
    await proxying(() => [at(callee)], { remainInDialog: true });
    const call = invite();
    const request = await callee.request('INVITE');
    const route = request.get('record-route');
    expect(route).toMatch(new RegExp(`^<sip:127.0.0.1:${bench.edge.sipPort};lr;call=[0-9a-f]+>$`));
    const extra = [`Route: ${route}`];
    const ack = await answered(call, request, () => call.send('ACK', { extra }));
    expect(ack.startLine).toBe(`ACK ${at(callee)} SIP/2.0`);
    expect(ack.all('route')).toEqual([]);

    call.cseq++;
    call.send('INVITE', { extra, body: OFFER });
    const again = await callee.request('INVITE');
    callee.answer(again, '200 OK', 'b', contact(callee), ANSWER);
    await call.response(200, 'INVITE');
    call.send('ACK', { extra });
    await callee.request('ACK');

    const bye = [
      `BYE sip:caller@127.0.0.1:${caller.port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${callee.port};branch=z9hG4bK-callee-bye`,
      'Max-Forwards: 70',
      `Route: ${route}`,
      `From: <${bench.uri}>;tag=b`,
      `To: ${request.get('from')}`,
      `Call-ID: ${call.callId}`,
      'CSeq: 1 BYE',
      'Content-Length: 0',
    ];
    callee.send(`${bye.join('\r\n')}\r\n\r\n`);
    caller.answer(await caller.request('BYE'), '200 OK');
    await callee.response(200, 'BYE');
  });

  it('relays nothing by a route that it did not give out', async () => {
    await proxying(() => [at(callee)], { remainInDialog: true });
    const call = new ScriptedCall(caller, bench.uri);
    call.toTag = 'b';
    call.target = at(callee);
    for (const token of ['', ';call=0123456789abcdef01234567']) {
      call.send('INFO', { extra: [`Route: <sip:127.0.0.1:${bench.edge.sipPort};lr${token}>`] });
      await call.response(481, 'INFO');
    }
    expect(callee.seen).toEqual([]);
  });

  it('tries one target after another, and sends back the best of their answers', async () => {
    const app = await proxying(() => [at(other), at(callee)]);
    const call = invite();
    other.answer(await other.request('INVITE'), '404 Not Found', 'o');
    await other.request('ACK');
    callee.answer(await callee.request('INVITE'), '503 Service Unavailable', 'b');
    await call.response(404, 'INVITE');
    call.send('ACK', { sameBranch: true });
    const outcome = await app.outcome();
    expect(outcome).toMatchObject({ connected: false });
    expect(outcome.responses.flatMap(({ msgs }) => msgs.map(({ status }) => status))).toEqual([404, 503]);
  });

  it('forks: the first to answer has the call, the others are cancelled', async () => {
    const app = await proxying(() => [at(other), at(callee)], { forking: 'simultaneous' });
    const call = invite();
    const [one, two] = await Promise.all([other.request('INVITE'), callee.request('INVITE')]);
    other.answer(one, '180 Ringing', 'o');
    await call.response(180);
    callee.answer(two, '200 OK', 'b', contact(callee), ANSWER);
    await call.response(200, 'INVITE');
    other.answer(await other.request('CANCEL'), '200 OK');
    other.answer(one, '487 Request Terminated', 'o');
    await other.request('ACK');
    expect((await app.outcome()).connected).toBe(true);
    expect(call.toTag).toBe('b');
    await until(() => bench.edge.counts().transactions === 0);
    expect(bench.edge.counts()).toMatchObject({ dialogs: 0, timers: 0 });
  });

  it('passes CANCEL on', async () => {
    const app = await proxying(() => [at(callee)]);
    const call = invite();
    const request = await callee.request('INVITE');
    callee.answer(request, '180 Ringing', 'b');
    await call.response(180);
    call.send('CANCEL', { sameBranch: true });
    await call.response(200, 'CANCEL');
    callee.answer(await callee.request('CANCEL'), '200 OK');
    callee.answer(request, '487 Request Terminated', 'b');
    await call.response(487, 'INVITE');
    call.send('ACK', { sameBranch: true });
    expect(await app.outcome()).toMatchObject({ connected: false, finalStatus: 487 });
  });

  it('follows redirections when asked to, and gives up on the silent', async () => {
    const app = await proxying(() => [at(other)], { followRedirects: true, provisionalTimeout: '100ms' });
    const call = invite();
    other.answer(await other.request('INVITE'), '302 Moved', 'o', [`Contact: <${at(callee)}>`]);
    await callee.request('INVITE');
    await call.response(408, 'INVITE');
    call.send('ACK', { sameBranch: true });
    expect((await app.outcome()).connected).toBe(false);
  });

  it('sends the credentials to the one that asked for them', async () => {
    await proxying(() => [at(other), at(callee)]);
    const call = invite();
    const challenge = ['WWW-Authenticate: Digest realm="r", nonce="n-1"'];
    other.answer(await other.request('INVITE'), '401 Unauthorized', 'o', challenge);
    expect((await call.response(401, 'INVITE')).get('www-authenticate')).toContain('n-1');
    call.send('ACK', { sameBranch: true });
    call.cseq++;
    call.send('INVITE', { extra: ['Authorization: Digest username="u", realm="r", nonce="n-1"'], body: OFFER });
    other.answer(await other.request('INVITE'), '486 Busy Here', 'o');
    await call.response(486, 'INVITE');
    call.send('ACK', { sameBranch: true });
    expect(callee.seen).toEqual([]);
  });

  it('passes other requests on; a registration is recorded by Path', async () => {
    const app = await proxying(() => [at(callee)], { remainInDialog: true, headers: { 'X-Through': 'edge' } });
    const call = new ScriptedCall(caller, bench.uri);
    call.send('REGISTER');
    const request = await callee.request('REGISTER');
    expect(request.get('path')).toContain(`127.0.0.1:${bench.edge.sipPort}`);
    expect(request.get('x-through')).toBe('edge');
    callee.answer(request, '200 OK', 'b');
    await call.response(200, 'REGISTER');
    expect((await app.outcome()).connected).toBe(true);
  });

  it('is refused with a reason when it can not be done', async () => {
    const app = await proxying(() => ['http://nowhere']);
    const call = invite();
    await call.response(500, 'INVITE');
    call.send('ACK', { sameBranch: true });
    await expect(app.outcome()).rejects.toContain('error proxying request to');
    const spent = new ScriptedCall(caller, bench.uri);
    caller.send(spent.text('OPTIONS').replace('Max-Forwards: 70', 'Max-Forwards: 0'));
    await spent.response(483);
    const answers = await bench.control([`authenticate|${SECRET}|`, 'proxy|unknown||||serial|||sip:b@127.0.0.1']);
    expect(answers[1]).toContain('|NOK|Unknown transaction id: unknown');
  });
});
