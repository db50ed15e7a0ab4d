import { once } from 'node:events';
import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER, EdgeBench, OFFER, until } from '../../../test/kit/edge-bench.js';
import { ScriptedCall } from '../../../test/kit/edge-peer.js';

let bench: EdgeBench;

beforeEach(async () => {
  bench = await EdgeBench.start();
});

afterEach(async () => {
  await bench.close();
  expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0 });
});

/** Nothing is left of any call once the last timer has run. */
async function empty(): Promise<void> {
  await until(() => bench.edge.counts().transactions === 0 && bench.edge.counts().dialogs === 0);
  expect(bench.edge.counts().timers).toBe(0);
}

/** The typings ask for a whole request where `{ method }` is meant. */
function inDialog(dialog: Srf.Dialog, method: Srf.SipMethod): Promise<Srf.SrfResponse> {
  const options: Partial<Srf.SrfRequest> = { method };
  return new Promise((resolve, reject) => {
    dialog.request(options as Srf.SrfRequest, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** The first argument of an event that passes `(req, res)` or `(req, reason)`. */
function event(dialog: Srf.Dialog, name: string): Promise<[Srf.SrfRequest, Srf.SrfResponse]> {
  return new Promise((resolve) => {
    const emitter: NodeJS.EventEmitter = dialog;
    emitter.once(name, (req: Srf.SrfRequest, res: Srf.SrfResponse) => resolve([req, res]));
  });
}

describe('a call to an application', () => {
  for (const transport of ['UDP', 'TCP'] as const) {
    it(`is answered, acknowledged and ended by the caller, over ${transport}`, async () => {
      const app = await bench.answering();
      const peer = await (transport === 'UDP' ? bench.udpPeer() : bench.tcpPeer());
      const { call, dialog } = await bench.answered(peer, app, transport);
      expect(dialog.remote.sdp).toBe(OFFER);
      expect(dialog.sip).toMatchObject({ callId: call.callId, remoteTag: call.tag, localTag: call.toTag });
      const destroyed = once(dialog, 'destroy');
      call.send('BYE');
      await call.response(200, 'BYE');
      await destroyed;
      const ok = peer.seen.find((m) => m.status === 200 && m.method === 'INVITE');
      expect(ok?.body).toBe(ANSWER);
      expect(ok?.get('content-type')).toBe('application/sdp');
      expect(ok?.get('via')).toContain(`rport=${peer.port}`);
      expect(peer.seen[0]?.status).toBe(100);
      await empty();
    });

    it(`is ended by the application, over ${transport}`, async () => {
      const app = await bench.answering();
      const peer = await (transport === 'UDP' ? bench.udpPeer() : bench.tcpPeer());
      const { call, dialog } = await bench.answered(peer, app, transport);
      const ended = new Promise<void>((resolve) => dialog.destroy(undefined, () => resolve()));
      const bye = await call.request('BYE');
      expect(bye.get('to')).toContain(`tag=${call.tag}`);
      expect(bye.get('from')).toContain(`tag=${call.toTag}`);
      peer.answer(bye, '200 OK');
      await ended;
      await empty();
    });
  }

  it('keeps every Via and Record-Route, and sends its BYE by that route', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    const route = [`<sip:127.0.0.1:${peer.port};lr;ftag=a>`, '<sip:outer.example.com;lr>'];
    const extra = [`Record-Route: ${route.join(', ')}`, 'Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK-2, SIP/2.0/TCP h'];
    const made = app.next();
    call.send('INVITE', { body: OFFER, extra });
    const ok = await call.response(200, 'INVITE');
    expect(ok.all('via').join(', ').split(', ')).toHaveLength(3);
    expect(ok.get('record-route')).toBe(route.join(', '));
    call.send('ACK');
    const dialog = await made;
    dialog.destroy();
    const bye = await call.request('BYE');
    expect(bye.all('route')).toEqual(route);
    expect(bye.startLine).toBe(`BYE sip:caller@127.0.0.1:${peer.port} SIP/2.0`);
    peer.answer(bye, '200 OK');
    await empty();
  });

  it('absorbs a repeated INVITE and repeats its 200 until the ACK', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    const invite = call.text('INVITE', { body: OFFER });
    peer.send(invite);
    peer.send(invite);
    await call.response(200, 'INVITE');
    await call.response(200, 'INVITE');
    peer.send(invite);
    await call.response(200, 'INVITE');
    const dialog = await app.next();
    const acks: unknown[] = [];
    dialog.on('ack', (ack) => acks.push(ack));
    call.send('ACK');
    call.send('ACK');
    call.send('INFO');
    await call.response(200, 'INFO');
    const destroyed = once(dialog, 'destroy');
    call.send('BYE');
    await call.response(200, 'BYE');
    await destroyed;
    expect(acks).toHaveLength(1);
    await empty();
  });

  it('ends a call whose ACK never comes: BYE to the peer, and the application told why', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER });
    await call.response(200, 'INVITE');
    const destroyed = once(await app.next(), 'destroy');
    const bye = await call.request('BYE');
    peer.answer(bye, '200 OK');
    expect((await destroyed)[1]).toBe('ACK timeout');
    await empty();
  });

  it('holds the BYE of an application back until the ACK is in', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER });
    await call.response(200, 'INVITE');
    (await app.next()).destroy();
    await call.response(200, 'INVITE');
    expect(peer.seen.some((m) => m.method === 'BYE')).toBe(false);
    call.send('ACK');
    peer.answer(await call.request('BYE'), '200 OK');
    await empty();
  });

  it('is cancelled while it rings', async () => {
    const cancelled = new Promise<void>((resolve) => {
      void bench.application((srf) => {
        srf.invite((req, res) => {
          req.on('cancel', () => {
            // The application's own 487 comes too late, and must do no harm.
            res.send(487, {});
            resolve();
          });
          res.send(180, {});
        });
      });
    });
    await until(() => bench.edge.counts().applications === 1);
    await bench.control(['authenticate|a secret|']);
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER });
    const ringing = await call.response(180);
    expect(ringing.get('to')).toContain('tag=');
    const branch = call.branch;
    call.toTag = '';
    call.send('CANCEL', { sameBranch: true });
    await call.response(200, 'CANCEL');
    const terminated = await call.response(487, 'INVITE');
    expect(terminated.get('to')).toBe(ringing.get('to'));
    call.toTag = /tag=(.*)/.exec(ringing.get('to'))?.[1] ?? '';
    call.branch = branch;
    call.send('ACK', { sameBranch: true });
    await cancelled;
    await empty();
  });

  it('ends a call that was answered as its CANCEL came', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    const branch = call.text('INVITE') && call.branch;
    call.send('INVITE', { body: OFFER, sameBranch: true });
    await call.response(200, 'INVITE');
    const tag = call.toTag;
    const destroyed = once(await app.next(), 'destroy');
    call.toTag = '';
    call.branch = branch;
    call.send('CANCEL', { sameBranch: true });
    await call.response(481, 'CANCEL');
    await destroyed;
    call.toTag = tag;
    call.send('ACK');
    peer.answer(await call.request('BYE'), '200 OK');
    await empty();
  });

  it.each([
    [486, 'Busy Here', ''],
    [302, 'Moved Temporarily', '<sip:other@192.0.2.1>'],
  ])('is answered %i by the application, repeated until its ACK', async (status, reason, contact) => {
    const headers = contact === '' ? {} : { Contact: contact };
    await bench.application((srf) => srf.invite((_req, res) => res.send(status, { headers })));
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER });
    const first = await call.response(status);
    expect(first.startLine).toBe(`SIP/2.0 ${status} ${reason}`);
    expect(first.get('contact')).toBe(contact);
    await call.response(status);
    call.toTag = /tag=(.*)/.exec(first.get('to'))?.[1] ?? '';
    call.send('ACK', { sameBranch: true });
    await empty();
  });
});

