import { type Graph, type GraphNode, readConstants, type Weights, writeModel } from '../../inference/onnx-file.js';

/** Width of the model's recurrent state, which has two layers. */
export const HIDDEN = 128;
/** Overlapping frames that make the spectrum of one window. */
export const FRAMES = 4;

/** Where the weights of either rate are in the published model. */
const BRANCH = { 8000: 'If_0_else_branch__Inline_0__', 16000: 'If_0_then_branch__Inline_0__' } as const;
/** Every second frame is left out by these layers of the encoder; the kernels are three frames wide, one frame is padded on either side. */
const STRIDES = [1, 2, 2, 1] as const;
/** PCM of 16 bits to full scale 1. */
const FULL_SCALE = 32768;

/**
 * Silero's network for one rate, from the published model's weights, in a form that is cheap for many streams: the published
 * graph convolves each stream of a batch by itself over four frames, which leaves the processor idle most of the time; as all
 * frames of a window come at once, each convolution is also one matrix product over the whole batch. Three times as fast at 32
 * streams, and the same to a rounding error.
 *
 * Takes `frames` [streams, FRAMES * frame] in samples of 16 bits, `hidden` and `cell` [streams, HIDDEN]; gives `speech`
 * [streams, 1], `nextHidden` and `nextCell`.
 *
 * @throws RangeError when the file is no ONNX model; Error when it lacks a weight
 */
export function batchModel(published: Uint8Array, rate: 8000 | 16000): Uint8Array {
  return writeModel(batchGraph(readConstants(published), rate));
}

/** A graph in the making. */
class Maker {
  readonly weights: Record<string, Weights> = {};
  readonly nodes: GraphNode[] = [];

  constructor(
    private readonly constants: Map<string, Weights>,
    private readonly rate: 8000 | 16000,
  ) {}

  /** Weights of the published model. */
  take(name: string): Weights {
    const found = this.constants.get(BRANCH[this.rate] + name);
    if (!found) throw new Error(`no weights "${name}" at ${this.rate} Hz`);
    return found;
  }

  node(type: string, inputs: string[], outputs: string[], attributes: GraphNode['attributes'] = {}): void {
    this.nodes.push({ type, inputs, outputs, attributes });
  }
}

function batchGraph(constants: Map<string, Weights>, rate: 8000 | 16000): Graph {
  const maker = new Maker(constants, rate);
  const { frame, bins } = spectrum(maker);
  encoder(maker);
  memory(maker);
  verdict(maker);
  const state = ['streams', HIDDEN];
  return {
    inputs: { frames: ['streams', FRAMES * frame], hidden: state, cell: state },
    outputs: { speech: ['streams', 1], nextHidden: state, nextCell: state },
    weights: maker.weights,
    integers: {
      each: [-1, frame],
      halves: [bins, bins],
      window: [-1, FRAMES * bins],
      'ifo+g': [3 * HIDDEN, HIDDEN],
      'i+f+o': [HIDDEN, HIDDEN, HIDDEN],
    },
    nodes: maker.nodes,
  };
}

/** Magnitudes of the spectrum of each frame. */
function spectrum(maker: Maker): { frame: number; bins: number } {
  const basis = maker.take('stft.forward_basis_buffer');
  const [filters = 0, , frame = 0] = basis.dims;
  maker.weights.basis = transposed(basis.data, filters, frame, 1 / FULL_SCALE);
  maker.node('Reshape', ['frames', 'each'], ['rows']);
  maker.node('MatMul', ['rows', 'basis'], ['spectrum']);
  maker.node('Split', ['spectrum', 'halves'], ['real', 'imaginary'], { axis: 1 });
  maker.node('Mul', ['real', 'real'], ['real2']);
  maker.node('Mul', ['imaginary', 'imaginary'], ['imaginary2']);
  maker.node('Add', ['real2', 'imaginary2'], ['power']);
  maker.node('Sqrt', ['power'], ['magnitude']);
  maker.node('Reshape', ['magnitude', 'window'], ['layer0']);
  return { frame, bins: filters / 2 };
}

