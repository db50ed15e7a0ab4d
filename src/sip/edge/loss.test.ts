import { once } from 'node:events';
import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER, EdgeBench, OFFER, until } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SeenMessage, type SipPeer } from '../../../test/kit/edge-peer.js';

/** ms: RFC 3261 T1 of the edge, and how often the peers repeat what is not answered. */
const T1 = 20;

let bench: EdgeBench;
let srf: Srf;
const dialogs = new Map<string, Srf.Dialog>();

beforeEach(async () => {
  bench = await EdgeBench.start(T1);
  dialogs.clear();
  srf = await bench.application((one) => one.invite((req, res) => answer(one, req, res)));
});

afterEach(async () => {
  await bench.close();
  expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0 });
});

/** The application does with a call what the call asks for. */
function answer(one: Srf, req: Srf.SrfRequest, res: Srf.SrfResponse): void {
  const accept = () => {
    one.createUAS(req, res, { localSdp: ANSWER }).then(
      (dialog) => dialogs.set(dialog.sip.callId, dialog),
      () => undefined,
    );
  };
  const wish = req.has('x-wish') ? req.get('x-wish') : '';
  if (wish === 'busy') res.send(486, {});
  else if (wish === 'ring') res.send(180, {});
  else if (wish === 'early') {
    // The typings leave out the callback for the PRACK.
    const reliable: { send(status: number, options: object, sent: unknown, prack: () => void): void } = res as never;
    reliable.send(183, { headers: { Require: '100rel' }, body: ANSWER }, undefined, accept);
  } else accept();
}

/** One call and the far end of it. */
interface Leg {
  peer: SipPeer;
  call: ScriptedCall;
}

function persist({ peer }: Leg, text: string, test: (m: SeenMessage) => boolean): Promise<SeenMessage> {
  return peer.persist(text, test, 2 * T1);
}

/** A user agent's reflexes: ACK for every final response to INVITE, 200 for every BYE, a 200 repeated until its ACK. */
function reflexes(leg: Leg): void {
  const { peer, call } = leg;
  let ok = '';
  peer.reacts = (m) => {
    if (m.status >= 300 && m.method === 'INVITE') {
      call.toTag = /;tag=([^;]+)/.exec(m.get('to'))?.[1] ?? '';
      peer.send(call.text('ACK', { sameBranch: true }));
    } else if (m.status >= 200 && m.method === 'INVITE') {
      call.toTag = /;tag=([^;]+)/.exec(m.get('to'))?.[1] ?? '';
      call.target = /<([^>]+)>/.exec(m.get('contact'))?.[1] ?? '';
      const last = call.cseq;
      call.cseq = Number.parseInt(m.get('cseq'), 10);
      peer.send(call.text('ACK'));
      call.cseq = last;
    } else if (m.status === 0 && m.method === 'INVITE' && m.get('cseq') !== ok) {
      ok = m.get('cseq');
      peer.answer(m, '180 Ringing', 'bob');
      void acceptUntilAck(leg, m);
    } else if (m.status === 0 && m.method === 'BYE') peer.answer(m, '200 OK');
  };
}

async function acceptUntilAck({ peer }: Leg, invite: SeenMessage): Promise<void> {
  const send = () => peer.answer(invite, '200 OK', 'bob', [`Contact: <sip:bob@127.0.0.1:${peer.port}>`], ANSWER);
  const ack = invite.get('cseq').replace('INVITE', 'ACK');
  await peer.repeat(send, (m) => (m.method === 'ACK' && m.get('cseq') === ack) || m.method === 'BYE', 2 * T1);
}

/** Calls in, and is answered. */
async function callIn(leg: Leg, extra: string[] = []): Promise<Srf.Dialog> {
  const { call } = leg;
  await persist(leg, call.text('INVITE', { body: OFFER, extra }), (m) => m.status === 200 && m.method === 'INVITE');
  await until(() => dialogs.has(call.callId));
  return dialogs.get(call.callId)!;
}

async function hangUp(leg: Leg, dialog: Srf.Dialog): Promise<void> {
  const destroyed = once(dialog, 'destroy');
  await persist(leg, leg.call.text('BYE'), (m) => m.status === 200 && m.method === 'BYE');
  await destroyed;
}

