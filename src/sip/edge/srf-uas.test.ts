/** drachtio-srf's server side, event by event; against a real drachtio-server when DRACHTIO_HOST names one. */
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER as PLAIN_ANSWER, OFFER as PLAIN_OFFER } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SeenMessage, type SipPeer } from '../../../test/kit/edge-peer.js';
import {
  REAL,
  type SrfAgent,
  SrfBench,
  type SrfDialog,
  type SrfRequest,
  type SrfResponse,
} from '../../../test/kit/srf-bench.js';

const OFFER = `${PLAIN_OFFER}a=sendrecv\r\n`;
const ANSWER = `${PLAIN_ANSWER}a=sendrecv\r\n`;

let bench: SrfBench;
let peer: SipPeer;

beforeEach(async () => {
  bench = await SrfBench.start();
});

afterEach(async () => {
  await bench.nothingLeft();
  await bench.close();
});

/** An application that answers its calls, each with a dialog. */
async function answering(
  options: object = {},
): Promise<{ srf: SrfAgent; dialog(): Promise<SrfDialog>; req(): SrfRequest }> {
  const dialogs: Promise<SrfDialog>[] = [];
  const requests: SrfRequest[] = [];
  const srf = await bench.application((app) => {
    for (const method of ['invite', 'subscribe']) {
      app.use(method, (req, res) => {
        requests.push(req);
        dialogs.push(app.createUAS(req, res, { localSdp: method === 'invite' ? ANSWER : undefined, ...options }));
      });
    }
  });
  peer = await bench.peer();
  return {
    srf,
    dialog: () => dialogs.shift() ?? Promise.reject(new Error('no call')),
    req: () => requests.shift() ?? expect.fail('no request'),
  };
}

/** A call that is answered and acknowledged. */
async function answered(app: { dialog(): Promise<SrfDialog> }, offer = OFFER): Promise<[ScriptedCall, SrfDialog]> {
  const call = new ScriptedCall(peer, bench.uri);
  call.send('INVITE', { body: offer });
  await call.response(200, 'INVITE');
  const dialog = await app.dialog();
  const ack = once(dialog, 'ack');
  call.send('ACK');
  await ack;
  return [call, dialog];
}

async function hungUp(call: ScriptedCall): Promise<void> {
  call.send('BYE');
  await call.response(200, 'BYE');
}

async function reinvite(call: ScriptedCall, body: string): Promise<string> {
  call.cseq++;
  call.send('INVITE', { body });
  const answer = await call.response(200, 'INVITE');
  call.send('ACK');
  return answer.body;
}

