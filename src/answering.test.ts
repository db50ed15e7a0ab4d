import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Answering, type Edition, readFiles } from './answering.js';
import { loadSettings } from './settings.js';
import { createLogger } from './telemetry/log.js';
import type { Speaker } from './workers/speaker.js';
import type { SpeechHost } from './workers/speech/speech-host.js';

let root: string;
let answering: Answering | undefined;
const write = (name: string, text: string) => writeFileSync(join(root, name), text);
const shop = (more = '') => `
name: shop
greeting: Hello from the shop.
knowledge: [shop/*.md]
topics: [{ name: all, knowledge: true }]
actions: [{ name: look, type: local, module: shop/look.mjs }]
${more}`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'parley-answering-'));
  for (const name of ['agents', 'agents/shop', 'dialplans']) mkdirSync(join(root, name));
  write('agents/shop.yaml', shop());
  write('agents/desk.yaml', 'name: desk\ngreeting: Hello from the desk.\n');
  write('agents/shop/hours.md', '# Hours\nWe are open.\n');
  write('agents/shop/look.mjs', 'export default () => 1;\n');
  write('dialplans/main.yaml', '- { name: shop, default: true, answer: { agent: shop } }\n');
  write('parley.yaml', 'targets: { people: { uri: "sip:people@127.0.0.1" } }\n');
});
afterEach(() => {
  answering?.close();
  rmSync(root, { recursive: true });
});

/** Over workers that only note what is to be spoken. */
async function start() {
  const settings = loadSettings(join(root, 'parley.yaml'), {
    PARLEY_AGENTS: join(root, 'agents'),
    PARLEY_DIALPLANS: join(root, 'dialplans'),
  });
  const spoken: string[] = [];
  const speech = { embed: async () => [], meanings: { of: () => undefined } } as unknown as SpeechHost;
  const speaker = { prepare: async (text: string) => void spoken.push(text) } as unknown as Speaker;
  const options = { settings, given: {}, speech, speaker, sampleRates: [8000], logger: createLogger('silent') };
  const made = await Answering.start(readFiles(settings, {}), options);
  answering = made;
  const told: { edition: Edition; spoken: string[] }[] = [];
  const counted: string[] = [];
  made.watch(
    (edition) => void told.push({ edition, spoken: [...spoken] }),
    (outcome) => void counted.push(outcome),
  );
  return { answering: made, spoken, told, counted };
}

describe('what calls are answered with', () => {
  it('changes with an article or a module; what is as it was stays, and all is spoken before it is told', async () => {
    const { answering, spoken, told } = await start();
    const before = answering.edition;
    spoken.length = 0;
    write('agents/shop/hours.md', '# Hours\nWe are closed.\n');
    expect(await answering.reload()).toMatchObject({ outcome: 'done', changed: ['agent shop'] });
    expect(told[0]?.spoken).toContain('Hello from the shop.');
    expect(spoken).not.toContain('Hello from the desk.');
    expect(told[0]?.edition.agents.get('desk')).toBe(before.agents.get('desk'));
    expect(told[0]?.edition.agents.get('shop')).not.toBe(before.agents.get('shop'));
    write('agents/shop/look.mjs', 'export default () => 2;\n');
    expect(await answering.reload()).toMatchObject({ outcome: 'done', changed: ['agent shop'] });
    expect(await answering.reload()).toMatchObject({ outcome: 'unchanged', changed: [] });
    spoken.length = 0;
    write('dialplans/main.yaml', '- { name: shop, default: true, answer: { agent: shop, notice: Listen. } }\n');
    expect(await answering.reload()).toMatchObject({ changed: ['dialplan main.yaml'] });
    expect(spoken).toEqual(['Listen.']);
    expect(told).toHaveLength(3);
  });

  it('stays whole when a file is wrong, in itself or together with another, and says why once', async () => {
    const { answering, told, counted } = await start();
    const before = answering.edition;
    write('agents/shop.yaml', shop('escalation: { target: nobody }'));
    const first = await answering.reload();
    expect(first).toMatchObject({ outcome: 'refused', problems: [{ code: 'PARLEY_ERR_TARGET_UNKNOWN' }] });
    expect(await answering.reload()).toMatchObject({ outcome: 'refused' });
    rmSync(join(root, 'agents/shop.yaml'));
    const { problems } = await answering.reload();
    expect(problems[0]?.message).toContain('there is no agent "shop"');
    expect(answering.edition).toEqual(before);
    expect(told).toEqual([]);
    expect(counted).toEqual(['refused', 'refused']);
    write('agents/shop.yaml', shop('escalation: { target: people }'));
    expect(await answering.reload()).toMatchObject({ outcome: 'done', problems: [] });
  });

  it('says that parley.yaml takes a restart', async () => {
    const { answering } = await start();
    write('parley.yaml', 'targets: {}\n');
    expect(await answering.reload()).toMatchObject({ outcome: 'unchanged', restartNeeded: true });
  });
});
