import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ParleyError, reasonOf } from '../errors.js';
import { InferenceSession, type SessionOptions as RuntimeOptions } from './runtime.js';

/** How a model is to be run. */
export interface SessionOptions {
  /**
   * Computes quantised layers in their quantised form only where the graph says so. Turning the QDQ rewriting off
   * takes about a third of the time off a decoder step for some memory.
   */
  keepQuantised?: boolean;
  /** Makes another model of the file's content, to be run in its place. */
  rewrite?: (file: Uint8Array) => Uint8Array;
}

/**
 * Opens an ONNX model for running on the calling thread: one intra-op thread and no spinning, since each worker
 * thread has its own models and a second thread per model costs more CPU than it saves time.
 *
 * `run()` of onnxruntime-node computes synchronously on the thread that calls it (after one `setImmediate`), so
 * sessions belong in worker threads.
 *
 * @param locate gives the URL of the model file; throws where its package is not installed
 * @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE
 */
export async function openSession(locate: () => string, options: SessionOptions = {}): Promise<InferenceSession> {
  const file = pathOf(locate);
  const session: Record<string, unknown> = {
    intra_op: { allow_spinning: '0' },
    inter_op: { allow_spinning: '0' },
  };
  if (options.keepQuantised) session.disable_quant_qdq = '1';
  const settings: RuntimeOptions = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    extra: { session },
  };
  try {
    if (options.rewrite) return await InferenceSession.create(options.rewrite(readFileSync(file)), settings);
    return await InferenceSession.create(file, settings);
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_MODEL_UNUSABLE', { file, reason: reasonOf(error) }, { cause: error });
  }
}

function pathOf(locate: () => string): string {
  let file: string;
  try {
    file = fileURLToPath(locate());
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_MODEL_MISSING', { file: reasonOf(error) }, { cause: error });
  }
  if (!existsSync(file)) throw new ParleyError('PARLEY_ERR_MODEL_MISSING', { file });
  return file;
}