describe('a provisional response with 100rel', () => {
  it('is repeated until its PRACK, which the application answers', async () => {
    const acknowledged = new Promise<void>((resolve) => {
      void bench.application((srf) => {
        srf.invite((req, res) => {
          // The typings leave out the callback for the PRACK.
          const reliable: { send(status: number, options: object, sent: unknown, prack: () => void): void } =
            res as never;
          const onPrack = () => {
            resolve();
            void srf.createUAS(req, res, { localSdp: ANSWER });
          };
          reliable.send(183, { headers: { Require: '100rel' }, body: ANSWER }, undefined, onPrack);
        });
      });
    });
    await until(() => bench.edge.counts().applications === 1);
    await bench.control(['authenticate|a secret|']);
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER, extra: ['Supported: timer, 100rel'] });
    const progress = await call.response(183);
    expect(progress.get('contact')).not.toBe('');
    expect((await call.response(183)).get('rseq')).toBe(progress.get('rseq'));
    call.send('PRACK', { extra: [`RAck: ${Number(progress.get('rseq')) + 1} 1 INVITE`] });
    await call.response(481, 'PRACK');
    call.send('PRACK', { extra: [`RAck: ${progress.get('rseq')} 1 INVITE`] });
    await call.response(200, 'PRACK');
    await acknowledged;
    await call.response(200, 'INVITE');
    const last = call.cseq;
    call.cseq = 1;
    call.send('ACK');
    call.cseq = last;
    call.send('BYE');
    await call.response(200, 'BYE');
    await empty();
  });

  it('without PRACK ends the call, and is refused when the peer knows no 100rel', async () => {
    const refused = new Promise<string>((resolve) => {
      void bench.application((srf) => {
        srf.invite((req, res) => {
          req.on('cancel', () => undefined);
          res.send(180, '', { headers: { Require: '100rel' } }, (error: unknown) => {
            if (!error) return;
            resolve(String(error));
            res.send(480, {});
          });
        });
      });
    });
    await until(() => bench.edge.counts().applications === 1);
    await bench.control(['authenticate|a secret|']);
    const peer = await bench.udpPeer();
    const plain = new ScriptedCall(peer, bench.uri);
    plain.send('INVITE', { body: OFFER });
    await plain.response(480);
    expect(await refused).toContain('does not support 100rel');
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER, extra: ['Require: 100rel'] });
    await call.response(180);
    await call.response(504, 'INVITE');
    await empty();
  });
});

