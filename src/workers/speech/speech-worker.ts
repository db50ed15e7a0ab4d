import { parentPort, workerData } from 'node:worker_threads';
import { createLogger, type LogLevel } from '../../telemetry/log.js';
import type { FromSpeech, ToSpeech } from '../messages.js';
import { SpeechEngines } from './speech-engines.js';
import { wireError } from './speech-errors.js';
import { lowerThreadPriority } from './speech-priority.js';
import { SpeechService } from './speech-service.js';

/** What the thread is started with. */
export interface SpeechWorkerData {
  worker: number;
  logLevel: LogLevel;
}

/* The entry of a speech worker's thread. */

const port = parentPort;
if (!port) throw new Error('speech-worker runs in a worker thread only');
const data: SpeechWorkerData = workerData;
const post = (event: FromSpeech): void => port.postMessage(event);
const log = createLogger(data.logLevel, `speech-${data.worker}`);

lowerThreadPriority();
try {
  const service = new SpeechService(await SpeechEngines.load(), log, post);
  port.on('message', (message: ToSpeech) => {
    if (message.type !== 'shutdown') service.handle(message);
    else void service.close().finally(() => port.close());
  });
  post({ type: 'ready' });
} catch (error) {
  post({ type: 'start.failed', ...wireError(error) });
}
