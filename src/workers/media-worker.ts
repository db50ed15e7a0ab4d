import { parentPort, workerData } from 'node:worker_threads';
import { BatchVad } from '../speech/detection/silero.js';
import { createLogger, type LogLevel } from '../telemetry/log.js';
import { MediaEngine, type MediaEngineOptions } from './media-engine.js';
import type { FromMedia, ToMedia } from './messages.js';

/** What the thread is started with. */
export interface MediaWorkerData extends MediaEngineOptions {
  worker: number;
  logLevel: LogLevel;
}

/* The entry of a media worker's thread. */

const port = parentPort;
if (!port) throw new Error('media-worker runs in a worker thread only');
const data: MediaWorkerData = workerData;
const post = (event: FromMedia): void => port.postMessage(event);
const vad = await BatchVad.load(8000);
// The first run of a model allocates and compiles: not while a caller waits.
await vad.run([{ state: vad.createState(), window: new Int16Array(vad.windowSamples) }]);
const engine = new MediaEngine(vad, data, createLogger(data.logLevel, `media-${data.worker}`), post);
port.on('message', (message: ToMedia) => {
  if (message.type === 'shutdown') void shutdown();
  else engine.handle(message);
});
post({ type: 'ready' });

async function shutdown(): Promise<void> {
  await engine.shutdown();
  await vad.close();
  port?.close();
}
