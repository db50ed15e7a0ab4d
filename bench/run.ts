import { parseArgs } from 'node:util';
import build from '../test/kit/build.js';
import { bargeIn } from './barge-in.js';
import { calls } from './calls.js';
import { echo } from './echo.js';
import { edge } from './edge/edge.js';
import { edgeSoak } from './edge/soak.js';
import { endpointing } from './endpointing.js';
import { interruption } from './interruption.js';
import { loss } from './loss.js';
import { media } from './media/media.js';
import { recognition } from './recognition.js';
import { type BenchFiles, type BenchOptions, type BenchResult, printTable } from './report.js';
import { sipFuzz } from './sip-fuzz/sip-fuzz.js';
import { topics } from './topics.js';
import { voiceToVoice } from './voice-to-voice.js';

/** Every bench by name: `npm run bench -- NAME [--quick] [--json]`; some read or write files besides. */
const BENCHES: Record<string, (options: BenchOptions & BenchFiles) => Promise<BenchResult>> = {
  'voice-to-voice': voiceToVoice,
  'barge-in': bargeIn,
  calls,
  media,
  loss,
  topics,
  endpointing,
  interruption,
  recognition,
  echo,
  edge,
  'edge-soak': edgeSoak,
  'sip-fuzz': sipFuzz,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    other: { type: 'boolean', default: false },
    // Of recognition alone.
    changes: { type: 'boolean', default: false },
    tuned: { type: 'boolean', default: false },
    rows: { type: 'string' },
    predictions: { type: 'string' },
    examples: { type: 'string' },
    mode: { type: 'string' },
    spoken: { type: 'boolean' },
  },
});
const name = positionals[0] ?? '';
const bench = BENCHES[name];
if (bench) {
  // An end by signal is one all the same: temporary folders go with it.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  build();
  const { rows, values: measured } = await bench(values);
  printTable(values.quick ? `${name} (quick)` : name, rows);
  if (values.json) console.log(JSON.stringify({ bench: name, quick: values.quick, ...measured }));
} else {
  console.error(
    `${name ? `there is no bench "${name}"` : 'which bench?'}; benches: ${Object.keys(BENCHES).join(', ')}`,
  );
  process.exitCode = 2;
}
