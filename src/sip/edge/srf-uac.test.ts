/** drachtio-srf's client side and back-to-back calls; against a real drachtio-server when DRACHTIO_HOST names one. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER, OFFER } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SipPeer } from '../../../test/kit/edge-peer.js';
import {
  type SrfAgent,
  SrfBench,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
} from '../../../test/kit/srf-bench.js';

let bench: SrfBench;
let callee: SipPeer;

beforeEach(async () => {
  bench = await SrfBench.start();
});

afterEach(async () => {
  await bench.nothingLeft();
  await bench.close();
});

const at = (peer: SipPeer) => `sip:b@127.0.0.1:${peer.port}`;
const contact = (peer: SipPeer) => [`Contact: <${at(peer)}>`];

async function agent(): Promise<SrfAgent> {
  const srf = await bench.application();
  callee = await bench.peer();
  return srf;
}

async function ended(dialog: SrfDialog, peer: SipPeer): Promise<void> {
  const destroyed = dialog.destroy();
  peer.answer(await peer.request('BYE'), '200 OK');
  await destroyed;
}

describe('createUAC', () => {
  it('tells what it sent and what came, and makes a dialog with all its parts', async () => {
    const srf = await agent();
    const told: string[] = [];
    const headers = { 'Call-ID': 'chosen@here', From: '"A" <sip:a@localhost>;tag=mine', 'X-Own': 'one', Via: 'none' };
    const made = srf.createUAC(
      at(callee),
      { localSdp: OFFER, headers },
      {
        cbRequest: (_error: unknown, req: SrfRequest) => told.push(req.get('call-id')),
        cbProvisional: (res: SrfResponse) => told.push(`${res.status} ${res.reason} ${res.get('x-ring')}`),
      },
    );
    const invite = await callee.request('INVITE');
    expect(invite.get('from')).toMatch(/^"A" <sip:a@127.0.0.1:\d+>;tag=mine$/);
    expect(invite.all('via')).toHaveLength(1);
    expect(invite.get('x-own')).toBe('one');
    callee.answer(invite, '180 Ringing', 'b', ['X-Ring: loud']);
    callee.answer(invite, '200 OK', 'b', contact(callee), ANSWER);
    const dialog = await made;
    expect((await callee.request('ACK')).startLine).toBe(`ACK ${at(callee)} SIP/2.0`);
    expect(told).toEqual(['chosen@here', '180 Ringing loud']);
    expect(dialog.id).toBe('chosen@here;from-tag=mine');
    expect(dialog.sip).toMatchObject({ callId: 'chosen@here', localTag: 'mine', remoteTag: 'b' });
    expect(dialog).toMatchObject({ local: { sdp: OFFER }, remote: { sdp: ANSWER, uri: at(callee) } });
    await ended(dialog, callee);
  });

  it('fails with the status, the reason and the response', async () => {
    const srf = await agent();
    for (const start of ['302 Moved Temporarily', '486 Busy Here', '603 Decline']) {
      const made = srf.createUAC(at(callee), { localSdp: OFFER });
      const failed = made.catch((error: { status: number; reason: string; res: SrfResponse }) => error);
      callee.answer(await callee.request('INVITE'), start, 'b', ['X-Why: so', 'Contact: <sip:c@192.0.2.1>']);
      await callee.request('ACK');
      const error = Object.assign({ status: 0, reason: '', res: { get: (_: string) => '' } }, await failed);
      expect(`${error.status} ${error.reason} ${error.res.get('x-why')}`).toBe(`${start} so`);
    }
  });

  it('is cancelled', async () => {
    const srf = await agent();
    let sent: SrfRequest | undefined;
    const cbRequest = (_error: unknown, req: SrfRequest) => {
      sent = req;
    };
    const made = expect(srf.createUAC(at(callee), { localSdp: OFFER }, { cbRequest })).rejects.toMatchObject({
      status: 487,
    });
    const invite = await callee.request('INVITE');
    callee.answer(invite, '180 Ringing', 'b');
    sent?.cancel({ headers: { Reason: 'SIP;cause=200' } });
    const cancel = await callee.request('CANCEL');
    expect(cancel.get('reason')).toBe('SIP;cause=200');
    callee.answer(cancel, '200 OK');
    callee.answer(invite, '487 Request Terminated', 'b');
    await made;
  });

  it('answers challenges by function too, through a proxy', async () => {
    const srf = await agent();
    const auth = (_req: SrfRequest, _res: SrfResponse, give: (...args: (string | null)[]) => void) =>
      give(null, 'u', 'p');
    const made = srf.createUAC('sip:far@192.0.2.1', { localSdp: OFFER, auth, proxy: `sip:127.0.0.1:${callee.port}` });
    const first = await callee.request('INVITE');
    expect(first.startLine).toBe('INVITE sip:far@192.0.2.1 SIP/2.0');
    callee.answer(first, '407 Proxy Authentication Required', 'b', ['Proxy-Authenticate: Digest realm="r", nonce="n"']);
    await callee.request('ACK');
    const second = await callee.request('INVITE');
    expect(second.get('proxy-authorization')).toMatch(/^Digest username="u",realm="r",nonce="n"/);
    expect(second.get('call-id')).toBe(first.get('call-id'));
    expect(Number.parseInt(second.get('cseq'), 10)).toBe(Number.parseInt(first.get('cseq'), 10) + 1);
    callee.answer(second, '200 OK', 'b', contact(callee), ANSWER);
    const dialog = await made;
    await callee.request('ACK');
    // The BYE is challenged as well; the dialog stays until it went through.
    const gone = dialog.destroy();
    const bye = await callee.request('BYE');
    callee.answer(bye, '407 Proxy Authentication Required', '', ['Proxy-Authenticate: Digest realm="r", nonce="m"']);
    const again = await callee.request('BYE');
    expect(again.get('proxy-authorization')).toContain('nonce="m"');
    callee.answer(again, '200 OK');
    await gone;
  });

  it('without an offer leaves the ACK, with its answer, to the application', async () => {
    const srf = await agent();
    const made = srf.createUAC(at(callee), { noAck: true });
    const invite = await callee.request('INVITE');
    expect(invite.body).toBe('');
    callee.answer(invite, '200 OK', 'b', contact(callee), OFFER);
    const offered = await made;
    expect(offered.sdp).toBe(OFFER);
    const dialog = await offered.ack(ANSWER);
    expect((await callee.request('ACK')).body).toBe(ANSWER);
    await ended(dialog, callee);
  });

  it('acknowledges reliable provisional responses', async () => {
    const srf = await agent();
    const made = srf.createUAC(at(callee), { localSdp: OFFER, headers: { Supported: '100rel' } });
    const invite = await callee.request('INVITE');
    callee.answer(invite, '183 Session Progress', 'b', [...contact(callee), 'Require: 100rel', 'RSeq: 7'], ANSWER);
    const prack = await callee.request('PRACK');
    expect(prack.get('rack')).toBe(`7 ${invite.get('cseq')}`);
    callee.answer(prack, '200 OK');
    callee.answer(invite, '200 OK', 'b', contact(callee));
    const dialog = await made;
    await callee.request('ACK');
    await ended(dialog, callee);
  });
});

describe('request', () => {
  it('goes out outside dialogs and brings its response', async () => {
    const srf = await agent();
    for (const method of ['OPTIONS', 'MESSAGE', 'INFO', 'PUBLISH', 'REGISTER', 'REFER', 'NOTIFY']) {
      const headers = {
        'Content-Type': 'text/plain',
        'Refer-To': '<sip:x@y>',
        Event: 'e',
        'Subscription-State': 'active',
      };
      const sent = await srf.request(at(callee), { method, headers, body: 'text' });
      const response = once(sent, 'response');
      callee.answer(await callee.request(method), '202 Accepted', 'b', ['X-Answer: yes']);
      const [res]: SrfResponse[] = await response;
      expect(`${res?.status} ${res?.reason} ${res?.get('x-answer')}`).toBe('202 Accepted yes');
    }
    await expect(srf.request(bench.uri, { method: 'OPTIONS' })).rejects.toMatchObject({ code: 'EDRACHTIO' });
  });
});

interface Joined {
  uas: SrfDialog;
  uac: SrfDialog;
}

describe('createB2BUA', () => {
  let caller: SipPeer;
  let outcome: Promise<Joined>;

  /** An application that forwards its calls. */
  async function forwarding(options: object, failed: (res: SrfResponse) => void = () => undefined): Promise<void> {
    let settle: (joined: Promise<Joined>) => void = () => undefined;
    outcome = new Promise((resolve) => {
      settle = resolve;
    });
    outcome.catch(() => undefined);
    await bench.application((srf) => {
      srf.use('invite', (req, res) => {
        const joined = srf.createB2BUA(req, res, at(callee), { ...options });
        joined.catch(() => failed(res));
        settle(joined);
      });
    });
    [caller, callee] = [await bench.peer(), await bench.peer()];
  }

  function call(extra: string[] = [], body = OFFER): ScriptedCall {
    const made = new ScriptedCall(caller, bench.uri);
    made.send('INVITE', { body, extra });
    return made;
  }

  /** Ends a call from the caller's side, as an application does that joins its dialogs. */
  async function hangUp(one: ScriptedCall): Promise<void> {
    const { uas, uac } = await outcome;
    uas.on('destroy', () => uac.destroy());
    one.send('BYE');
    await one.response(200, 'BYE');
    callee.answer(await callee.request('BYE'), '200 OK');
  }

  it('joins two calls: headers of both ways, descriptions by functions, ringing', async () => {
    await forwarding({
      headers: { 'X-Set': 'set' },
      proxyRequestHeaders: ['X-From-A'],
      proxyResponseHeaders: ['X-From-B'],
      responseHeaders: (_res: SrfResponse, headers: object) => ({ ...headers, 'X-Added': 'added' }),
      localSdpB: ANSWER,
      localSdpA: async (sdp: string) => sdp.replace('o=peer', 'o=both'),
    });
    const one = call(['X-From-A: a', 'X-Other: never']);
    const invite = await callee.request('INVITE');
    expect([invite.get('x-set'), invite.get('x-from-a'), invite.get('x-other')]).toEqual(['set', 'a', '']);
    expect(invite.get('from')).toContain('"Caller" <sip:caller@');
    expect(invite.body).toBe(ANSWER);
    callee.answer(invite, '183 Session Progress', 'b', [...contact(callee), 'X-From-B: early'], OFFER);
    const progress = await one.response(183);
    expect([progress.get('x-from-b'), progress.get('x-added')]).toEqual(['early', 'added']);
    callee.answer(invite, '200 OK', 'b', [...contact(callee), 'X-From-B: late'], OFFER);
    const ok = await one.response(200, 'INVITE');
    expect([ok.get('x-from-b'), ok.get('x-added')]).toEqual(['late', 'added']);
    expect(ok.body).toBe(OFFER.replace('o=peer', 'o=both'));
    one.send('ACK');
    await callee.request('ACK');
    await hangUp(one);
  });

  it('passes a failure on, or leaves it to the application', async () => {
    await forwarding({});
    const one = call();
    callee.answer(await callee.request('INVITE'), '486 Busy Here', 'b');
    await one.response(486, 'INVITE');
    one.send('ACK', { sameBranch: true });
    await expect(outcome).rejects.toMatchObject({ status: 486 });
    await bench.close();
    bench = await SrfBench.start();
    await forwarding({ passFailure: false, passProvisionalResponses: false }, (res) => res.send(480, {}));
    const two = call();
    const invite = await callee.request('INVITE');
    callee.answer(invite, '180 Ringing', 'b');
    callee.answer(invite, '503 Service Unavailable', 'b');
    await two.response(480, 'INVITE');
    two.send('ACK', { sameBranch: true });
    expect(caller.seen.map(({ status }) => status)).not.toContain(180);
  });

  it('cancels the second call with the first', async () => {
    await forwarding({});
    const one = call();
    const invite = await callee.request('INVITE');
    callee.answer(invite, '180 Ringing', 'b');
    await one.response(180);
    one.send('CANCEL', { sameBranch: true, extra: ['Reason: SIP;cause=487;text="away"'] });
    const cancel = await callee.request('CANCEL');
    expect(cancel.get('reason')).toContain('away');
    callee.answer(cancel, '200 OK');
    callee.answer(invite, '487 Request Terminated', 'b');
    await one.response(487, 'INVITE');
    one.send('ACK', { sameBranch: true });
    await expect(outcome).rejects.toMatchObject({ status: 487 });
  });

  it('joins calls without an offer: the answer comes with the ACK', async () => {
    await forwarding({});
    const one = call([], '');
    const invite = await callee.request('INVITE');
    expect(invite.body).toBe('');
    callee.answer(invite, '200 OK', 'b', contact(callee), OFFER);
    expect((await one.response(200, 'INVITE')).body).toBe(OFFER);
    one.send('ACK', { body: ANSWER });
    expect((await callee.request('ACK')).body).toBe(ANSWER);
    await hangUp(one);
  });

  it('passes reliable ringing through, end to end', async () => {
    await forwarding({ proxyRequestHeaders: ['Supported'], proxyResponseHeaders: ['Require'] });
    const one = call(['Supported: 100rel']);
    const invite = await callee.request('INVITE');
    expect(invite.get('supported')).toBe('100rel');
    callee.answer(invite, '183 Session Progress', 'b', [...contact(callee), 'Require: 100rel', 'RSeq: 1'], OFFER);
    callee.answer(await callee.request('PRACK'), '200 OK');
    const progress = await one.response(183);
    one.send('PRACK', { extra: [`RAck: ${progress.get('rseq')} ${progress.get('cseq')}`] });
    await one.response(200, 'PRACK');
    callee.answer(invite, '200 OK', 'b', contact(callee), OFFER);
    await one.response(200, 'INVITE');
    // CSeq went on with the PRACK; the ACK has the INVITE's.
    one.cseq--;
    one.send('ACK');
    one.cseq++;
    await callee.request('ACK');
    await hangUp(one);
  });
});