describe('createUAS', () => {
  it('tells all about the request, and makes a dialog with all its parts', async () => {
    const app = await answering({ headers: { 'X-Own': 'one' }, localSdp: async () => ANSWER });
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER, extra: ['X-Given: a, b;c="d"'] });
    const ok = await call.response(200);
    expect(ok.get('x-own')).toBe('one');
    expect(ok.get('contact')).toContain('<sip:');
    const dialog = await app.dialog();
    const req = app.req();
    expect(req).toMatchObject({ callingNumber: 'caller', calledNumber: '8001', source_address: '127.0.0.1' });
    expect([req.protocol, Number(req.source_port), req.body]).toEqual(['udp', peer.port, OFFER]);
    expect(req.receivedOn).toBe(bench.uri.split('@')[1]);
    expect(req.get('X-Given')).toBe('a, b;c="d"');
    expect(dialog.id).toBe(`${call.callId};from-tag=${call.tag}`);
    expect(dialog.sip).toMatchObject({ callId: call.callId, localTag: call.toTag, remoteTag: call.tag });
    expect(dialog).toMatchObject({ dialogType: 'INVITE', local: { sdp: ANSWER }, remote: { sdp: OFFER } });
    expect(app.srf.findDialogById(dialog.id)).toBe(dialog);
    expect(app.srf.findDialogByCallIDAndFromTag(call.callId, call.tag)).toBe(dialog);
    call.send('ACK');
    const destroyed = once(dialog, 'destroy');
    await hungUp(call);
    expect((await destroyed)[1]).toBe('normal release');
    expect(app.srf.findDialogById(dialog.id)).toBeUndefined();
  });

  it('tells hold, unhold, refresh and modify of the peer apart', async () => {
    const app = await answering();
    const [call, dialog] = await answered(app);
    const held = once(dialog, 'hold');
    dialog.on('unhold', () => undefined);
    expect(await reinvite(call, OFFER.replace('sendrecv', 'sendonly'))).toContain('recvonly');
    await held;
    expect(dialog.onHold).toBe(true);
    const unheld = once(dialog, 'unhold');
    expect(await reinvite(call, OFFER)).toContain('sendrecv');
    await unheld;
    const refreshed = once(dialog, 'refresh');
    await reinvite(call, OFFER);
    await refreshed;
    dialog.once('modify', (_req: SrfRequest, res: SrfResponse) => res.send(200, { body: PLAIN_ANSWER }));
    expect(await reinvite(call, OFFER.replace('peer 1 1', 'peer 1 2').replace('4000', '4004'))).toBe(PLAIN_ANSWER);
    await hungUp(call);
  });

  it('lets the application hold, unhold and modify', async () => {
    const app = await answering();
    const [call, dialog] = await answered(app);
    for (const [change, says] of [
      ['hold', 'inactive'],
      ['unhold', 'sendrecv'],
      [PLAIN_ANSWER, 't=0 0'],
    ] as const) {
      const changed = dialog.modify(change);
      const request = await call.request('INVITE');
      expect(request.body).toContain(says);
      peer.answer(request, '200 OK', '', [`Contact: <sip:caller@127.0.0.1:${peer.port}>`], OFFER);
      await call.request('ACK');
      await changed;
    }
    const refused = expect(dialog.modify(ANSWER)).rejects.toMatchObject({ status: 488, reason: 'Not Acceptable Here' });
    peer.answer(await call.request('INVITE'), '488 Not Acceptable Here');
    await call.request('ACK');
    await refused;
    const gone = dialog.destroy({ headers: { Reason: 'SIP;cause=200;text="done"' } });
    const bye = await call.request('BYE');
    expect(bye.get('reason')).toContain('done');
    peer.answer(bye, '200 OK');
    await gone;
    await expect(dialog.request({ method: 'INFO' })).rejects.toMatchObject({ code: 'ENODIALOG' });
  });

  it('gives every request of the dialog its event, and its answer back', async () => {
    const app = await answering();
    const [call, dialog] = await answered(app);
    for (const method of ['INFO', 'REFER', 'MESSAGE', 'OPTIONS', 'PUBLISH', 'UPDATE', 'NOTIFY']) {
      dialog.once(method.toLowerCase(), (req: SrfRequest, res: SrfResponse) => {
        expect(req.stackDialogId).toBe(dialog.id);
        res.send(202, { headers: { 'X-Answer': req.method } });
      });
      call.send(method, { extra: ['Content-Type: text/plain', 'Refer-To: <sip:x@y>'], body: 'text' });
      expect((await call.response(202, method)).get('x-answer')).toBe(method);
    }
    for (const method of ['INFO', 'REFER', 'MESSAGE', 'NOTIFY'] as const) {
      const answer = dialog.request({ method, headers: { 'Content-Type': 'text/plain' }, body: 'text' });
      peer.answer(await call.request(method), '403 Forbidden');
      expect(await answer).toMatchObject({ status: 403, reason: 'Forbidden' });
    }
    await hungUp(call);
  });

  it('tells of a cancelled call, and that a response came too late', async () => {
    let late: (error: unknown) => void = () => undefined;
    const refused = new Promise((resolve) => {
      late = resolve;
    });
    await bench.application((srf) => {
      srf.use('invite', (req, res) => {
        res.send(180, {});
        req.on('cancel', (cancel: SrfRequest) => {
          expect(cancel.get('reason')).toContain('elsewhere');
          res.send(200, { body: ANSWER }, (error) => late(error));
        });
      });
    });
    peer = await bench.peer();
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER });
    await call.response(180);
    call.send('CANCEL', { sameBranch: true, extra: ['Reason: SIP;cause=200;text="elsewhere"'] });
    await call.response(200, 'CANCEL');
    await call.response(487, 'INVITE');
    call.send('ACK', { sameBranch: true });
    expect(String(await refused)).toContain('unknown transaction');
  });
});

