import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import fc from 'fast-check';
import { ParleyError } from '../../src/errors.js';
import { answerOffer, SdpSession } from '../../src/rtp/sdp/sdp.js';
import { sentBy } from '../../src/sip/edge/message/headers.js';
import { fieldOf } from '../../src/sip/edge/message/message.js';
import { parseMessage } from '../../src/sip/edge/message/parse.js';
import { serialise } from '../../src/sip/edge/message/serialise.js';
import { admit, cutBody, markSource } from '../../src/sip/edge/transport/received.js';
import { StreamFramer } from '../../src/sip/edge/transport/stream-framer.js';
import { sdpOf } from '../../src/sip/offer.js';
import type { BenchOptions, BenchResult } from '../report.js';
import { DESCRIPTIONS, MESSAGES } from './corpus.js';
import { fuzzLiveEdge } from './live-edge.js';
import { mutated } from './mutation.js';

/** Longest that one message may take, in ms. */
const LIMIT_MS = 5;
/** A message that takes longer than this is measured again, in ms. */
const DOUBT_MS = 1;
/** What counts then is its quickest run, without what else the machine did. */
const REPEATS = 20;
/** Messages before anything is measured, so that compiled code is. */
const WARM_UP = 3000;
const RUNS = 2 ** 31 - 1;
const SOURCE = { protocol: 'udp', host: '127.0.0.1', port: 5060 } as const;

/** Everything that is done with a message before anything is decided about it. */
function readMessage(text: string): void {
  const { message } = parseMessage(text);
  const whole = message && cutBody(message);
  const received = whole && 'kind' in whole ? admit(whole, SOURCE, text.length) : undefined;
  if (received && 'via' in received && received.message.kind === 'request') {
    serialise(markSource(received.message, received.via, SOURCE));
  }
  if (message) {
    sentBy(fieldOf(message, 'via') ?? '');
    sdpOf(fieldOf(message, 'content-type') ?? '', message.body);
  }
  new StreamFramer().push(Buffer.from(text, 'latin1'));
}

function readDescription(text: string): void {
  try {
    answerOffer(text, { address: '127.0.0.1', port: 20_000 }, new SdpSession());
  } catch (error) {
    // Refusing is the other right answer.
    if (!(error instanceof ParleyError)) throw error;
  }
}

interface Measured {
  messages: number;
  /** µs. */
  p99: number;
  /** ms, the slowest run of all, and the slowest message by its quickest run. */
  slowest: number;
  slowestMessage: number;
}

/** @throws Error when reading throws, or a message takes longer than the limit; with the shortest such message */
function measure(name: string, corpus: readonly string[], read: (text: string) => void, ms: number): Measured {
  const times = createHistogram();
  let messages = 0;
  let slowestMessage = 0;
  const timed = (text: string) => {
    const start = performance.now();
    read(text);
    return performance.now() - start;
  };
  for (const text of fc.sample(mutated(corpus), WARM_UP)) read(text);
  const property = fc.property(mutated(corpus), (text) => {
    let took = timed(text);
    messages++;
    times.record(Math.max(1, Math.round(took * 1e6)));
    for (let i = 0; i < REPEATS && took > DOUBT_MS; i++) took = Math.min(took, timed(text));
    slowestMessage = Math.max(slowestMessage, took);
    if (took > LIMIT_MS) throw new Error(`${name}: ${took.toFixed(1)} ms for one message of ${text.length} bytes`);
  });
  fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: ms, markInterruptAsFailure: false });
  return { messages, p99: times.percentile(99) / 1e3, slowest: times.max / 1e6, slowestMessage };
}

/** Mutated SIP messages and session descriptions: none may crash what reads them, or hold it up. */
export async function sipFuzz({ quick }: BenchOptions): Promise<BenchResult> {
  const total = quick ? 20_000 : 300_000;
  const torture = tortureMessages();
  const messages = [...MESSAGES, ...torture];
  const sip = measure('SIP', messages, readMessage, total * 0.5);
  const sdp = measure('SDP', DESCRIPTIONS, readDescription, total * 0.2);
  const live = await fuzzLiveEdge(messages, total * 0.3);
  if (live.errors > 0) throw new Error(`the edge failed on ${live.errors} events`);
  const times = ({ p99, slowest, slowestMessage }: Measured) =>
    `p99 ${p99.toFixed(0)} µs, max ${slowest.toFixed(2)} ms (${slowestMessage.toFixed(2)} ms when measured again)`;
  return {
    rows: [
      [
        'messages to start from',
        `${MESSAGES.length} of our own, ${torture.length} of RFC 4475, ${DESCRIPTIONS.length} SDP`,
      ],
      ['SIP messages read', `${sip.messages}: ${times(sip)}`],
      ['session descriptions read', `${sdp.messages}: ${times(sdp)}`],
      ['sent to a live edge', `${live.messages}: it answered throughout, nothing was left`],
      ['crashes', '0'],
    ],
    values: { sip, sdp, live: live.messages, crashes: 0 },
  };
}

function tortureMessages(): string[] {
  const folder = join(process.env.PARLEY_TEST_DATA ?? '../shared/data', 'sip-torture');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((file) => readFileSync(join(folder, file), 'latin1'));
}
