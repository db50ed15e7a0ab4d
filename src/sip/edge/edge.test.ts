import { once } from 'node:events';
import Srf from 'drachtio-srf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedCall, SipPeer } from './scripted-peer.js';
import { createLogger } from '../../telemetry/log.js';
import { EdgeServer } from './edge-server.js';

const OFFER = 'v=0\r\no=peer 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
const ANSWER = OFFER.replace('o=peer', 'o=parley').replace('4000', '5000');
const SECRET = 'cymru';

let edge: EdgeServer;
let open: { close(): void }[] = [];

async function startEdge(t1 = 20): Promise<EdgeServer> {
  return EdgeServer.start({
    sip: { host: '127.0.0.1', port: 0 },
    control: { host: '127.0.0.1', port: 0 },
    secret: SECRET,
    allowedNetworks: ['127.0.0.0/8'],
    log: createLogger('silent'),
    timings: { t1, t2: 4 * t1, t4: 5 * t1 },
  });
}

async function application(routes: (srf: Srf) => void = () => undefined): Promise<Srf> {
  const srf = new Srf();
  routes(srf);
  srf.on('error', () => undefined);
  srf.connect({ host: '127.0.0.1', port: edge.controlPort, secret: SECRET });
  const [error] = await once(srf, 'connect');
  expect(error).toBeFalsy();
  // A request that comes before the routes were acknowledged would meet no application.
  await until(() => edge.counts().applications > 0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  open.push({ close: () => srf.disconnect() });
  return srf;
}

async function peerOf(kind: 'udp' | 'tcp' = 'udp'): Promise<SipPeer> {
  const peer = await SipPeer[kind](edge.sipPort);
  open.push(peer);
  return peer;
}

async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function uri(): string {
  return `sip:8001@127.0.0.1:${edge.sipPort}`;
}

/** An application that answers every INVITE, and the dialogs it has. */
async function answering(): Promise<{ srf: Srf; dialogs: Srf.Dialog[]; next: () => Promise<Srf.Dialog> }> {
  const dialogs: Srf.Dialog[] = [];
  const waiting: ((dialog: Srf.Dialog) => void)[] = [];
  const srf = await application((app) => {
    app.invite((req, res) => {
      void app.createUAS(req, res, { localSdp: ANSWER }).then((dialog) => {
        dialogs.push(dialog);
        waiting.shift()?.(dialog);
      });
    });
  });
  return { srf, dialogs, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

/** A call that was answered and acknowledged. */
async function answered(
  peer: SipPeer,
  app: { next: () => Promise<Srf.Dialog> },
  transport: 'UDP' | 'TCP' = 'UDP',
): Promise<{ call: ScriptedCall; dialog: Srf.Dialog }> {
  const call = new ScriptedCall(peer, uri(), transport);
  const dialog = app.next();
  call.send('INVITE', { body: OFFER });
  await call.response(200, 'INVITE');
  const made = await dialog;
  const acknowledged = once(made, 'ack');
  call.send('ACK');
  await acknowledged;
  return { call, dialog: made };
}

beforeEach(async () => {
  edge = await startEdge();
});

afterEach(async () => {
  for (const one of open) one.close();
  open = [];
  await edge.close();
  expect(edge.counts()).toMatchObject({ transactions: 0, timers: 0 });
});

describe('a call to the application', () => {
  for (const transport of ['UDP', 'TCP'] as const) {
    it(`is answered, acknowledged and ended by the caller, over ${transport}`, async () => {
      const app = await answering();
      const peer = await peerOf(transport === 'UDP' ? 'udp' : 'tcp');
      const { call, dialog } = await answered(peer, app, transport);
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
      await until(() => edge.counts().transactions === 0);
      expect(edge.counts()).toMatchObject({ dialogs: 0, applications: 1 });
    });
  }

  it('is ended by the application', async () => {
    const app = await answering();
    const { call, dialog } = await answered(await peerOf(), app);
    const ended = new Promise<void>((resolve) => dialog.destroy(undefined, () => resolve()));
    const bye = await call.request('BYE');
    expect(bye.get('to')).toContain(`tag=${call.tag}`);
    expect(bye.get('from')).toContain(`tag=${call.toTag}`);
    const peer = await peerOf();
    peer.answer(bye, '200 OK');
    await ended;
    expect(edge.counts().dialogs).toBe(0);
  });
});
