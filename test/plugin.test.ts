import { once } from 'node:events';
import Srf from 'drachtio-srf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createParley, type Parley } from '../src/index.js';
import { EdgeServer } from '../src/sip/edge/edge-server.js';
import { createLogger } from '../src/telemetry/log.js';
import { Phone } from './kit/phone.js';
import { RawPeer } from './kit/raw-peer.js';
import { RtpPeer } from './kit/rtp-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

const SECRET = 'a secret';

/** An application that has a drachtio-srf and routes of its own, and in the same process a second Parley by itself. */
describe('inside a program', () => {
  const folder = scratchFolder('plugin');
  const heard: string[] = [];
  const asked: unknown[] = [];
  let edge: EdgeServer;
  let srf: Srf;
  let shop: Parley;
  let alone: Parley;

  beforeAll(async () => {
    edge = await EdgeServer.start({
      sip: { host: '127.0.0.1', port: 0 },
      control: { host: '127.0.0.1', port: 0 },
      secret: SECRET,
      allowedNetworks: ['127.0.0.0/8'],
      log: createLogger('silent'),
    });
    srf = new Srf();
    const settings = (name: string) => ({
      sip: { port: 0 },
      data: `${folder.path}/${name}`,
      log: { level: 'silent' as const },
      limits: { load: { loopMs: 0, mediaMs: 0, speechBacklog: 0 } },
    });
    shop = await createParley({
      settings: { ...settings('shop'), http: { enabled: false } },
      agents: [
        {
          name: 'shop',
          greeting: 'Welcome to the garden shop.',
          topics: [
            {
              name: 'stock',
              examples: ['do you have roses', 'are there any roses', 'what flowers do you have'],
              action: 'countFlowers',
              say: 'We have {{flowers.count}} roses.',
            },
          ],
          actions: [{ name: 'countFlowers', type: 'function', result: 'flowers', readOnly: true }],
        },
      ],
      dialplan: [{ name: 'shop', match: { to: '8001' }, answer: { agent: 'shop' } }],
      actions: {
        countFlowers: (parameters, { variables }) => {
          asked.push(variables.called);
          return { count: 'fourteen', ...parameters };
        },
      },
      srf,
    });
    shop.on('event', () => {
      throw new Error('a listener that fails');
    });
    shop.on('turn', (event) => heard.push(event.type === 'agent.turn' ? event.heard : event.text));
    srf.use('invite', shop.handler());
    srf.use('invite', (_req, res) => res.send(486));
    srf.use('options', (_req, res) => res.send(200, { headers: { 'X-Answered-By': 'the application' } }));
    const connected = once(srf, 'connect');
    srf.connect({ host: '127.0.0.1', port: edge.controlPort, secret: SECRET });
    await connected;
    alone = await createParley({
      settings: { ...settings('alone'), http: { port: 0 } },
      agents: [{ name: 'alone', greeting: 'This is the other one.' }],
    });
  });

  afterAll(async () => {
    await Promise.all([shop?.close(), alone?.close()]);
    srf?.disconnect();
    await edge?.close();
    folder.remove();
  });

  const sip = () => ({ host: '127.0.0.1', port: edge.sipPort });

  it("answers what its dialplan has, with the program's functions and listeners", async () => {
    const ended: string[] = [];
    shop.on('end', ({ by, call }) => ended.push(`${by} ${call}`));
    const phone = await Phone.dial({ sip: sip() });
    await phone.greeted();
    const [live] = shop.calls.list();
    const reply = await phone.ask('Do you have roses?');
    expect(await transcribe(reply)).toMatch(/fourteen|14/i);
    expect(asked).toContain('8001');
    await phone.hangUp();
    await until('the end', () => ended.length > 0);
    expect(ended).toEqual([`caller ${live?.id}`]);
    expect(heard.join(' ')).toMatch(/garden shop.*roses.*fourteen/is);
    expect(await shop.metrics()).toMatch(/parley_calls_total\{agent="shop",ended_by="caller"\} 1/);
    await phone.close();
  });

  it('leaves other calls and requests to the application, and both go on when it is closed', async () => {
    const peer = await RawPeer.open(sip());
    const rtp = await RtpPeer.open();
    const status = async (number: string) => (await peer.invite(number, rtp.sdp()).final()).status;
    expect(await status('9999')).toBe(486);
    expect((await peer.options()).header('x-answered-by')).toBe('the application');
    expect(shop.calls.list().filter(({ to }) => to === '9999')).toEqual([]);

    const [host = '', port = ''] = (alone.sip ?? '').split(':');
    const phone = await Phone.dial({ sip: { host, port: Number(port) } });
    await phone.greeted();
    expect(await transcribe(phone.rtp.sound())).toMatch(/other/i);
    await shop.close();
    expect(await status('9999')).toBe(486);
    expect(await status('8001')).toBe(503);
    expect(alone.calls.list()).toHaveLength(1);
    await phone.hangUp();
    await phone.close();
    rtp.close();
    peer.close();
  });
});
