import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPENING_HOURS } from './kit/examples.js';
import { RawPeer } from './kit/raw-peer.js';
import { RtpPeer } from './kit/rtp-peer.js';
import { assertComplete, Server } from './kit/server.js';
import { speak, transcribe } from './kit/speech.js';

const { DRACHTIO_HOST, DRACHTIO_PORT, DRACHTIO_SECRET } = process.env;
/** Where that drachtio-server takes SIP, host:port. */
const [sipHost = '', sipPort = '5060'] = (process.env.DRACHTIO_SIP ?? `${DRACHTIO_HOST}:5060`).split(':');

/** Needs a real drachtio-server on this machine, which nobody else is connected to. */
describe.skipIf(!DRACHTIO_HOST)('behind a real drachtio-server', () => {
  let server: Server;

  beforeAll(async () => {
    const drachtio = { DRACHTIO_HOST: DRACHTIO_HOST ?? '', DRACHTIO_PORT, DRACHTIO_SECRET };
    const given = Object.entries(drachtio).filter((entry): entry is [string, string] => entry[1] !== undefined);
    server = await Server.start({ env: Object.fromEntries(given) });
  });

  afterAll(() => server?.stop());

  it('a call is answered, talks, and ends whole', async () => {
    const peer = await RawPeer.open({ host: sipHost, port: Number(sipPort) });
    const rtp = await RtpPeer.open();
    try {
      const call = peer.invite('8001', rtp.sdp());
      rtp.start((await call.answered()).body);
      await rtp.spoken(0);
      await rtp.play(await speak(OPENING_HOURS.question));
      await rtp.spoken(performance.now());
      expect(await transcribe(rtp.sound())).toMatch(OPENING_HOURS.answer);
      await call.bye();
      await server.event('call.ended');
      assertComplete(server.journal());
      await server.waitForIdle();
    } finally {
      rtp.close();
      peer.close();
    }
  });
});
