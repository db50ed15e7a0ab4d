import type { StoredEvent } from '../src/journal/events.js';
import { type ChatAnswer, ChatServer } from '../test/kit/chat-server.js';
import { Server } from '../test/kit/server.js';
import { type CallLines, FULL, OTHER, QUICK } from './callers.js';
import { type BenchOptions, type BenchResult, spread, spreadText } from './report.js';
import { inTurn, type ScriptedCallReport, scriptedCall } from './scripted-call.js';
import { type Variant, variantsFolder } from './variants.js';

const AT_ONCE = 2;
/** The language model's time to its first token, ms. */
const FIRST_TOKEN_MS = 300;
/** Silence that ends every turn, as in agents without endpointing, ms. */
const FIXED_MS = 700;

/** What is compared: the digit in front of the number that is dialled tells one from the others. */
const MODES = { words: 'by the words', fixed: `${FIXED_MS} ms of silence`, llm: 'LLM stub' } as const;
type Mode = keyof typeof MODES;
const MODE_NAMES: readonly Mode[] = ['words', 'fixed', 'llm'];

interface Measured {
  reports: ScriptedCallReport[];
  journals: StoredEvent[][];
}

/**
 * Voice to voice on the wire: from the last voiced sample that a caller sent to the first agent sample that it
 * received, over a fixed script of callers who pause inside a third of their turns. In the same run the same callers
 * meet agents that wait for a fixed silence and prepare nothing, and agents behind which a language model answers.
 */
export async function voiceToVoice({ quick, other }: BenchOptions): Promise<BenchResult> {
  const callers = other ? OTHER : quick ? QUICK : FULL;
  const model = await ChatServer.start(stub);
  const folder = variantsFolder(variants(model.url));
  const server = await Server.start({ env: { PARLEY_LOG_LEVEL: 'warn' }, cwd: folder.path });
  const measured = new Map<Mode, Measured>(MODE_NAMES.map((mode) => [mode, { reports: [], journals: [] }]));
  try {
    const tasks = callers.flatMap((call) =>
      MODE_NAMES.map((mode) => async () => {
        measured.get(mode)?.reports.push(await dial(server, mode, call));
      }),
    );
    await inTurn(tasks, AT_ONCE);
    for (const journal of server.journals().values()) measured.get(modeOf(journal))?.journals.push(journal);
    return summary(measured);
  } finally {
    await server.stop();
    folder.remove();
    await model.close();
  }
}

/** Answers anything, its first words after a while, the rest at the pace of a fast model. */
function stub(): ChatAnswer {
  return { afterMs: FIRST_TOKEN_MS, parts: ['I have ', 'noted that. ', 'What else can I do for you?'] };
}

function variants(modelUrl: string): Variant[] {
  const waits = ['certainMs', 'unsureMs', 'unlikelyMs', 'partsMs', 'incompleteMs', 'unknownMs'];
  const settings: Record<Mode, Record<string, unknown>> = {
    words: {},
    fixed: { endpointing: Object.fromEntries(waits.map((name) => [name, FIXED_MS])), speculation: false },
    llm: { reasoner: { type: 'llm', url: modelUrl, model: 'stub', prompt: 'You answer the phone.' } },
  };
  const numbers = { orders: '8001', clinic: '8002' };
  return MODE_NAMES.flatMap((mode) =>
    Object.entries(numbers).map(([agent, number]) => ({
      number: numberOf(mode, number),
      agent,
      settings: settings[mode],
    })),
  );
}

function numberOf(mode: Mode, number: string): string {
  return `${MODE_NAMES.indexOf(mode) + 1}${number}`;
}

function modeOf(journal: readonly StoredEvent[]): Mode {
  const received = journal.find((event) => event.type === 'call.received');
  const digit = /-(\d)\d{4}$/.exec(received?.type === 'call.received' ? (received.agent ?? '') : '')?.[1];
  return MODE_NAMES[Number(digit) - 1] ?? 'words';
}

/** The last reply need not be heard out: its first sample is what counts. */
function dial(server: Server, mode: Mode, { number, lines }: CallLines): Promise<ScriptedCallReport> {
  const steps = lines.map((say, index) => (index === lines.length - 1 ? { say, hangUp: 'reply' } : { say }));
  return scriptedCall(server, numberOf(mode, number), steps);
}

function summary(measured: ReadonlyMap<Mode, Measured>): BenchResult {
  const rows: [string, string][] = [];
  const values: Record<string, unknown> = {};
  for (const [mode, result] of measured) {
    const { rows: found, values: of } = summaryOf(result);
    rows.push([MODES[mode], ''], ...found.map(([name, value]): [string, string] => [`  ${name}`, value]));
    values[mode] = of;
  }
  return { rows, values };
}

function summaryOf({ reports, journals }: Measured): BenchResult {
  const turns = reports.flatMap((report) => report.turns);
  const numbers = (list: (number | null)[]) => list.filter((value) => value !== null);
  const voice = spread(numbers(turns.map((turn) => turn.voiceToVoiceMs)));
  const greeting = spread(numbers(reports.map((report) => report.greetingMs)));
  const answer = spread(numbers(reports.map((report) => report.answerMs)));
  const cut = turns.filter((turn) => turn.cutOff).map(({ said }) => said);
  const unanswered = turns.filter((turn) => turn.voiceToVoiceMs === null).length;
  const events = journals.flat();
  const speculations = events.filter((event) => event.type === 'speculation');
  const used = speculations.filter(({ used: wanted }) => wanted).length;
  const parts = partsOf(events);
  return {
    rows: [
      ['calls', `${reports.filter((report) => report.answered).length} answered of ${reports.length}`],
      ['turns', `${turns.length}, ${unanswered} of them without an answer`],
      ['voice to voice', spreadText(voice)],
      [
        'of which',
        Object.entries(parts)
          .map(([name, { median }]) => `${name} ${median}`)
          .join(', '),
      ],
      ['turns cut off', `${((100 * cut.length) / Math.max(1, turns.length)).toFixed(1)} %`],
      ['prepared answers', `${used} used of ${speculations.length}`],
      ['ACK to greeting', spreadText(greeting)],
      ['INVITE to 200', spreadText(answer)],
    ],
    values: {
      calls: reports.length,
      turns: turns.length,
      unanswered,
      voiceToVoiceMs: voice,
      partsMs: parts,
      cutOffShare: Math.round((1000 * cut.length) / Math.max(1, turns.length)) / 1000,
      cutOff: cut,
      slow: turns.filter(({ voiceToVoiceMs }) => (voiceToVoiceMs ?? 0) > 700).map(({ said }) => said),
      speculations: { used, of: speculations.length },
      greetingMs: greeting,
      answerMs: answer,
    },
  };
}

/** What the journals say the time went into. */
function partsOf(events: readonly StoredEvent[]) {
  const latencies = events.flatMap((event) => (event.type === 'agent.turn' && event.latency ? [event.latency] : []));
  const names = ['endpoint', 'recognition', 'reasoning', 'synthesis', 'playout'] as const;
  return Object.fromEntries(names.map((name) => [name, spread(latencies.flatMap((latency) => latency[name] ?? []))]));
}
