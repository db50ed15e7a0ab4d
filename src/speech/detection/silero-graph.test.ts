import { describe, expect, it } from 'vitest';
import { readConstants } from '../../inference/onnx-file.js';
import { InferenceSession, Tensor, vendored } from '../../inference/runtime.js';
import { BatchVad } from './silero.js';
import { batchModel } from './silero-graph.js';

const published = new URL(vendored('silero/silero_vad_v6.onnx'));

/** Noise bursts and chirps: everything from silence to full scale. */
function sound(samples: number): Int16Array {
  let seed = 1;
  return Int16Array.from({ length: samples }, (_, n) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const noise = seed / 1073741824 - 1;
    const loud = Math.max(0, Math.sin(n / 3000)) ** 2;
    return Math.round(32767 * loud * (0.5 * Math.sin((n * n) / 9e5) + 0.5 * noise * Math.max(0, Math.sin(n / 700))));
  });
}

describe.each([8000, 16_000] as const)('at %i Hz', (rate) => {
  it('gives what the published graph gives, over many windows', async () => {
    const vad = await BatchVad.load(rate);
    const reference = await InferenceSession.create(published.pathname);
    const [size, kept] = [vad.windowSamples, rate / 250];
    const pcm = sound(100 * size);
    const own = vad.createState();
    let state = new Tensor('float32', new Float32Array(256), [2, 1, 128]);
    let spread = 0;
    for (let at = 0; at < pcm.length; at += size) {
      const input = new Float32Array(kept + size);
      for (let n = 0; n < input.length; n++) input[n] = (pcm[at - kept + n] ?? 0) / 32768;
      const sr = new Tensor('int64', BigInt64Array.of(BigInt(rate)), []);
      const expected = await reference.run({ input: new Tensor('float32', input, [1, input.length]), state, sr });
      state = expected.stateN as typeof state;
      const [probability = -1] = await vad.run([{ state: own, window: pcm.subarray(at, at + size) }]);
      const wanted = Number(expected.output?.data[0]);
      expect(Math.abs(probability - wanted)).toBeLessThan(1e-4);
      spread = Math.max(spread, wanted);
    }
    // The sound means something to the model: equal zeros would prove nothing.
    expect(spread).toBeGreaterThan(0.01);
    await Promise.all([vad.close(), reference.release()]);
  });
});

describe('readConstants', () => {
  it('refuses what is no model', () => {
    for (const file of [new Uint8Array([0x3a, 0x7f, 1]), new Uint8Array([0x80]), new TextEncoder().encode('<html>')]) {
      expect(() => readConstants(file)).toThrow(RangeError);
    }
    expect(() => batchModel(new Uint8Array(0), 8000)).toThrow('no weights');
  });
});
