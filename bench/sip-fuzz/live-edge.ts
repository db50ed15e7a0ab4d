import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { pino } from 'pino';
import { EdgeBench, until } from '../../test/kit/edge-bench.js';
import { ScriptedCall, SipPeer } from '../../test/kit/edge-peer.js';
import { mutated } from './mutation.js';

/** Messages from one source: one that sends nothing but nonsense is soon not listened to any more. */
const BATCH = 20;
/** ms that an answer may take. */
const PATIENCE_MS = 5000;

export interface LiveResult {
  messages: number;
  /** Events on which the edge failed; each cost nothing but itself. */
  errors: number;
}

/**
 * Sends mutated messages to a running edge, by UDP and TCP, from ever new addresses of 127.0.0.0/8. After each batch a
 * request of another source has to be answered; at the end nothing may be left.
 *
 * @throws Error when the edge does not answer any more, or keeps something
 */
export async function fuzzLiveEdge(corpus: readonly string[], ms: number): Promise<LiveResult> {
  let errors = 0;
  const log = pino({
    level: 'error',
    hooks: {
      logMethod: () => {
        errors++;
      },
    },
  });
  const bench = await EdgeBench.start(10, { log });
  await bench.application((srf) => {
    srf.invite((_req, res) => res.send(486, {}));
    for (const method of ['options', 'register', 'message']) srf.use(method, (_req, res) => res.send(200, {}));
  });
  const arbitrary = mutated(corpus);
  const end = performance.now() + ms;
  let batches = 0;
  for (; performance.now() < end; batches++) {
    const messages = fc.sample(arbitrary, BATCH).map((text) => Buffer.from(text, 'latin1'));
    const source = `127.${1 + ((batches >> 16) & 127)}.${(batches >> 8) & 255}.${1 + (batches % 254)}`;
    await (batches % 2 === 0 ? sendUdp(messages, source, bench) : sendTcp(messages, source, bench));
    await proveAlive(bench);
  }
  const left = () => {
    const { transactions, dialogs, tcpConnections } = bench.edge.counts();
    return { transactions, dialogs, tcpConnections };
  };
  const gone = until(() => Object.values(left()).every((count) => count === 0));
  await within(PATIENCE_MS, 'the end of everything', gone).catch((error: unknown) => {
    throw new Error(`left in the edge: ${JSON.stringify(left())}`, { cause: error });
  });
  await bench.close();
  return { messages: batches * BATCH, errors };
}

async function sendUdp(messages: readonly Buffer[], source: string, bench: EdgeBench): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => undefined);
  socket.bind(0, source);
  await once(socket, 'listening');
  const sent = messages.map(
    (data) => new Promise((resolve) => socket.send(data.subarray(0, 65_000), bench.edge.sipPort, '127.0.0.1', resolve)),
  );
  await Promise.all(sent);
  socket.close();
}

async function sendTcp(messages: readonly Buffer[], source: string, bench: EdgeBench): Promise<void> {
  const socket = connect({ port: bench.edge.sipPort, host: '127.0.0.1', localAddress: source });
  socket.on('error', () => undefined).resume();
  for (const data of messages) socket.write(data);
  socket.end();
  await within(PATIENCE_MS, 'end of a TCP connection', once(socket, 'close'));
}

async function proveAlive(bench: EdgeBench): Promise<void> {
  const peer = await SipPeer.udp(bench.edge.sipPort);
  const call = new ScriptedCall(peer, bench.uri);
  call.send('OPTIONS');
  await within(PATIENCE_MS, 'answer to OPTIONS', call.response(200));
  peer.close();
}

async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
