// Puts beside the compiled code what it takes from packages that must not be installed with it: `npm run build` runs this.
// npm ignores the `overrides` and `allowScripts` of a dependency: moonshine-js and vad-web, of which only the weights are
// used, would bring whole browser stacks along, and onnxruntime-node would download GPU libraries of hundreds of MB.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const TARGET = join(ROOT, 'vendor');
/** Shipped for these; on others the files of the machine that builds are there, too. */
const PLATFORMS = ['linux/x64', 'linux/arm64'];

const NAMES = ['onnxruntime-node', '@moonshine-ai/moonshine-js', '@ricky0123/vad-web'];
const [runtime, moonshine, vad] = NAMES.map((name) => join(ROOT, 'node_modules', name));
const platforms = new Set([...PLATFORMS, `${process.platform}/${process.arch}`]);

const NOTICE = `Files of other projects, unchanged:
onnxruntime/  ONNX Runtime, (c) Microsoft Corporation, MIT. https://github.com/microsoft/onnxruntime
moonshine/    Moonshine tiny, English, (c) Useful Sensors, MIT. https://github.com/moonshine-ai/moonshine-js
silero/       Silero VAD, (c) Silero Team, MIT. https://github.com/snakers4/silero-vad
`;

/** From, to. */
const files = [
  ...['index.js', 'backend.js', 'binding.js', 'version.js'].map((name) => [
    join(runtime, 'dist', name),
    `onnxruntime/dist/${name}`,
  ]),
  ...[...platforms].map((platform) => [join(runtime, 'bin/napi-v6', platform), `onnxruntime/bin/napi-v6/${platform}`]),
  ...['encoder_model.onnx', 'decoder_model_merged.onnx'].map((name) => [
    join(moonshine, 'dist/model/tiny/quantized', name),
    `moonshine/${name}`,
  ]),
  [join(moonshine, 'LICENSE'), 'moonshine/LICENSE'],
  [join(vad, 'dist/silero_vad_v6.onnx'), 'silero/silero_vad_v6.onnx'],
];

const versions = NAMES.map((name) => `${name} ${versionOf(name)}\n`).join('');
const stamp = join(TARGET, 'VERSIONS');
const current = existsSync(stamp) && readFileSync(stamp, 'utf8') === versions;
if (!current || files.some(([, to]) => !existsSync(join(TARGET, to)))) copy();

function copy() {
  rmSync(TARGET, { recursive: true, force: true });
  for (const [from, to] of files) {
    // A platform that the package has nothing for is not supported; the error for that comes when it is started there.
    if (!existsSync(from)) continue;
    mkdirSync(dirname(join(TARGET, to)), { recursive: true });
    cpSync(from, join(TARGET, to), { recursive: statSync(from).isDirectory() });
  }
  writeFileSync(join(TARGET, 'onnxruntime/package.json'), '{ "type": "commonjs" }\n');
  writeFileSync(join(TARGET, 'NOTICE'), NOTICE);
  writeFileSync(stamp, versions);
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
}
