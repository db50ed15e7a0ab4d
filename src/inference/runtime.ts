import { createRequire } from 'node:module';
import type * as Runtime from 'onnxruntime-common';

/**
 * ONNX Runtime for Node, of `vendor/` (see tools/vendor.mjs), which registers itself with the copy of `onnxruntime-common`
 * that CommonJS sees: what is made here has to come from that one.
 */
const runtime: typeof Runtime = createRequire(import.meta.url)('../../vendor/onnxruntime/dist/index.js');

export const { InferenceSession, Tensor } = runtime;
export type InferenceSession = Runtime.InferenceSession;
export type Tensor = Runtime.Tensor;
export type Outputs = Runtime.InferenceSession.ReturnType;
export type SessionOptions = Runtime.InferenceSession.SessionOptions;

/** A model file of `vendor/`. */
export function vendored(name: string): string {
  return new URL(`../../vendor/${name}`, import.meta.url).href;
}
