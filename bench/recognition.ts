/*
 * Words over the phone (8 kHz mu-law), heard by the recogniser alone and with what the agent can expect to hear.
 *
 *   npm run bench -- recognition [--quick] [--changes] [--tuned]
 *
 * Expected: phrases of an agent's vocabulary, the same wishes in other words, and what anybody says to any agent.
 * Unexpected: what callers of other agents and of none say, and recordings of people (PARLEY_TEST_DATA), against a vocabulary that
 * has nothing to do with them. `--changes` prints what the vocabulary changed. Speakers, made-up agents and the example agent are not those that biasing was tuned on; `--tuned` takes those.
 */
import { join } from 'node:path';
import { loadAgents } from '../src/agent/agents.js';
import { agentVocabulary } from '../src/agent/vocabulary.js';
import { EVERYDAY } from '../src/speech/recognition/everyday.js';
import { Moonshine } from '../src/speech/recognition/moonshine/moonshine.js';
import { buildVocabulary, type Vocabulary } from '../src/speech/recognition/vocabulary.js';
import { agreedWords } from '../src/text/agreed-words.js';
import { ROOT } from '../test/kit/server.js';
import { type Comparison, compare, errors, type Scored, wordsOf } from './recognition-sets/compare.js';
import { type Domain, HELD_OUT, TUNED, UNEXPECTED } from './recognition-sets/domains.js';
import { recordings } from './recognition-sets/recordings.js';
import { Booth, HELD_OUT_SPEAKERS, present, type Speaker, TUNED_SPEAKERS } from './recognition-sets/speakers.js';
import { type BenchOptions, type BenchResult, type Spread, spread, spreadText } from './report.js';

const RATE = 16_000;
/** Voices that say each sentence, in turn. */
const VOICES_EACH = 2;
/** In a quick run every so manieth sentence is said. */
const QUICK_STEP = 12;
const PARTIAL_MS = 250;
/** Finals that are timed: of about 3 s. */
const TIMED_SECONDS = { least: 2.5, most: 3.5 };

type Group = 'phrases' | 'other words' | 'everyday' | 'other agents' | 'no agent' | 'recordings';
const EXPECTED: readonly Group[] = ['phrases', 'everyday'];
const UNEXPECTED_GROUPS: readonly Group[] = ['other agents', 'no agent', 'recordings'];

/** Something said, and to whose agent. */
interface Item {
  group: Group;
  text: string;
  vocabulary: Vocabulary;
}

interface Measured {
  scored: Map<Group, Scored[]>;
  /** Of utterances of about 3 s: all at once, and as in a call, after partials. */
  wholeMs: number[];
  finalMs: number[];
  partials: { words: number; revised: number };
  /** Of those, what two in a row agreed on. */
  stable: { words: number; revised: number };
  /** Told of what the vocabulary changed. */
  changed(change: string): void;
}

interface RecognitionOptions extends BenchOptions {
  /** Measures on what biasing was tuned on: to tune it again. */
  tuned?: boolean;
  /** Prints what the vocabulary changed. */
  changes?: boolean;
}

export async function recognition(options: RecognitionOptions): Promise<BenchResult> {
  const { quick } = options;
  const speakers = present(options.tuned ? TUNED_SPEAKERS : HELD_OUT_SPEAKERS);
  const domains = domainsOf(options);
  const items = itemsOf(domains).filter((_, n) => !quick || n % QUICK_STEP === 0);
  const recogniser = await Moonshine.load();
  const booth = await Booth.open();
  const measured: Measured = {
    scored: new Map(),
    wholeMs: [],
    finalMs: [],
    partials: { words: 0, revised: 0 },
    stable: { words: 0, revised: 0 },
    changed: options.changes ? console.log : () => undefined,
  };
  try {
    for (const [n, item] of items.entries()) {
      for (let voice = 0; voice < VOICES_EACH; voice++) {
        const speaker = speakers[(n + voice * Math.ceil(speakers.length / VOICES_EACH)) % speakers.length];
        if (speaker) await measure(recogniser, item, await booth.say(item.text, speaker), measured);
      }
    }
    const vocabularies = domains.map(({ phrases }) => buildVocabulary(phrases));
    for (const [n, { text, pcm }] of recordings(quick ? 8 : undefined).entries()) {
      const vocabulary = vocabularies[n % vocabularies.length];
      if (vocabulary) await measure(recogniser, { group: 'recordings', text, vocabulary }, pcm, measured);
    }
  } finally {
    await booth.close();
    await recogniser.close();
  }
  return report(measured, speakers);
}

function domainsOf({ tuned }: RecognitionOptions): Domain[] {
  const agent = loadAgents(join(ROOT, 'agents')).get(tuned ? 'orders' : 'clinic');
  const own = agent ? [{ name: agent.name, phrases: agentVocabulary(agent).phrases, wordings: [] }] : [];
  return [...(tuned ? TUNED : HELD_OUT), ...own];
}

