import { once } from 'node:events';
import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER, type AnsweringApp, EdgeBench, OFFER, until } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SipPeer } from '../../../test/kit/edge-peer.js';

let bench: EdgeBench;
let peer: SipPeer;

beforeEach(async () => {
  bench = await EdgeBench.start();
  peer = await bench.udpPeer();
});

afterEach(async () => {
  await bench.close();
  expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0 });
});

function here(): string[] {
  return [`Contact: <sip:bob@127.0.0.1:${peer.port}>`];
}

function reliably(rseq: number): string[] {
  return [...here(), 'Require: 100rel', `RSeq: ${rseq}`];
}

function target(): string {
  return `sip:bob@127.0.0.1:${peer.port}`;
}

describe('a call out', () => {
  let srf: Srf;

  beforeEach(async () => {
    srf = await bench.application();
  });

  it('acknowledges reliable provisional responses, each once and in their order (RFC 3262)', async () => {
    const heard: number[] = [];
    const progress = { cbProvisional: (res: Srf.SrfResponse) => heard.push(res.status) };
    const call = srf.createUAC(target(), { localSdp: OFFER, headers: { Supported: '100rel' } }, progress);
    const invite = await peer.request('INVITE');
    peer.answer(invite, '183 Session Progress', 'bob', reliably(7), ANSWER);
    peer.answer(invite, '183 Session Progress', 'bob', reliably(7), ANSWER);
    // One in between is missing: this is not heard until it comes again.
    peer.answer(invite, '182 Queued', 'bob', reliably(9));
    const prack = await peer.request('PRACK');
    expect(prack.get('rack')).toBe(`7 ${invite.get('cseq')}`);
    expect(prack.get('to')).toContain('tag=bob');
    peer.answer(prack, '200 OK');
    peer.answer(invite, '180 Ringing', 'bob', reliably(8));
    // Not the first once more.
    const second = await peer.next((m) => m.startLine.startsWith('PRACK') && m.get('cseq') !== prack.get('cseq'));
    expect(second.get('rack')).toBe(`8 ${invite.get('cseq')}`);
    expect(Number.parseInt(second.get('cseq'), 10)).toBe(Number.parseInt(prack.get('cseq'), 10) + 1);
    peer.answer(second, '200 OK');
    peer.answer(invite, '200 OK', 'bob', here());
    (await call).destroy();
    peer.answer(await peer.request('BYE'), '200 OK');
    expect(heard).toEqual([183, 180]);
  });

  it('that is forked has an early dialog with each branch; one is answered, later answers are ended', async () => {
    const call = srf.createUAC(target(), { localSdp: OFFER, headers: { Supported: '100rel' } });
    const invite = await peer.request('INVITE');
    // Both number from 1, as many do.
    for (const branch of ['one', 'two', 'three']) peer.answer(invite, '183 Progress', branch, reliably(1), ANSWER);
    const tags = new Set<string>();
    for (let i = 0; i < 3; i++) {
      const prack = await peer.request('PRACK');
      tags.add(/tag=(\w+)/.exec(prack.get('to'))?.[1] ?? '');
      peer.answer(prack, '200 OK');
    }
    expect([...tags].sort()).toEqual(['one', 'three', 'two']);
    expect(bench.edge.counts().dialogs).toBe(3);
    peer.answer(invite, '200 OK', 'two', here());
    const dialog = await call;
    expect(dialog.sip.remoteTag).toBe('two');
    expect(bench.edge.counts().dialogs).toBe(1);
    for (const late of ['one', 'new']) {
      peer.answer(invite, '200 OK', late, here());
      const ack = await peer.next((m) => m.method === 'ACK' && m.get('to').includes(`tag=${late}`));
      const bye = await peer.next((m) => m.method === 'BYE' && m.get('to').includes(`tag=${late}`));
      peer.answer(bye, '200 OK');
      // Its ACK was lost: it gets the same again, and no second BYE.
      peer.answer(invite, '200 OK', late, here());
      const again = await peer.next((m) => m.method === 'ACK' && m.get('to').includes(`tag=${late}`));
      expect(again.get('via')).toBe(ack.get('via'));
    }
    dialog.destroy();
    const bye = await peer.request('BYE');
    expect(bye.get('to')).toContain('tag=two');
    peer.answer(bye, '200 OK');
    expect(peer.seen.filter((m) => m.method === 'BYE')).toHaveLength(3);
  });

  it('that is refused after several branches rang leaves nothing', async () => {
    const call = srf.createUAC(target(), { localSdp: OFFER }).catch((error: unknown) => error);
    const invite = await peer.request('INVITE');
    for (const branch of ['one', 'two']) peer.answer(invite, '180 Ringing', branch, here());
    await until(() => bench.edge.counts().dialogs === 2);
    peer.answer(invite, '486 Busy Here', 'three');
    expect(await call).toMatchObject({ status: 486 });
    expect(bench.edge.counts().dialogs).toBe(0);
  });

  it('goes by the route that its answer recorded, loose or strict', async () => {
    const strict = `<sip:127.0.0.1:${peer.port};method=INVITE;n=strict>`;
    const loose = `<sip:127.0.0.1:${peer.port};lr>`;
    for (const route of [loose, strict]) {
      const call = srf.createUAC(target(), { localSdp: OFFER });
      const invite = await peer.request('INVITE');
      const recorded = ['Record-Route: <sip:far.invalid;lr>', `Record-Route: ${route}`];
      const contact = ['Contact: <sip:bob@far.invalid?Subject=x>'];
      peer.answer(invite, '200 OK', 'bob', [...recorded, ...contact], ANSWER);
      const dialog = await call;
      const ack = await peer.request('ACK');
      const far = '<sip:far.invalid;lr>';
      expect([ack.startLine, ack.all('route')]).toEqual(
        route === loose
          ? ['ACK sip:bob@far.invalid SIP/2.0', [loose, far]]
          : [`ACK sip:127.0.0.1:${peer.port};n=strict SIP/2.0`, [far, '<sip:bob@far.invalid?Subject=x>']],
      );
      dialog.destroy();
      peer.answer(await peer.request('BYE'), '200 OK');
    }
  });

  it('hears nothing in a response that was meant for somebody else', async () => {
    const call = srf.createUAC(target(), { localSdp: OFFER });
    const invite = await peer.request('INVITE');
    peer.answer(invite, '486 Busy Here', 'x', ['Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1']);
    peer.answer(invite, '200 OK', 'bob', here(), ANSWER);
    (await call).destroy();
    peer.answer(await peer.request('BYE'), '200 OK');
  });
});

