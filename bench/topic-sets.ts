import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A sentence and its topic; null when it has none of the known ones. */
export interface TopicRow {
  text: string;
  topic: string | null;
}

/** One test of few-shot topics. */
export interface TopicTrial {
  examples: TopicRow[];
  /** In-scope rows. */
  test: TopicRow[];
}

export interface TopicSet {
  name: string;
  trial(seed: number, shots: number): TopicTrial;
}

const FOLDER = `${process.env.PARLEY_TEST_DATA ?? '../shared/data'}/topics`;

/** The sets that are there; none without the data folder. */
export function topicSets(): TopicSet[] {
  if (!existsSync(FOLDER)) return [];
  const clinc = clincParts();
  const banking = csvRows(readFileSync(`${FOLDER}/banking77/train.csv`, 'utf8'));
  return [
    {
      name: 'clinc',
      trial: (seed, shots) => ({ examples: draw(clinc('train'), seed, shots).taken, test: clinc('val') }),
    },
    {
      name: 'banking',
      trial(seed, shots) {
        const { taken, rest } = draw(banking, seed, shots);
        return { examples: taken, test: rest };
      },
    },
    {
      name: 'hwu',
      trial: (_, shots) => ({ examples: hwuRows(shots === 5 ? 'train_5' : 'train_10'), test: hwuRows('valid') }),
    },
  ];
}

/** CLINC150's out-of-scope sentences: of no domain of any of the sets. */
export function outOfScope(): string[] {
  return clincParts()('oos_val').map(({ text }) => text);
}

/** Numbers from 0 to 1, the same for one seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<T>(values: readonly T[], seed: number): T[] {
  const random = randomOf(seed);
  const out = [...values];
  for (let at = out.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [out[at], out[other]] = [out[other] as T, out[at] as T];
  }
  return out;
}

/** As a recogniser may hear it: fillers, lost and repeated words, a wrong letter; about one word in seven. */
export function noised(text: string, random: () => number): string {
  const words = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}' ]/gu, ' ')
    .split(/\s+/);
  const heard = words.flatMap((word) => {
    const dice = random();
    if (dice < 0.04 && words.length > 3) return [];
    if (dice < 0.08) return ['uh', word];
    if (dice < 0.1) return [word, word];
    const letter = 'aeiouestrnl'[Math.floor(random() * 11)] ?? 'a';
    const at = Math.floor(random() * word.length);
    return dice < 0.14 && word.length > 3 ? [word.slice(0, at) + letter + word.slice(at + 1)] : [word];
  });
  return heard.join(' ');
}

export function byTopic(rows: readonly TopicRow[]): Map<string | null, TopicRow[]> {
  const groups = new Map<string | null, TopicRow[]>();
  for (const row of rows) {
    const group = groups.get(row.topic);
    if (group) group.push(row);
    else groups.set(row.topic, [row]);
  }
  return groups;
}

function draw(rows: readonly TopicRow[], seed: number, shots: number): { taken: TopicRow[]; rest: TopicRow[] } {
  const groups = byTopic(rows);
  const taken: TopicRow[] = [];
  const rest: TopicRow[] = [];
  for (const group of groups.values()) {
    const mixed = shuffled(group, seed);
    taken.push(...mixed.slice(0, shots));
    rest.push(...mixed.slice(shots));
  }
  return { taken, rest };
}

function clincParts(): (part: string) => TopicRow[] {
  const file = readFileSync(`${FOLDER}/clinc150/data.json.gz`);
  const parts: Record<string, [string, string][]> = JSON.parse(gunzipSync(file).toString('utf8'));
  return (part) => (parts[part] ?? []).map(([text, topic]) => ({ text, topic }));
}

function hwuRows(part: string): TopicRow[] {
  const lines = (name: string) =>
    execFileSync('tar', ['xzOf', `${FOLDER}/hwu64/hwu64.tar.gz`, `${part}/${name}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
  const labels = lines('label');
  return lines('seq.in').map((text, at) => ({ text, topic: labels[at] ?? null }));
}

/** `text,category` with a header; RFC 4180 quotes, line breaks inside quotes included. */
function csvRows(content: string): TopicRow[] {
  const rows = content.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n]*)),([^\r\n]*)\r?\n/g);
  const found = [...rows].map(([, quoted, plain, topic]) => ({
    text: (quoted?.replaceAll('""', '"') ?? plain ?? '').trim(),
    topic: topic ?? null,
  }));
  return found.slice(1);
}
