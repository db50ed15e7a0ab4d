import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf } from '../../errors.js';
import { createCodec } from '../../rtp/codec.js';
import type { CodecName, PcmRate } from '../../rtp/negotiated.js';
import { BatchVad } from '../../speech/detection/silero.js';
import { createLogger, type LogLevel } from '../../telemetry/log.js';
import type { FromMedia, ToMedia } from '../messages.js';
import { MediaEngine, type MediaEngineOptions } from './media-engine.js';

/** What the thread is started with. */
export interface MediaWorkerData extends MediaEngineOptions {
  worker: number;
  /** Whose libraries are loaded before the first call. */
  codecs: readonly CodecName[];
  logLevel: LogLevel;
}

/* The entry of a media worker's thread. */

const port = parentPort;
if (!port) throw new Error('media-worker runs in a worker thread only');
const data: MediaWorkerData = workerData;
const post = (event: FromMedia): void => port.postMessage(event);
const detectors = { 8000: await warmDetector(8000), 16000: await warmDetector(16_000) };
const logger = createLogger(data.logLevel, `media-${data.worker}`);
for (const codec of data.codecs) warmCodec(codec);
const engine = new MediaEngine(detectors, data, logger, post);
port.on('message', (message: ToMedia) => {
  if (message.type === 'shutdown') void shutdown();
  else engine.handle(message);
});
post({ type: 'ready' });
await engine.rehearse(data.codecs).catch((error: unknown) => {
  logger.warn({ reason: reasonOf(error) }, 'rehearsal failed: the first call may stutter');
});
post({ type: 'rehearsed' });

async function shutdown(): Promise<void> {
  await engine.shutdown();
  await Promise.all([detectors[8000].close(), detectors[16000].close()]);
  port?.close();
}

/** The first run of a model allocates and compiles: not while a caller waits. */
async function warmDetector(sampleRate: PcmRate): Promise<BatchVad> {
  const vad = await BatchVad.load(sampleRate);
  await vad.run([{ state: vad.createState(), window: new Int16Array(vad.windowSamples) }]);
  return vad;
}

function warmCodec(name: CodecName): void {
  try {
    createCodec(name, 16_000).encode(new Int16Array(320), 320, new Uint8Array(1500), 0);
  } catch (error) {
    logger.warn({ codec: name, reason: reasonOf(error) }, 'codec cannot be used');
  }
}