describe('a call in', () => {
  it('sends one reliable response at a time, and its answer after the session description is acknowledged', async () => {
    await bench.application((srf) =>
      srf.invite((req, res) => {
        res.send(183, { headers: { Require: '100rel' }, body: ANSWER });
        res.send(180, { headers: { Require: '100rel' } });
        srf.createUAS(req, res, { localSdp: ANSWER }).then(
          (dialog) => dialog.on('modify', (_req, answer) => answer.send(200, { body: ANSWER })),
          () => undefined,
        );
      }),
    );
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER, extra: ['Supported: 100rel', 'Timestamp: 54'] });
    expect((await call.response(100)).get('timestamp')).toBe('54');
    const rseqs: number[] = [];
    for (const status of [183, 180]) {
      const response = await call.response(status);
      await call.response(status);
      expect(peer.seen.some((m) => m.status >= 200 || (status === 183 && m.status === 180))).toBe(status === 180);
      rseqs.push(Number(response.get('rseq')));
      call.send('PRACK', { extra: [`RAck: ${rseqs.at(-1)} 1 INVITE`] });
      await call.response(200, 'PRACK');
    }
    expect(rseqs[1]).toBe(rseqs[0]! + 1);
    await call.response(200, 'INVITE');
    const last = call.cseq;
    call.cseq = 1;
    call.send('ACK');
    call.cseq = last;
    call.send('BYE');
    await call.response(200, 'BYE');
  });

  it('is noticed when it comes by two ways (482), requires what does not exist (420), or expires', async () => {
    const cancelled: Promise<void> = new Promise((resolve) => {
      void bench.application((srf) => {
        srf.invite((req, res) => {
          req.on('cancel', () => resolve());
          res.send(180, {});
        });
        srf.use('options', (_req, res) => res.send(200, {}));
      });
    });
    await until(() => bench.edge.counts().applications === 1);
    await bench.control(['authenticate|a secret|']);
    const call = new ScriptedCall(peer, bench.uri);
    call.send('INVITE', { body: OFFER, extra: ['Expires: 1'] });
    const first = call.branch;
    await call.response(180);
    call.toTag = '';
    call.send('INVITE', { body: OFFER, extra: ['Expires: 1'] });
    await call.response(482);
    call.send('ACK', { sameBranch: true });
    for (const status of [200, 482]) {
      const probe = new ScriptedCall(peer, bench.uri);
      const text = probe.text('OPTIONS');
      peer.send(text);
      await probe.response(200);
      peer.send(status === 200 ? text : text.replace(/branch=z9hG4bK/, 'branch=z9hG4bKother'));
      await probe.response(status);
    }
    const odd = new ScriptedCall(peer, bench.uri);
    odd.send('OPTIONS', { extra: ['Require: 100rel, nonesuch', 'Require: another'] });
    expect((await odd.response(420)).get('unsupported')).toBe('nonesuch, another');
    await call.response(487, 'INVITE');
    await cancelled;
    call.branch = first;
    call.send('ACK', { sameBranch: true });
  });
});

