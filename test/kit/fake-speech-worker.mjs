// A speech worker without models, which fails in the ways that real ones do when the text says so.
import { parentPort, workerData } from 'node:worker_threads';

const { worker } = workerData;
let busyMs = 0;

function synthesise({ job, spoken, sampleRate }) {
  const [what, where] = spoken.split(' on ');
  if (where === undefined || Number(where) === worker) {
    if (what === 'hang') for (;;);
    if (what.startsWith('block ')) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(what.slice(6)));
    }
    if (what === 'die') process.exit(7);
    if (what === 'stall') {
      busyMs = Number.MAX_SAFE_INTEGER;
      return;
    }
    if (what === 'wait') return;
    if (what === 'fail') {
      const details = { reason: 'out of breath' };
      parentPort.postMessage({
        type: 'failed',
        job,
        code: 'PARLEY_ERR_SYNTHESIS_FAILED',
        reason: details.reason,
        details,
      });
      return;
    }
  }
  parentPort.postMessage({ type: 'synthesised', job, pcm: Int16Array.of(worker), sampleRate, words: undefined, ms: 1 });
}

parentPort.on('message', (message) => {
  const { type, leg, position } = message;
  if (type === 'shutdown') parentPort.close();
  if (type === 'ping') parentPort.postMessage({ type: 'pong', request: message.request, backlog: 0, busyMs });
  if (type === 'synthesise') synthesise(message);
  if (type === 'stream.open') {
    const text = `worker ${worker} from ${message.from}${message.resumed ? ' resumed' : ''}`;
    parentPort.postMessage({ type: 'partial', leg, text, from: message.from, position: message.from });
  }
  if (type === 'stream.finalise') {
    const text = `final of worker ${worker}`;
    const final = { type: 'final', leg, text, from: 0, position, ms: 1, logProbability: 0 };
    // What a worker that took over finds again, and what it was asked for.
    if (worker > 0) parentPort.postMessage({ ...final, position: 100 });
    parentPort.postMessage(final);
  }
});
parentPort.postMessage({ type: 'ready' });