describe('subscriptions', () => {
  it('are dialogs: taken, notified, renewed and ended by either side', async () => {
    const app = await answering({ headers: { Expires: '60' } });
    const call = new ScriptedCall(peer, bench.uri);
    call.cseq = 0;
    call.send('SUBSCRIBE', { extra: ['Event: presence', 'Expires: 60'] });
    await call.response(202);
    const dialog = await app.dialog();
    expect(dialog.dialogType).toBe('SUBSCRIBE');
    const answer = dialog.request({
      method: 'NOTIFY',
      headers: { 'Subscription-State': 'active;expires=60', Event: 'presence', 'Content-Type': 'text/plain' },
      body: 'open',
    });
    const notify = await call.request('NOTIFY');
    expect(notify.body).toBe('open');
    peer.answer(notify, '200 OK');
    expect((await answer).status).toBe(200);
    dialog.once('subscribe', (_req: SrfRequest, res: SrfResponse) => res.send(202, { headers: { Expires: '30' } }));
    call.send('SUBSCRIBE', { extra: ['Event: presence', 'Expires: 30'] });
    await call.response(202);
    const ended = once(dialog, 'unsubscribe');
    call.send('SUBSCRIBE', { extra: ['Event: presence', 'Expires: 0'] });
    await call.response(202);
    await ended;
    dialog.destroy();
    const last = await call.request('NOTIFY');
    expect(last.get('subscription-state')).toBe('terminated');
    peer.answer(last, '200 OK');
  });

  it('of the application bring their notifications', async () => {
    const { srf } = await answering();
    // drachtio-srf counts subscriptions by the URI of either side.
    const party = '<sip:b@127.0.0.1>';
    const headers = { Event: 'dialog', Expires: '60', From: party, To: party };
    const made = srf.createUAC(`sip:b@127.0.0.1:${peer.port}`, { method: 'SUBSCRIBE', headers });
    const request = await peer.request('SUBSCRIBE');
    const contact = [`Contact: <sip:b@127.0.0.1:${peer.port}>`, 'Expires: 60'];
    peer.answer(request, '202 Accepted', 'b', contact);
    const dialog = await made;
    const told = once(dialog, 'notify');
    const call = new ScriptedCall(peer, bench.uri);
    const notify = (state: string, cseq: number) => [
      `NOTIFY ${/<([^>]+)>/.exec(request.get('contact'))?.[1]} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK-notify-${cseq}-${call.callId}`,
      `From: ${request.get('to')};tag=b`,
      `To: ${request.get('from')}`,
      `Call-ID: ${request.get('call-id')}`,
      `CSeq: ${cseq} NOTIFY`,
      'Event: dialog',
      `Subscription-State: ${state}`,
      'Max-Forwards: 70',
      'Content-Length: 0',
    ];
    peer.send(`${notify('active', 1).join('\r\n')}\r\n\r\n`);
    const [req, res]: [SrfRequest, SrfResponse] = Object.assign(await told);
    expect(req.get('event')).toBe('dialog');
    res.send(200, {});
    await peer.response(200, 'NOTIFY');
    dialog.removeAllListeners('notify');
    const destroyed = once(dialog, 'destroy');
    peer.send(`${notify('terminated;reason=noresource', 2).join('\r\n')}\r\n\r\n`);
    await peer.response(200, 'NOTIFY');
    await destroyed;
  });
});

describe('an application', () => {
  it('takes requests outside dialogs by use(), after its middleware', async () => {
    const seen: string[] = [];
    await bench.application((srf) => {
      srf.locals.greeting = 'hello';
      srf.use((req, _res, next) => {
        seen.push(req.method);
        next();
      });
      for (const method of ['register', 'message', 'info', 'publish', 'options', 'notify']) {
        srf.use(method, (_req, res) => res.send(200, { headers: { 'X-Says': srf.locals.greeting } }));
      }
    });
    peer = await bench.peer('TCP');
    const methods = ['REGISTER', 'MESSAGE', 'INFO', 'PUBLISH', 'OPTIONS', 'NOTIFY'];
    for (const method of methods) {
      const call = new ScriptedCall(peer, bench.uri, 'TCP');
      call.send(method, { body: 'zwölf', extra: ['Content-Type: text/plain', 'Event: presence'] });
      expect((await call.response(200, method)).get('x-says')).toBe('hello');
    }
    expect(seen).toEqual(methods);
  });

  it('is told of attempts, starts and ends of calls', async () => {
    const records: string[] = [];
    await bench.application((srf) => {
      const call = (message: { get(name: string): string }) => message.get('call-id');
      srf.on('cdr:attempt', (source, _time, message) => records.push(`attempt ${source} ${call(message)}`));
      srf.on('cdr:start', (source, _time, role, message) => records.push(`start ${source} ${role} ${call(message)}`));
      srf.on('cdr:stop', (source, _time, reason, message) => records.push(`stop ${source} ${reason} ${call(message)}`));
    });
    const app = await answering();
    const [call] = await answered(app);
    await hungUp(call);
    expect(records).toEqual([
      `attempt network ${call.callId}`,
      `start application uas ${call.callId}`,
      `stop network normal-release ${call.callId}`,
    ]);
  });
});

