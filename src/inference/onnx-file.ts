/*
 * As much of the ONNX file format (protocol buffers; onnx.proto3, IR version 8) as it takes to read the weights of a model and to
 * write a graph of another form that computes with them. Numbers below are the fields' of ModelProto, GraphProto, NodeProto...
 */

/** A tensor of floats and its dimensions. */
export interface Weights {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** One operation: `type` is ONNX's name of it; attributes are numbers (as integers) or lists of them. */
export interface GraphNode {
  type: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A graph on float tensors; dimensions of inputs and outputs that vary have a name. */
export interface Graph {
  inputs: Readonly<Record<string, readonly (number | string)[]>>;
  outputs: Readonly<Record<string, readonly (number | string)[]>>;
  weights: Readonly<Record<string, Weights>>;
  /** Lists of integers that operations take as tensors: shapes, lengths. */
  integers: Readonly<Record<string, readonly number[]>>;
  nodes: readonly GraphNode[];
}

const IR_VERSION = 8;
const OPERATOR_SET = 16;
const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;
const LENGTH_DELIMITED = 2;

/**
 * The float tensors that a model's constant nodes give, by the name of their output; those of its branches (If) too.
 *
 * @throws RangeError when the file is no ONNX model
 */
export function readConstants(model: Uint8Array): Map<string, Weights> {
  const found = new Map<string, Weights>();
  for (const [field, graph] of fields(model)) if (field === 7) readGraph(graph, found);
  return found;
}

function readGraph(graph: Uint8Array, found: Map<string, Weights>): void {
  for (const [field, node] of fields(graph)) if (field === 1) readNode(node, found);
}

function readNode(node: Uint8Array, found: Map<string, Weights>): void {
  let output = '';
  for (const [field, value] of fields(node)) {
    if (field === 2) output = text(value);
    if (field !== 5) continue;
    for (const [part, content] of fields(value)) {
      if (part === 6) readGraph(content, found);
      const weights = part === 5 ? readTensor(content) : undefined;
      if (weights) found.set(output, weights);
    }
  }
}

/** Nothing when it holds no floats, or not as raw octets. */
function readTensor(tensor: Uint8Array): Weights | undefined {
  const dims: number[] = [];
  let type = 0;
  let raw: Uint8Array | undefined;
  for (const [field, value, number] of fields(tensor)) {
    // A list of integers is one field, or one of each.
    if (field === 1) dims.push(...(value.length > 0 ? integers(value) : [number]));
    else if (field === 2) type = number;
    else if (field === 9) raw = value;
  }
  // A copy: in the file floats stand at any octet.
  return type === FLOAT && raw ? { dims, data: new Float32Array(Uint8Array.from(raw).buffer) } : undefined;
}

function integers(bytes: Uint8Array): number[] {
  const list: number[] = [];
  for (let at = 0; at < bytes.length; ) at = varint(bytes, at, (n) => list.push(n));
  return list;
}

const NOTHING = new Uint8Array(0);

/** Field number, content and value: content of length-delimited fields, the value of varints. */
function* fields(bytes: Uint8Array): Generator<[field: number, content: Uint8Array, value: number]> {
  let value = 0;
  const take = (n: number): void => {
    value = n;
  };
  for (let at = 0; at < bytes.length; ) {
    at = varint(bytes, at, take);
    const [field, wire] = [Math.floor(value / 8), value % 8];
    if (wire === 1 || wire === 5) {
      at += wire === 1 ? 8 : 4;
      continue;
    }
    at = varint(bytes, at, take);
    if (wire === 0) yield [field, NOTHING, value];
    else if (wire !== LENGTH_DELIMITED || at + value > bytes.length) throw new RangeError('not an ONNX file');
    else {
      const content = bytes.subarray(at, at + value);
      at += value;
      yield [field, content, 0];
    }
  }
}

/** Returns where it ends. Beyond 53 bits it loses precision: none of what is read here is that large. */
function varint(bytes: Uint8Array, at: number, take: (value: number) => void): number {
  let value = 0;
  for (let n = at, scale = 1; ; n++, scale *= 128) {
    const octet = bytes[n];
    if (octet === undefined) throw new RangeError('not an ONNX file');
    value += (octet & 0x7f) * scale;
    if (octet >= 0x80) continue;
    take(value);
    return n + 1;
  }
}

/** Part of a branch (If) of a model's graph, to stand alone. */
export interface BranchCut {
  /** `then_branch` or `else_branch` of the model's one If. */
  branch: string;
  /** Inputs of the model that the part needs. */
  inputs: readonly string[];
  /** What it computes, float tensors, with dimensions; those that vary have a name. */
  outputs: Readonly<Record<string, readonly (number | string)[]>>;
}

/**
 * The file of a model that computes some tensors of a branch and nothing else.
 *
 * @throws RangeError when the file is no ONNX model, or has no such branch
 */
export function cutBranch(model: Uint8Array, { branch, inputs, outputs }: BranchCut): Uint8Array {
  const all = [...fields(model)];
  const outer = [...fields(all.find(([field]) => field === 7)?.[1] ?? NOTHING)];
  const inner = outer.flatMap(([field, node]) => (field === 1 ? branchesOf(node, branch) : []));
  const needed = neededFor(Object.keys(outputs), inner);
  if (needed.length === 0) throw new RangeError(`the model has no ${branch} with these outputs`);
  const used = new Set(needed.flatMap((node) => namesOf(node, 1)));
  const weights = [...outer, ...inner].flatMap(([field, value]) =>
    field === 5 && namesOf(value, 8).some((name) => used.has(name)) ? [part(5, value)] : [],
  );
  const graph = Buffer.concat([
    ...needed.map((node) => part(1, node)),
    part(2, utf8('graph')),
    ...weights,
    ...outer.flatMap(([field, value]) =>
      field === 11 && namesOf(value, 1).some((name) => inputs.includes(name)) ? [part(11, value)] : [],
    ),
    ...Object.entries(outputs).map(([name, dims]) => part(12, valueInfo(name, dims))),
  ]);
  return Buffer.concat(
    all.flatMap(([field, value, number]) => {
      if (field === 1) return [integer(1, number)];
      if (field === 8) return [part(8, value)];
      return field === 7 ? [part(7, graph)] : [];
    }),
  );
}

type Fields = [field: number, content: Uint8Array, value: number][];

function branchesOf(node: Uint8Array, branch: string): Fields {
  const attributes = [...fields(node)].flatMap(([field, value]) => (field === 5 ? [[...fields(value)]] : []));
  const named = attributes.find((parts) => parts.some(([field, name]) => field === 1 && text(name) === branch));
  return named?.flatMap(([field, graph]) => (field === 6 ? [...fields(graph)] : [])) ?? [];
}

/** The nodes, in their order, that lead to these tensors. */
function neededFor(outputs: readonly string[], graph: Fields): Uint8Array[] {
  const wanted = new Set(outputs);
  const nodes = graph.flatMap(([field, node]) => (field === 1 ? [node] : []));
  const needed = nodes.reverse().filter((node) => {
    if (!namesOf(node, 2).some((name) => wanted.has(name))) return false;
    for (const name of namesOf(node, 1)) wanted.add(name);
    return true;
  });
  return needed.reverse();
}

function namesOf(message: Uint8Array, field: number): string[] {
  return [...fields(message)].flatMap(([at, value]) => (at === field ? [text(value)] : []));
}

/** The file of a model that is this graph. */
export function writeModel(graph: Graph): Uint8Array {
  const parts = [
    ...graph.nodes.map((node) => part(1, nodeOf(node))),
    part(2, utf8('graph')),
    ...Object.entries(graph.weights).map(([name, { dims, data }]) => part(5, tensor(name, FLOAT, dims, data))),
    ...Object.entries(graph.integers).map(([name, list]) =>
      part(5, tensor(name, INT64, [list.length], BigInt64Array.from(list, BigInt))),
    ),
    ...Object.entries(graph.inputs).map(([name, dims]) => part(11, valueInfo(name, dims))),
    ...Object.entries(graph.outputs).map(([name, dims]) => part(12, valueInfo(name, dims))),
  ];
  return Buffer.concat([
    integer(1, IR_VERSION),
    part(8, Buffer.concat([part(1, NOTHING), integer(2, OPERATOR_SET)])),
    part(7, Buffer.concat(parts)),
  ]);
}

function nodeOf({ type, inputs, outputs, attributes = {} }: GraphNode): Uint8Array {
  return Buffer.concat([
    ...inputs.map((name) => part(1, utf8(name))),
    ...outputs.map((name) => part(2, utf8(name))),
    part(3, utf8(outputs.join(' '))),
    part(4, utf8(type)),
    ...Object.entries(attributes).map(([name, value]) => part(5, attribute(name, value))),
  ]);
}

function attribute(name: string, value: number | readonly number[]): Uint8Array {
  const list = typeof value === 'number' ? [integer(3, value)] : value.map((one) => integer(8, one));
  return Buffer.concat([
    part(1, utf8(name)),
    ...list,
    integer(20, typeof value === 'number' ? ATTRIBUTE_INT : ATTRIBUTE_INTS),
  ]);
}

function tensor(name: string, type: number, dims: readonly number[], data: Float32Array | BigInt64Array): Uint8Array {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([...dims.map((dim) => integer(1, dim)), integer(2, type), part(8, utf8(name)), part(9, raw)]);
}

function valueInfo(name: string, dims: readonly (number | string)[]): Uint8Array {
  const shape = dims.map((dim) => part(1, typeof dim === 'number' ? integer(1, dim) : part(2, utf8(dim))));
  const type = Buffer.concat([integer(1, FLOAT), part(2, Buffer.concat(shape))]);
  return Buffer.concat([part(1, utf8(name)), part(2, part(1, type))]);
}

/** A length-delimited field. */
function part(field: number, content: Uint8Array): Uint8Array {
  return Buffer.concat([octets(field * 8 + LENGTH_DELIMITED), octets(content.length), content]);
}

/** A varint field. */
function integer(field: number, value: number): Uint8Array {
  return Buffer.concat([octets(field * 8), octets(value)]);
}

function octets(value: number): Uint8Array {
  const list: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) list.push((rest % 128) + 128);
  return Uint8Array.from([...list, rest]);
}

function utf8(value: string): Uint8Array {
  return Buffer.from(value, 'utf8');
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
