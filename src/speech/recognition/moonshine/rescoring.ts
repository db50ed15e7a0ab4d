import type { Candidate } from '../candidates.js';
import { type Decoded, END, type Hypothesis, likelihood, type MoonshineModel } from './model.js';
import { tokensOf } from './tokens.js';

/**
 * How much less likely, in nats over the whole utterance, what stands in place of the words heard may be and still be
 * believed: `lean` when it sounds the same, less by `far` for each sound that differs. Set on synthetic callers of made-up
 * agents; `npm run bench -- recognition` measures it on others.
 */
const TRUST: Readonly<Record<Candidate['kind'], { lean: number; far: number }>> = {
  phrase: { lean: 12, far: 0.5 },
  part: { lean: 7, far: 0.5 },
  everyday: { lean: 10, far: 1.5 },
  word: { lean: 3, far: 1.5 },
};
/** A short phrase is near many words: it is trusted no more than this for each of its sounds, nats. */
const TRUST_PER_SOUND = 2.5;
/** Decoder passes for one utterance, about 4 ms each. */
const MOST_PASSES = 6;

/** What the model thinks of a candidate as far as it is known. */
interface Contender {
  tokens: number[];
  /** How many of them are the decoded hypothesis' own. */
  shared: number;
  /** Log-probabilities of those, and of the one after them, the end included. */
  known: number[];
  /** In nats: what speaks for it beside the model. */
  trust: number;
}

/**
 * The candidate that is more likely to have been said than what was decoded: by the model's own probability, and by how
 * much callers can be expected to say it. None when what was decoded stands.
 *
 * The decoded rows tell how likely a candidate is up to its first token of its own, which most do not survive; the few
 * others take a decoder pass each.
 */
export async function rescore(
  model: Pick<MoonshineModel, 'follow'>,
  decoded: Decoded,
  candidates: readonly Candidate[],
): Promise<Hypothesis | undefined> {
  let best: Hypothesis | undefined;
  let least = sum(decoded.logProbabilities);
  const contenders = candidates
    .map((candidate) => contender(decoded, candidate.text, trustIn(candidate)))
    .filter((one) => bound(one) > least)
    .sort((a, b) => bound(b) - bound(a))
    .slice(0, MOST_PASSES);
  for (const one of contenders) {
    if (bound(one) <= least) break;
    const logProbabilities = await complete(model, decoded, one);
    const score = sum(logProbabilities) + one.trust;
    if (score <= least) continue;
    least = score;
    best = { tokens: one.tokens, logProbabilities, accepted: 0 };
  }
  return best;
}

/**
 * How much less likely the likeliest of some texts is than what was decoded, in nats; at least 0, and nothing beyond
 * `most`. As with {@link rescore}, most texts are out by the decoded rows alone.
 */
export async function shortfall(
  model: Pick<MoonshineModel, 'follow'>,
  decoded: Decoded,
  texts: readonly string[],
  most: number,
): Promise<number | undefined> {
  const heard = sum(decoded.logProbabilities);
  let best = heard - most;
  const contenders = texts
    .map((text) => contender(decoded, text, 0))
    .sort((a, b) => bound(b) - bound(a))
    .slice(0, MOST_PASSES / 2);
  for (const one of contenders) {
    if (bound(one) <= best) break;
    best = Math.max(best, sum(await complete(model, decoded, one)));
    if (best >= heard) return 0;
  }
  return best > heard - most ? heard - best : undefined;
}

/** What a candidate has for it, in nats. */
function trustIn({ kind, cost, sounds }: Candidate): number {
  return Math.min(TRUST[kind].lean, TRUST_PER_SOUND * sounds) - TRUST[kind].far * cost;
}

function contender({ tokens: heard, rows }: Decoded, text: string, trust: number): Contender {
  const tokens = tokensOf(text, true);
  // A hypothesis that was cut short has rows for its own tokens only.
  const most = Math.min(tokens.length, heard.length, rows.length - 1);
  let shared = 0;
  while (shared < most && tokens[shared] === heard[shared]) shared++;
  const known = rows.slice(0, shared + 1).map((row, at) => likelihood(row, tokens[at] ?? END));
  return { tokens, shared, known, trust };
}

/** The most that its score can be. */
function bound({ known, trust }: Contender): number {
  return sum(known) + trust;
}

async function complete(
  model: Pick<MoonshineModel, 'follow'>,
  decoded: Decoded,
  { tokens, shared, known }: Contender,
): Promise<number[]> {
  if (shared === tokens.length) return known;
  const rows = await model.follow(decoded, tokens, shared);
  return [...known, ...rows.map((row, at) => likelihood(row, tokens[shared + at + 1] ?? END))];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
