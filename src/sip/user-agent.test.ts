import { afterAll, beforeAll, describe, it } from 'vitest';
import { EdgeBench, OFFER, SECRET } from '../../test/kit/edge-bench.js';
import { ScriptedCall } from '../../test/kit/edge-peer.js';
import { createLogger } from '../telemetry/log.js';
import { sipConfig } from './config.js';
import { UserAgent } from './user-agent.js';

const LOG = createLogger('silent');

/** The server before it takes SIP from all of 127.0.0.0/8, as a drachtio-server does from everybody. */
describe('on a drachtio-server', () => {
  let edge: EdgeBench;
  let agent: UserAgent;
  let trunks: string[] = [];

  beforeAll(async () => {
    edge = await EdgeBench.start(50);
    agent = await UserAgent.start({
      config: sipConfig.parse({
        allowedNetworks: ['192.0.2.0/24'],
        drachtio: { host: '127.0.0.1', port: edge.edge.controlPort, secret: SECRET },
      }),
      trunks: { of: () => undefined, gate: { admit: async () => undefined } as never, allowed: () => trunks },
      logger: LOG,
      logLevel: 'silent',
      onInvite: (invite) => invite.reject(486),
      onLost: () => undefined,
    });
  });

  afterAll(async () => {
    await agent?.close();
    await edge?.close();
  });

  /** Resolves when this is how it is answered. */
  async function answered(method: 'INVITE' | 'REGISTER', status: number): Promise<void> {
    const call = new ScriptedCall(await edge.udpPeer(), edge.uri);
    call.send(method, method === 'INVITE' ? { body: OFFER } : {});
    await call.response(status, method);
  }

  it('refuses whoever is neither of the allowed networks nor of a trunk, and takes a trunk that has moved', async () => {
    await answered('INVITE', 403);
    await answered('REGISTER', 403);
    trunks = ['127.0.0.1'];
    agent.trunksMoved();
    await answered('INVITE', 486);
    await answered('REGISTER', 405);
  });
});