/** Four convolutions over the frames of a window. */
function encoder(maker: Maker): void {
  let frames = FRAMES;
  STRIDES.forEach((stride, n) => {
    const made = asMatrix(maker.take(`encoder.${n}.reparam_conv.weight`), frames, stride);
    frames = made.frames;
    maker.weights[`kernel${n}`] = made.matrix;
    maker.weights[`bias${n}`] = repeated(maker.take(`encoder.${n}.reparam_conv.bias`).data, frames);
    maker.node('Gemm', [`layer${n}`, `kernel${n}`, `bias${n}`], [`sum${n}`]);
    maker.node('Relu', [`sum${n}`], [`layer${n + 1}`]);
  });
}

/** The LSTM. Its gates are i, f, g, o in the weights, here i, f, o, g, so that one sigmoid does for three. */
function memory(maker: Maker): void {
  const [ih, hh] = [maker.take('decoder.rnn.bias_ih').data, maker.take('decoder.rnn.bias_hh').data];
  const bias = gates({ dims: [4 * HIDDEN, 1], data: ih.map((value, n) => value + hh[n]!) });
  maker.weights.input = gates(maker.take('decoder.rnn.weight_ih'));
  maker.weights.recurrent = gates(maker.take('decoder.rnn.weight_hh'));
  maker.weights.bias = { dims: [4 * HIDDEN], data: bias.data };
  maker.node('Gemm', [`layer${STRIDES.length}`, 'input', 'bias'], ['fromInput']);
  maker.node('Gemm', ['hidden', 'recurrent', 'fromInput'], ['gates']);
  maker.node('Split', ['gates', 'ifo+g'], ['ifoSum', 'gSum'], { axis: 1 });
  maker.node('Sigmoid', ['ifoSum'], ['ifo']);
  maker.node('Tanh', ['gSum'], ['g']);
  maker.node('Split', ['ifo', 'i+f+o'], ['i', 'f', 'o'], { axis: 1 });
  maker.node('Mul', ['f', 'cell'], ['kept']);
  maker.node('Mul', ['i', 'g'], ['added']);
  maker.node('Add', ['kept', 'added'], ['nextCell']);
  maker.node('Tanh', ['nextCell'], ['squashed']);
  maker.node('Mul', ['o', 'squashed'], ['nextHidden']);
}

function verdict(maker: Maker): void {
  maker.weights.verdict = { dims: [HIDDEN, 1], data: maker.take('decoder.decoder.2.weight').data };
  maker.weights.verdictBias = { dims: [1], data: maker.take('decoder.decoder.2.bias').data };
  maker.node('Relu', ['nextHidden'], ['active']);
  maker.node('Gemm', ['active', 'verdict', 'verdictBias'], ['logit']);
  maker.node('Sigmoid', ['logit'], ['speech']);
}

/** [rows, columns] as [columns, rows], times `scale`. */
function transposed(data: Float32Array, rows: number, columns: number, scale = 1): Weights {
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column]! * scale;
  }
  return { dims: [columns, rows], data: out };
}

/** A convolution [out, in, 3] over `frames` frames as one matrix [frames * in, frames left * out]. */
function asMatrix({ dims, data }: Weights, frames: number, stride: number): { matrix: Weights; frames: number } {
  const [outs = 0, ins = 0, width = 0] = dims;
  const left = Math.floor((frames - 1) / stride) + 1;
  const matrix = new Float32Array(frames * ins * left * outs);
  for (let to = 0; to < left; to++) {
    for (let tap = 0; tap < width; tap++) {
      const from = to * stride + tap - 1;
      if (from < 0 || from >= frames) continue;
      for (let i = 0; i < ins; i++) {
        for (let o = 0; o < outs; o++) {
          matrix[(from * ins + i) * left * outs + to * outs + o] = data[(o * ins + i) * width + tap]!;
        }
      }
    }
  }
  return { matrix: { dims: [frames * ins, left * outs], data: matrix }, frames: left };
}

function repeated(data: Float32Array, times: number): Weights {
  const out = new Float32Array(data.length * times);
  for (let n = 0; n < times; n++) out.set(data, n * data.length);
  return { dims: [out.length], data: out };
}

function gates({ dims, data }: Weights): Weights {
  const [, columns = 0] = dims;
  const size = HIDDEN * columns;
  const sorted = new Float32Array(data.length);
  [0, 1, 3, 2].forEach((gate, n) => {
    sorted.set(data.subarray(gate * size, (gate + 1) * size), n * size);
  });
  return transposed(sorted, 4 * HIDDEN, columns);
}