describe('within a dialog', () => {
  it('takes re-INVITE, INFO, UPDATE, REFER and MESSAGE of the peer', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const { call, dialog } = await bench.answered(peer, app);
    const modify = event(dialog, 'modify');
    call.cseq++;
    call.send('INVITE', { body: OFFER.replace('4000', '4002') });
    const [req, res] = await modify;
    expect(req.body).toContain('4002');
    res.send(200, { body: ANSWER });
    expect((await call.response(200, 'INVITE')).body).toBe(ANSWER);
    const ack = once(dialog, 'ack');
    call.send('ACK');
    await ack;
    const info = event(dialog, 'info');
    call.send('INFO', { body: 'Signal=5\r\n', extra: ['Content-Type: application/dtmf-relay'] });
    const [infoReq, infoRes] = await info;
    expect(infoReq.body).toBe('Signal=5\r\n');
    infoRes.send(200, {});
    await call.response(200, 'INFO');
    for (const method of ['REFER', 'MESSAGE', 'UPDATE']) {
      call.send(method);
      await call.response(200, method);
    }
    call.send('BYE');
    await call.response(200, 'BYE');
    await empty();
  });

  it('sends re-INVITE, INFO, REFER and NOTIFY of the application, to the refreshed target', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const { call, dialog } = await bench.answered(peer, app);
    const modified = dialog.modify(ANSWER.replace('5000', '5002'));
    const invite = await call.request('INVITE');
    expect(invite.body).toContain('5002');
    const contact = `Contact: <sip:desk@127.0.0.1:${peer.port}>`;
    peer.answer(invite, '200 OK', '', [contact], OFFER);
    const ack = await call.request('ACK');
    expect(ack.get('cseq').split(' ')[0]).toBe(invite.get('cseq').split(' ')[0]);
    expect(await modified).toBe(OFFER);
    // Lost ACK: the peer repeats its 200, and gets the ACK again without the application.
    peer.answer(invite, '200 OK', '', [contact], OFFER);
    await call.request('ACK');
    for (const method of ['INFO', 'REFER', 'NOTIFY'] as const) {
      const answer = inDialog(dialog, method);
      const request = await call.request(method);
      expect(request.startLine).toBe(`${method} sip:desk@127.0.0.1:${peer.port} SIP/2.0`);
      expect(request.get('via')).toContain(`127.0.0.1:${bench.edge.sipPort}`);
      peer.answer(request, '202 Accepted');
      expect((await answer).status).toBe(202);
    }
    dialog.destroy();
    peer.answer(await call.request('BYE'), '200 OK');
    await empty();
  });

  it('refuses what is out of order or belongs to no dialog', async () => {
    const app = await bench.answering();
    const peer = await bench.udpPeer();
    const { call } = await bench.answered(peer, app);
    call.cseq = -1;
    call.send('INFO');
    await call.response(500, 'INFO');
    call.cseq = 5;
    const tag = call.toTag;
    for (const method of ['BYE', 'INFO', 'INVITE']) {
      call.toTag = 'unknown';
      call.send(method);
      await call.next((m) => m.status === 481 && m.method === method);
    }
    call.toTag = '';
    call.send('BYE');
    await call.next((m) => m.status === 481 && m.method === 'BYE');
    call.toTag = tag;
    call.send('BYE');
    await call.response(200, 'BYE');
    await until(() => bench.edge.counts().dialogs === 0);
  });

  it('answers a call again after the same caller was refused', async () => {
    let calls = 0;
    const app = await bench.application((srf) =>
      srf.invite((req, res) => {
        calls++;
        if (calls === 1) res.send(401, { headers: { 'WWW-Authenticate': 'Digest realm="r", nonce="n"' } });
        else void srf.createUAS(req, res, { localSdp: ANSWER });
      }),
    );
    expect(app).toBeDefined();
    const peer = await bench.udpPeer();
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER });
    await call.response(401);
    call.send('ACK', { sameBranch: true });
    call.cseq++;
    call.send('INVITE', { body: OFFER });
    await call.response(200, 'INVITE');
    call.send('ACK');
    call.send('BYE');
    await call.response(200, 'BYE');
  });
});
