import { execFileSync, spawnSync } from 'node:child_process';
import { type Sound, silence } from './wav.js';

/** Whether it is there. */
export const hasSox = spawnSync('sox', ['--version']).error === undefined;

/** Frequencies of the keys, Hz (ITU-T Q.23). */
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const PAD = ['123A', '456B', '789C', '*0#D'];

/** Keys as sox makes them: 100 ms each, 100 ms apart. */
export function keysBySox(keys: string): Sound {
  const gap = silence(0.1).pcm;
  const tones = [...keys].flatMap((key) => {
    const row = PAD.findIndex((line) => line.includes(key));
    const frequencies = [ROWS[row], COLUMNS[PAD[row]?.indexOf(key) ?? -1]].flatMap((hz) => ['sine', String(hz)]);
    const made = ['synth', '0.1', ...frequencies, 'remix', '1,2', 'gain', '-6'];
    const format = ['-b', '16', '-e', 'signed', '-t', 'raw', '-'];
    const raw = execFileSync('sox', ['-r', '8000', '-c', '2', '-n', ...format, ...made]);
    return [new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length)), gap];
  });
  const pcm = Int16Array.from([gap, ...tones].flatMap((piece) => [...piece]));
  return { pcm, sampleRate: 8000 };
}