function itemsOf(agents: readonly Domain[]): Item[] {
  const domains = agents.map((domain) => ({ ...domain, vocabulary: buildVocabulary(domain.phrases) }));
  const of = (n: number) => domains[n % domains.length]?.vocabulary ?? buildVocabulary([]);
  return [
    ...domains.flatMap(({ phrases, wordings, vocabulary }, n) => [
      ...phrases.map((text) => ({ group: 'phrases' as const, text, vocabulary })),
      ...wordings.map((text) => ({ group: 'other words' as const, text, vocabulary })),
      // To another agent these mean nothing.
      ...[...wordings, ...phrases.filter((_, at) => at % 3 === 0)].map((text, at) => ({
        group: 'other agents' as const,
        text,
        vocabulary: of(n + 1 + (at % (domains.length - 1))),
      })),
    ]),
    ...EVERYDAY.map((text, n) => ({ group: 'everyday' as const, text, vocabulary: of(n) })),
    ...UNEXPECTED.map((text, n) => ({ group: 'no agent' as const, text, vocabulary: of(n) })),
  ];
}

async function measure(recogniser: Moonshine, item: Item, pcm: Float32Array, measured: Measured): Promise<void> {
  const { text, group, vocabulary } = item;
  const plain = await recogniser.recognise(pcm, { provisional: true });
  const biased = await recogniser.recognise(pcm, { vocabulary, draft: plain.tokens });
  const said = wordsOf(text);
  const scored = { text, words: said.length, plain: errors(said, plain.text), biased: errors(said, biased.text) };
  const before = measured.scored.get(group) ?? [];
  measured.scored.set(group, [...before, scored]);
  if (plain.text !== biased.text) measured.changed([group, text, plain.text, biased.text].join(' | '));
  const seconds = pcm.length / RATE;
  if (seconds < TIMED_SECONDS.least || seconds > TIMED_SECONDS.most) return;
  // Processor time: the same as by the clock where nothing else runs, and true where something does.
  const timed = async (run: () => Promise<unknown>, into: number[]) => {
    const begun = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(begun);
    into.push((user + system) / 1000);
  };
  await timed(() => recogniser.recognise(pcm, { vocabulary }), measured.wholeMs);
  const draft = await follow(recogniser, pcm, measured);
  await timed(() => recogniser.recognise(pcm, { vocabulary, draft }), measured.finalMs);
}

/** Partials as in a call: how many of their words, but for the last, the next one takes back; and of those told as stable. */
async function follow(recogniser: Moonshine, pcm: Float32Array, { partials, stable }: Measured) {
  const step = (PARTIAL_MS * RATE) / 1000;
  let draft: readonly number[] = [];
  let shown: string[] = [];
  let agreed: string[] = [];
  let before = '';
  const count = (into: Measured['stable'], words: readonly string[], next: readonly string[]) => {
    into.words += words.length;
    into.revised += words.filter((word, at) => next[at] !== word).length;
  };
  for (let length = 2 * step; length < pcm.length; length += step) {
    const heard = await recogniser.recognise(pcm.subarray(0, length), { provisional: true, draft });
    const words = wordsOf(heard.text);
    count(partials, shown, words);
    count(stable, agreed, words);
    draft = heard.tokens;
    shown = words.slice(0, -1);
    agreed = wordsOf(agreedWords(before, heard.text));
    before = heard.text;
  }
  return draft;
}

function report({ scored, wholeMs, finalMs, partials, stable }: Measured, speakers: readonly Speaker[]): BenchResult {
  const of = (groups: readonly Group[]) => compare(groups.flatMap((group) => scored.get(group) ?? []));
  const compared: [string, Comparison][] = [
    ['expected: phrases and everyday', of(EXPECTED)],
    ...[...scored.keys()].map((group): [string, Comparison] => [`  ${group}`, of([group])]),
    ['unexpected: others and recordings', of(UNEXPECTED_GROUPS)],
  ];
  const times: [string, Spread][] = [
    ['about 3 s at once, processor time', spread(wholeMs)],
    ['about 3 s after partials, processor time', spread(finalMs)],
  ];
  return {
    rows: [
      ['speakers', speakers.map(({ name }) => name).join('; ')],
      ...compared.map(([name, one]): [string, string] => [name, comparisonText(one)]),
      ...times.map(([name, one]): [string, string] => [name, spreadText(one)]),
      ['words of partials taken back', percent(partials.revised / Math.max(1, partials.words))],
      ['of those told as stable', percent(stable.revised / Math.max(1, stable.words))],
    ],
    values: {
      wordErrorRate: Object.fromEntries(compared.map(([name, one]) => [name.trim(), one])),
      ms: Object.fromEntries(times),
      revised: partials.revised / Math.max(1, partials.words),
      revisedStable: stable.revised / Math.max(1, stable.words),
    },
  };
}

function comparisonText({ clips, words, plain, biased, difference }: Comparison): string {
  const range = ([low, high]: readonly [number, number]) => `${percent(low)} to ${percent(high)}`;
  const change = `${range(difference)} of difference`;
  return `${percent(plain.rate)} (${range(plain.interval)}) -> ${percent(biased.rate)} (${range(biased.interval)}); ${change}; ${clips} clips, ${words} words`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