describe('requests that cross', () => {
  let app: AnsweringApp;

  beforeEach(async () => {
    app = await bench.answering();
  });

  async function crossing(mine: string, theirs: string): Promise<number> {
    const { call, dialog } = await bench.answered(peer, app);
    const ours =
      mine === 'INVITE'
        ? dialog.modify(ANSWER)
        : new Promise((resolve) => dialog.request({ method: mine, body: ANSWER } as never, resolve));
    const request = await call.request(mine);
    if (theirs === 'INVITE') call.cseq++;
    call.send(theirs, { body: OFFER });
    const final = await call.next((m) => m.status >= 200 && m.method === theirs);
    if (theirs === 'INVITE') call.send('ACK', { sameBranch: true });
    peer.answer(request, '200 OK', '', here(), OFFER);
    await ours;
    dialog.destroy();
    peer.answer(await call.request('BYE'), '200 OK');
    return final.status;
  }

  it('are told so: 491 for offers that cross (RFC 3261 14.2, RFC 3311 5.2)', async () => {
    expect(await crossing('INVITE', 'INVITE')).toBe(491);
    expect(await crossing('INVITE', 'UPDATE')).toBe(491);
    expect(await crossing('UPDATE', 'UPDATE')).toBe(491);
    expect(await crossing('UPDATE', 'INVITE')).toBe(491);
  });

  it('and those that come before the last was answered are to come again', async () => {
    const { call, dialog } = await bench.answered(peer, app);
    const modified = once(dialog as unknown as NodeJS.EventEmitter, 'modify');
    call.cseq++;
    const invite = call.text('INVITE', { body: OFFER });
    const { branch, cseq } = call;
    peer.send(invite);
    const [, res] = await modified;
    call.cseq++;
    call.send('INVITE', { body: OFFER });
    const busy = await call.next((m) => m.status === 500);
    expect(Number(busy.get('retry-after'))).toBeGreaterThan(0);
    call.send('ACK', { sameBranch: true });
    call.send('UPDATE', { body: OFFER });
    await call.next((m) => m.status === 500 && m.method === 'UPDATE');
    res.send(200, { body: ANSWER });
    await call.response(200, 'INVITE');
    const last = call.cseq;
    Object.assign(call, { branch, cseq });
    call.send('ACK');
    call.cseq = last;
    call.send('BYE');
    await call.response(200, 'BYE');
  });
});
