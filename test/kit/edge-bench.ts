import { once } from 'node:events';
import { connect } from 'node:net';
import Srf from 'drachtio-srf';
import { EdgeServer, type EdgeServerOptions } from '../../src/sip/edge/edge-server.js';
import { createLogger } from '../../src/telemetry/log.js';
import { ScriptedCall, SipPeer } from './edge-peer.js';

export const OFFER =
  'v=0\r\no=peer 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
export const ANSWER = OFFER.replace('o=peer', 'o=parley').replace('4000', '5000');
export const SECRET = 'a secret';

/** Waits for a condition that has no event of its own. */
export async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** An edge on loopback with quick timers, unchanged drachtio-srf applications on it, and scripted peers before it. */
export class EdgeBench {
  readonly #ends: (() => unknown)[] = [];

  private constructor(readonly edge: EdgeServer) {}

  /** @param t1 ms, RFC 3261 T1: 64 of them are a timeout */
  static async start(t1 = 10, options: Partial<EdgeServerOptions> = {}): Promise<EdgeBench> {
    const edge = await EdgeServer.start({
      sip: { host: '127.0.0.1', port: 0 },
      control: { host: '127.0.0.1', port: 0 },
      secret: SECRET,
      allowedNetworks: ['127.0.0.0/8'],
      log: createLogger('silent'),
      timings: { t1, t2: 4 * t1, t4: 5 * t1 },
      ...options,
    });
    return new EdgeBench(edge);
  }

  get uri(): string {
    return `sip:8001@127.0.0.1:${this.edge.sipPort}`;
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    await this.edge.close();
  }

  /** Connects an application; `routes` says what it takes. It is ready when this resolves. */
  async application(routes: (srf: Srf) => void = () => undefined): Promise<Srf> {
    const srf = new Srf();
    routes(srf);
    const events: NodeJS.EventEmitter = srf;
    events.on('error', () => undefined);
    srf.connect({ host: '127.0.0.1', port: this.edge.controlPort, secret: SECRET });
    let connected = true;
    events.on('close', () => {
      connected = false;
    });
    // drachtio-srf throws when told to disconnect twice.
    this.#ends.push(() => connected && srf.disconnect());
    const [error] = await once(srf, 'connect');
    if (error) throw error;
    // Its routes were written before 'connect'; an answer to another connection's later frame proves them read.
    await this.control([`authenticate|${SECRET}|`]);
    return srf;
  }

  /** Speaks the control protocol by hand: sends each frame, returns what was answered once as many frames came. */
  async control(frames: string[], answers = frames.length): Promise<string[]> {
    const socket = connect(this.edge.controlPort, '127.0.0.1');
    let received = '';
    const done = new Promise<string[]>((resolve) => {
      socket.on('data', (chunk) => {
        received += chunk.toString();
        const found = received.split(/\d+#/).slice(1);
        if (found.length >= answers) resolve(found);
      });
      socket.on('close', () => resolve(received.split(/\d+#/).slice(1)));
    });
    for (const [i, frame] of frames.entries()) socket.write(`${`m${i}|${frame}`.length}#m${i}|${frame}`);
    const found = await done;
    socket.destroy();
    return found;
  }

  async udpPeer(): Promise<SipPeer> {
    return this.keep(await SipPeer.udp(this.edge.sipPort));
  }

  async tcpPeer(): Promise<SipPeer> {
    return this.keep(await SipPeer.tcp(this.edge.sipPort));
  }

  async tcpServer(): Promise<SipPeer> {
    return this.keep(await SipPeer.tcpServer());
  }

  /** Closes a peer with the bench. */
  keep(peer: SipPeer): SipPeer {
    this.#ends.push(() => peer.close());
    return peer;
  }

  /** An application that answers every INVITE. */
  async answering(): Promise<AnsweringApp> {
    const app = new AnsweringApp();
    app.srf = await this.application((srf) => {
      srf.invite((req, res) => {
        if (!app.admits(req)) {
          res.send(486, {});
          return;
        }
        srf.createUAS(req, res, { localSdp: ANSWER }).then(
          (dialog) => app.add(dialog),
          () => undefined,
        );
      });
    });
    return app;
  }

  /** A call that is answered and acknowledged. */
  async answered(
    peer: SipPeer,
    app: AnsweringApp,
    transport: 'UDP' | 'TCP' | 'TLS' = 'UDP',
  ): Promise<{ call: ScriptedCall; dialog: Srf.Dialog }> {
    const call = new ScriptedCall(peer, this.uri, transport);
    const made = app.next();
    call.send('INVITE', { body: OFFER });
    await call.response(200, 'INVITE');
    const dialog = await made;
    const acknowledged = once(dialog, 'ack');
    call.send('ACK');
    await acknowledged;
    return { call, dialog };
  }
}

export class AnsweringApp {
  srf: Srf | undefined;
  /** Calls that fail this are busy. */
  admits: (req: Srf.SrfRequest) => boolean = () => true;
  readonly #ready: Srf.Dialog[] = [];
  readonly #waiting: ((dialog: Srf.Dialog) => void)[] = [];

  add(dialog: Srf.Dialog): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(dialog);
    else this.#ready.push(dialog);
  }

  /** The dialog of the next call. */
  next(): Promise<Srf.Dialog> {
    const ready = this.#ready.shift();
    return ready ? Promise.resolve(ready) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