function destroy(dialog: Srf.Dialog): Promise<void> {
  return new Promise((resolve, reject) =>
    dialog.destroy({ headers: {} }, (error) => (error ? reject(error) : resolve())),
  );
}

/** What has to come off, whichever message is lost. */
const FLOWS: Record<string, (leg: Leg) => Promise<unknown>> = {
  'a call in, ended by the caller': async (leg) => hangUp(leg, await callIn(leg)),
  'a call in, ended by the application': async (leg) => destroy(await callIn(leg)),
  'a call in that is refused': (leg) =>
    persist(leg, leg.call.text('INVITE', { body: OFFER, extra: ['X-Wish: busy'] }), (m) => m.status === 486),
  'a call in that is cancelled': async (leg) => {
    const { peer, call } = leg;
    const terminated = peer.next((m) => m.status === 487);
    await persist(leg, call.text('INVITE', { body: OFFER, extra: ['X-Wish: ring'] }), (m) => m.status >= 100);
    await persist(leg, call.text('CANCEL', { sameBranch: true }), (m) => m.status === 200 && m.method === 'CANCEL');
    await terminated;
  },
  'a call in with early media that is acknowledged': async (leg) => {
    const { peer, call } = leg;
    const dialog = callIn(leg, ['X-Wish: early', 'Supported: 100rel']);
    const early = await peer.next((m) => m.status === 183);
    call.toTag = /;tag=([^;]+)/.exec(early.get('to'))?.[1] ?? '';
    call.target = /<([^>]+)>/.exec(early.get('contact'))?.[1] ?? '';
    const prack = call.text('PRACK', { extra: [`RAck: ${early.get('rseq')} 1 INVITE`] });
    await persist(leg, prack, (m) => m.status === 200 && m.method === 'PRACK');
    await hangUp(leg, await dialog);
  },
  'a call in that is held by the application and taken back by the caller': async (leg) => {
    const { call } = leg;
    const dialog = await callIn(leg);
    await dialog.modify(ANSWER);
    dialog.on('modify', (_req, res) => res.send(200, { body: ANSWER }));
    call.cseq++;
    const held = persist(leg, call.text('INVITE', { body: OFFER }), (m) => m.status === 200 && m.method === 'INVITE');
    expect((await held).body).toBe(ANSWER);
    await hangUp(leg, dialog);
  },
  'a call out, ended by the application': async ({ peer }) =>
    destroy(await srf.createUAC(`sip:bob@127.0.0.1:${peer.port}`, { localSdp: OFFER })),
  'a call out, ended by its target': async (leg) => {
    const { peer } = leg;
    const made = srf.createUAC(`sip:bob@127.0.0.1:${peer.port}`, { localSdp: OFFER });
    const invite = await peer.next((m) => m.method === 'INVITE');
    const dialog = await made;
    const destroyed = once(dialog, 'destroy');
    const bye = [
      `BYE ${/<([^>]+)>/.exec(invite.get('contact'))?.[1]} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK-bye${peer.port}`,
      `From: ${invite.get('to')};tag=bob`,
      `To: ${invite.get('from')}`,
      `Call-ID: ${invite.get('call-id')}`,
      'CSeq: 1 BYE',
    ];
    await persist(leg, `${bye.join('\r\n')}\r\n\r\n`, (m) => m.status === 200 && m.method === 'BYE');
    await destroyed;
  },
};

describe('comes off with any one message lost:', () => {
  it.each(Object.entries(FLOWS))('%s', async (_, flow) => {
    const play = async (lost: number): Promise<number> => {
      const peer = await bench.udpPeer();
      const leg = { peer, call: new ScriptedCall(peer, bench.uri) };
      let count = 0;
      peer.loses = () => count++ === lost;
      reflexes(leg);
      await flow(leg);
      return count;
    };
    const messages = await play(-1);
    expect(messages).toBeGreaterThan(3);
    await Promise.all(Array.from({ length: messages }, (_unused, lost) => play(lost)));
    await until(() => bench.edge.counts().dialogs === 0);
  });
});