describe.skipIf(REAL)('a session timer', () => {
  /** An answer that says who refreshes, after 90 s of 40 ms each. */
  async function timed(refresher: 'uac' | 'uas'): Promise<[ScriptedCall, SrfDialog]> {
    const app = await answering({ headers: { 'Session-Expires': `90;refresher=${refresher}` } });
    return answered(app);
  }

  it('of ours is refreshed without the application', async () => {
    await bench.close();
    bench = await SrfBench.start(4);
    const [call] = await timed('uas');
    for (let round = 0; round < 2; round++) {
      const refresh = await call.request('INVITE');
      expect(refresh.body).toBe(ANSWER);
      expect(refresh.get('session-expires')).toBe('90;refresher=uac');
      const extra = [`Contact: <sip:caller@127.0.0.1:${peer.port}>`, 'Session-Expires: 90;refresher=uac'];
      peer.answer(refresh, '200 OK', '', extra, OFFER);
      await call.request('ACK');
    }
    await hungUp(call);
  });

  it('of ours is refreshed by UPDATE where the peer takes it, as often as the peer likes, and ends a call without', async () => {
    await bench.close();
    bench = await SrfBench.start(8);
    const app = await answering({ headers: { 'Session-Expires': '90;refresher=uas' } });
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER, extra: ['Allow: INVITE, ACK, BYE, UPDATE', 'Supported: timer'] });
    await call.response(200, 'INVITE');
    const dialog = await app.dialog();
    call.send('ACK');
    const destroyed = once(dialog, 'destroy');
    const contact = `Contact: <sip:caller@127.0.0.1:${peer.port}>`;
    const first = await call.request('UPDATE');
    expect([first.body, first.get('session-expires')]).toEqual(['', '90;refresher=uac']);
    peer.answer(first, '422 Session Interval Too Small', '', ['Min-SE: 120']);
    // Not the same once more, which a slow test is sent.
    const after = (last: SeenMessage, method: string) =>
      call.next(
        (m) =>
          m.startLine.startsWith(method) && Number.parseInt(m.get('cseq'), 10) > Number.parseInt(last.get('cseq'), 10),
      );
    const longer = await after(first, 'UPDATE');
    expect(longer.get('session-expires')).toBe('120;refresher=uac');
    peer.answer(longer, '405 Method Not Allowed', '', ['Allow: INVITE, ACK, BYE']);
    const instead = await after(longer, 'INVITE');
    expect([instead.body, instead.get('session-expires')]).toEqual([ANSWER, '120;refresher=uac']);
    peer.answer(instead, '200 OK', '', [contact, 'Session-Expires: 120;refresher=uac'], OFFER);
    await call.request('ACK');
    const unheard = await after(instead, 'INVITE');
    peer.answer(unheard, '503 Service Unavailable', '');
    const bye = await call.request('BYE');
    expect(bye.get('reason')).toContain('Session timer expired');
    peer.answer(bye, '200 OK');
    await destroyed;
  });

  it('of the peer ends the call when it runs out, unless it is refreshed; too short ones are refused', async () => {
    await bench.close();
    bench = await SrfBench.start(4);
    const [call, dialog] = await timed('uac');
    const destroyed = once(dialog, 'destroy');
    call.cseq++;
    call.send('INVITE', { body: OFFER, extra: ['Session-Expires: 30'] });
    expect((await call.response(422)).get('min-se')).toBe('90');
    call.send('ACK', { sameBranch: true });
    call.cseq++;
    call.send('INVITE', { body: OFFER, extra: ['Session-Expires: 100;refresher=uac', 'Supported: timer'] });
    // Not the first 200, which may have come again.
    const refreshed = await call.next((m) => m.status === 200 && m.get('cseq') === `${call.cseq} INVITE`);
    expect(refreshed.get('session-expires')).toBe('100;refresher=uac');
    call.send('ACK');
    const bye = await call.request('BYE');
    expect(bye.get('reason')).toContain('Session timer expired');
    peer.answer(bye, '200 OK');
    expect((await destroyed)[1]).toBe('Session timer expired');
  });
});
