/*
 * Reads rows of answers.py (JSON, one a line) and writes them with `text` as the recogniser hears `spoken`: the callers
 * that the endpointing net learns from make the recogniser's mistakes.
 *
 *   python3 answers.py train 700 5 | npx tsx heard.ts > heard.jsonl
 */
import { readFileSync } from 'node:fs';
import { heardOf, type Spoken } from '../../bench/spoken-answers.js';

/** More than the recogniser takes at once. */
const MOST_WORDS = 28;

const lines = readFileSync(0, 'utf8').trimEnd().split('\n');
const rows = lines
  .map((line): Spoken & { text: string } => JSON.parse(line))
  .filter(({ text }) => text.split(' ').length <= MOST_WORDS);
const heard = await heardOf(rows);
process.stdout.write(rows.map((row, at) => `${JSON.stringify({ ...row, text: heard[at]?.text })}\n`).join(''));
