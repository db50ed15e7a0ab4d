/**
 * What the recogniser's decoder knows after each word: reads lines of `agent's words TAB caller's words`, writes the upper
 * halves of the floats, word after word. Usage: tsx states.ts LINES STATES
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Moonshine } from '../../src/speech/recognition/moonshine/moonshine.js';

const [lines = '', states = ''] = process.argv.slice(2);
const recogniser = await Moonshine.load();
const language = await recogniser.language();
const file = openSync(states, 'w');
for (const line of readFileSync(lines, 'utf8').trimEnd().split('\n')) {
  const [agent = [], caller = []] = line.split('\t').map((text) => text.split(' ').filter(Boolean));
  for (const state of await language.states(agent, caller)) writeSync(file, upperHalves(state));
}
closeSync(file);
await language.close();
await recogniser.close();

/** As bfloat16, rounded. */
function upperHalves(state: Float32Array): Uint16Array {
  return Uint16Array.from(new Uint32Array(state.buffer), (bits) => (bits + 0x8000) >>> 16);
}
