// Loaded into a server under test, and with it into each of its threads (NODE_OPTIONS=--import): on SIGUSR2 does to a
// thread what the file PARLEY_TEST_FAULTS says. Threads can't be killed by a signal; these are the ways they do end.
import { readFileSync } from 'node:fs';
import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads';

const faults = new BroadcastChannel('parley-test-faults');
faults.unref();

function threadName() {
  if (isMainThread) return 'main';
  if (!workerData) return '';
  if ('vad' in workerData) return `media-${workerData.worker}`;
  return 'secret' in workerData ? 'edge' : `speech-${workerData.worker}`;
}

const HOW = {
  /** An exception that nobody catches. */
  throw: () =>
    setImmediate(() => {
      throw new Error('fault: thrown');
    }),
  reject: () => void Promise.reject(new Error('fault: rejected')),
  /** At once, as after a fault in native code that only its thread dies of. */
  exit: () => process.exit(9),
  /** Never returns, and costs the machine nothing. */
  hang: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  /** Stands still for so long, again and again. */
  stall: ({ ms, times }) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
    if (times > 1) setTimeout(() => HOW.stall({ ms, times: times - 1 }), 50);
  },
  /** The wall clock is set. */
  clock: ({ ms }) => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + ms;
  },
};

function hit({ thread, how, ...more }) {
  if (new RegExp(`^(${thread})$`).test(threadName())) HOW[how](more);
}

faults.onmessage = ({ data }) => hit(data);
if (isMainThread) {
  process.on('SIGUSR2', () => {
    const fault = JSON.parse(readFileSync(process.env.PARLEY_TEST_FAULTS, 'utf8'));
    faults.postMessage(fault);
    hit(fault);
  });
}
