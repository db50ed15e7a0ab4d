import { CHECKPOINTS_MS, judge } from '../src/turns/interruption.js';
import type { InterruptionModel } from '../src/turns/models/interruption-model.js';
import { percent } from './turn-rows.js';

/** A burst: what is being said when it begins, and each of its words with its end, s after onset. */
export interface BurstRow {
  agent: string;
  words: [string, number][];
  real: number;
}

/** Words are told so long after they were said, and every so often; the voice's pause and end are known after, ms. */
const TIMES = { first: 260, every: 120, told: 80, pause: 126, end: 230 };

/** What is known of a burst at one time. */
interface Moment {
  at: number;
  /** Words up to here, when they are new, ms. */
  words?: number;
  over?: boolean;
}

/** Bursts that stop the agent in a call, when words come as a quick recogniser would tell them, without its errors. */
export async function burstPolicy(model: InterruptionModel, rows: readonly BurstRow[]) {
  const at: [listeners: number[], callers: number[]] = [[], []];
  const counts = [0, 0] as [number, number];
  for (const row of rows) {
    const kind = row.real ? 1 : 0;
    if (row.words.length === 0) continue;
    counts[kind]++;
    const stopped = await stopAt(model, row);
    if (stopped !== undefined) at[kind].push(stopped);
  }
  const callers = [...at[1]].sort((a, b) => a - b);
  const medianMs = Math.round(callers[callers.length >> 1] ?? 0);
  const listenersStop = at[0].length / counts[0];
  const callersStop = at[1].length / counts[1];
  const early = at[0].filter((ms) => ms <= 800).length / counts[0];
  return {
    values: { listenersStop, listenersStopBy800: early, callersStop, medianMs },
    text: `listeners stop the agent ${percent(listenersStop)} (${percent(early)} by 0.8 s), callers ${percent(callersStop)}, after ${medianMs} ms (median)`,
  };
}

async function stopAt(model: InterruptionModel, { agent, words }: BurstRow): Promise<number | undefined> {
  const end = (words.at(-1)?.[1] ?? 0) * 1000;
  let [text, real, stable]: [string, number, boolean] = ['', 0, false];
  for (const { at, words: until, over = false } of moments(end)) {
    if (until !== undefined) {
      const heard = words.flatMap(([word, ends]) => (ends * 1000 <= until ? [word] : [])).join(' ');
      stable = text !== '' && heard.startsWith(text.split(' ')[0] ?? '');
      text = heard;
      const input = { words: text, elapsedMs: Math.min(until, end), speaking: !over, agent };
      real = text === '' ? 0 : await model.probability(input);
    }
    const voicedMs = at >= end + TIMES.pause ? end : undefined;
    const verdict = judge({ text, elapsedMs: at, voicedMs, speaking: !over, real, stable, agent });
    if (verdict === 'stop') return at;
  }
  return undefined;
}

function moments(end: number): Moment[] {
  const found: Moment[] = CHECKPOINTS_MS.filter((at) => at < end + TIMES.end).map((at) => ({ at }));
  for (let words = TIMES.first; words < end + TIMES.pause; words += TIMES.every) {
    found.push({ at: words + TIMES.told, words });
  }
  const told = end + TIMES.pause + TIMES.told;
  found.push({ at: told, words: end }, { at: Math.max(told, end + TIMES.end), words: end, over: true });
  return found.sort((a, b) => a.at - b.at);
}
