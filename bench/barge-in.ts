import { Phone } from '../test/kit/phone.js';
import { toSound } from '../test/kit/rtp-peer.js';
import { Server } from '../test/kit/server.js';
import { speak, transcribe } from '../test/kit/speech.js';
import { until } from '../test/kit/until.js';
import { fromMuLaw, type Sound } from '../test/kit/wav.js';
import { type Played, played } from './played.js';
import { type BenchOptions, type BenchResult, spread, spreadText } from './report.js';
import { inTurn } from './scripted-call.js';
import { variantsFolder } from './variants.js';

/** One long sentence, so that its own pauses are short. */
const GREETING =
  'Welcome to Garden House where you can ask about your orders and our opening hours and the price of shipping and how to send a chair or a table back when you do not like it any more after you have tried it in your own garden for a week';
/** Callers begin to speak so long after the agent, ms. */
const INTO_MS = [1600, 2300, 3000];
const AT_ONCE = 2;

const SAID = {
  stop: ['Stop.', 'Wait.', 'Hold on.', 'No, no.', 'Excuse me.'],
  real: [
    'Where is my order?',
    'How much is shipping?',
    'I want to change my address.',
    'That is not what I asked.',
    'My table has a broken leg.',
  ],
  backchannel: ['Yeah.', 'Okay.', 'I see.', 'Right.', 'Uh huh.'],
} as const;
type Kind = keyof typeof SAID;

/** What is compared, and the numbers it is dialled by. */
const MODES = { duck: '18001', pause: '28001', voice: '38001' } as const;
type Mode = keyof typeof MODES;
const INTERRUPTION: Record<Mode, object> = {
  duck: {},
  pause: { reflex: 'pause' },
  voice: { judge: 'voice', voiceMs: 500 },
};

/** Louder than this, mean of the samples' magnitudes, is voice; lowered it is at least this share of it. */
const VOICED = 60;
const LEAST = 0.3;
/**
 * The agent has stopped where nothing of it is heard for so many frames of 20 ms, of which so many are loud in an undisturbed
 * call. An answer to "stop" may follow 100 ms later.
 */
const SILENT_FRAMES = 4;
const MISSING_FRAMES = 2;
/** At this share of its undisturbed level or below, the agent is lowered; 0.3 is the default. */
const LOWERED = 0.6;

interface Trial {
  mode: Mode;
  kind: Kind;
  words: string;
  intoMs: number;
}

interface Outcome extends Trial {
  /** From the caller's first voiced sample to the agent's last before it was silent, ms; null when it was not. */
  silentMs: number | null;
  /** The same from the caller's last voiced sample. */
  silentAfterEndMs: number | null;
  /** From the caller's first voiced sample to the first lowered (or silent) frame, ms. */
  loweredMs: number | null;
  /** Longest silence of the agent from the caller's onset on, beyond the sentence's own, ms. */
  gapMs: number;
  /** What of the greeting listeners were played: after a pause sample by sample, else by the frames that are heard. */
  played: Played | undefined;
  /** Words that are recognised in an undisturbed call, but not in what a listener was played. */
  unheard: string[];
}

/**
 * Talking over the agent on the wire: how soon it is lowered and silent, what it does about listeners, and whether its
 * words stay whole. In the same run, voice alone for 500 ms stops it, as agents without a judge do.
 */
export async function bargeIn({ quick }: BenchOptions): Promise<BenchResult> {
  const folder = variantsFolder(
    Object.entries(MODES).map(([mode, number]) => ({
      number,
      agent: 'orders',
      settings: { greeting: GREETING, interruption: INTERRUPTION[mode as Mode] },
    })),
  );
  const server = await Server.start({ env: { PARLEY_LOG_LEVEL: 'warn' }, cwd: folder.path });
  try {
    for (const words of Object.values(SAID).flat()) await speak(words);
    const undisturbed = await reference(server);
    const outcomes: Outcome[] = [];
    const tasks = trials(quick).map((trial) => async () => {
      outcomes.push(await attempt(server, trial, undisturbed));
    });
    await inTurn(tasks, AT_ONCE);
    return summary(outcomes);
  } finally {
    await server.stop();
    folder.remove();
  }
}

/** Each phrase at each moment; pausing differs from ducking only where the agent goes on. */
function trials(quick: boolean): Trial[] {
  const of = (mode: Mode, kind: Kind) =>
    SAID[kind].flatMap((words, n) => {
      const moments = quick ? INTO_MS.slice(n % INTO_MS.length, (n % INTO_MS.length) + 1) : INTO_MS;
      return quick && n > 2 ? [] : moments.map((intoMs) => ({ mode, kind, words, intoMs }));
    });
  const voice = (['stop', 'real', 'backchannel'] as const).flatMap((kind) =>
    of('voice', kind).filter((_, n) => quick || n % 3 === 0),
  );
  return [
    ...of('duck', 'stop'),
    ...of('duck', 'real'),
    ...of('duck', 'backchannel'),
    ...of('pause', 'backchannel'),
    ...voice,
  ];
}

interface Undisturbed {
  /** Level of each frame from the first voiced one on. */
  levels: number[];
  /** The greeting from there on, as it comes over the line. */
  clip: Int16Array;
  words: string[];
  /** The sentence's own longest pause, ms. */
  pauseMs: number;
}

/** The greeting when nobody speaks over it. */
async function reference(server: Server): Promise<Undisturbed> {
  const phone = await Phone.dial(server, MODES.duck);
  try {
    await phone.greeted();
    const sound = phone.rtp.sound();
    const levels = levelsOf(sound);
    const first = phone.rtp.heard.findIndex((packet) => isVoiced(packet));
    const clip = toSound(phone.rtp.heard.slice(first)).pcm.subarray(0, levels.length * 160);
    return { levels, clip, words: await wordsOf(sound), pauseMs: longestQuiet(levels) * 20 };
  } finally {
    await phone.close();
  }
}

async function attempt(server: Server, trial: Trial, undisturbed: Undisturbed): Promise<Outcome> {
  const phone = await Phone.dial(server, MODES[trial.mode]);
  try {
    const firstVoiced = () => phone.rtp.heard.find((packet) => isVoiced(packet));
    const began = await until('the agent speaks', firstVoiced, { ms: 15_000, everyMs: 5 });
    await until('it is time', () => performance.now() >= began.at + trial.intoMs, { everyMs: 5 });
    const line = await speak(trial.words);
    await phone.rtp.play(line);
    // The last frame has just been sent.
    const begun = performance.now() - (Math.ceil(line.pcm.length / 160) - 1) * 20;
    const { first, last } = voicedPart(line);
    const onset = begun + first / 8;
    const end = begun + last / 8;
    if (trial.kind === 'backchannel') await phone.greeted();
    else await until('the agent is silent, or is not', () => performance.now() > end + 2500, { everyMs: 20 });
    return await judge(phone, trial, undisturbed, began.at, onset, end);
  } finally {
    await phone.close();
  }
}

async function judge(
  phone: Phone,
  trial: Trial,
  undisturbed: Undisturbed,
  began: number,
  onset: number,
  end: number,
): Promise<Outcome> {
  const packets = phone.rtp.heard.filter((packet) => packet.payloadType === 0 && packet.at >= began);
  const after = packets.filter((packet) => packet.at >= onset);
  let quietSince: number | undefined;
  let gapMs = 0;
  for (const packet of after) {
    if (isVoiced(packet)) {
      if (quietSince !== undefined) gapMs = Math.max(gapMs, packet.at - quietSince);
      quietSince = undefined;
    } else quietSince ??= packet.at;
  }
  // An answer may follow at once: silent is the agent where it is not heard, but is in the undisturbed call.
  const silentAt = packets.find((packet, n) => {
    if (packet.at < onset || isVoiced(packet)) return false;
    const quiet = packets.slice(n, n + SILENT_FRAMES).every((one) => !isVoiced(one));
    const missing = undisturbed.levels.slice(n, n + SILENT_FRAMES).filter((one) => one > 4 * VOICED).length;
    return quiet && missing >= MISSING_FRAMES;
  })?.at;
  const lowered = packets.find(
    (packet, n) =>
      packet.at >= onset &&
      (undisturbed.levels[n] ?? 0) > 4 * VOICED &&
      level(packet) < LOWERED * (undisturbed.levels[n] ?? 0),
  );
  const since = (from: number, at: number | undefined) => (at === undefined ? null : Math.round(at - from));
  const stopped = trial.kind !== 'backchannel';
  const sound = stopped ? undefined : toSound(packets);
  const heard = sound ? await wordsOf(sound) : undisturbed.words;
  return {
    ...trial,
    silentMs: since(onset, silentAt),
    silentAfterEndMs: silentAt === undefined ? null : Math.max(0, Math.round(silentAt - end)),
    loweredMs: since(onset, lowered?.at),
    gapMs: Math.max(0, Math.round(gapMs - undisturbed.pauseMs)),
    played: sound && (trial.mode === 'pause' ? played(undisturbed.clip, sound.pcm) : audible(undisturbed, packets)),
    unheard: undisturbed.words.filter((word) => !heard.includes(word)),
  };
}

/** A lowered voice is not the same samples: a frame counts as played where it can be heard at its place. */
function audible({ levels }: Undisturbed, packets: readonly { payloadType: number; payload: Buffer }[]): Played {
  const silent = levels.filter((one, n) => one > 4 * VOICED && !(packets[n] && isVoiced(packets[n])));
  return { missing: silent.length * 160, repeated: 0, resumes: 0 };
}

function summary(outcomes: readonly Outcome[]): BenchResult {
  const rows: [string, string][] = [];
  const values: Record<string, unknown> = {};
  for (const mode of Object.keys(MODES) as Mode[]) {
    const of = (kind: Kind) => outcomes.filter((outcome) => outcome.mode === mode && outcome.kind === kind);
    const found = {
      stopWord: stopping(of('stop'), ({ silentAfterEndMs }) => silentAfterEndMs),
      interruption: stopping(of('real'), ({ silentMs }) => silentMs),
      lowered: spread([...of('stop'), ...of('real')].flatMap(({ loweredMs }) => loweredMs ?? [])),
      listeners: listening(of('backchannel')),
    };
    values[mode] = found;
    const name = mode === 'voice' ? 'voice alone, 500 ms' : mode === 'duck' ? 'ducking' : 'pausing';
    rows.push([name, '']);
    if (found.stopWord.trials > 0) {
      rows.push(
        ['  stop word, end to silence', stoppingText(found.stopWord)],
        ['  interruption, onset to silence', stoppingText(found.interruption)],
        ['  onset to lowered', spreadText(found.lowered)],
      );
    }
    const { trials: bursts, stopped, gap, missingMs, repeatedMs, unheard } = found.listeners;
    rows.push(
      ['  listeners', `${bursts}, ${stopped} stopped the agent, gap ${spreadText(gap)}`],
      ['  else not played, ms in all', String(missingMs)],
      ['  said again at a resume', spreadText(repeatedMs)],
      ['  words not recognised again', unheard.join(' ') || '-'],
    );
  }
  return { rows, values };
}

function stopping(outcomes: readonly Outcome[], pick: (outcome: Outcome) => number | null) {
  const missed = outcomes.filter((outcome) => pick(outcome) === null).map(({ words }) => words);
  return { trials: outcomes.length, missed, ms: spread(outcomes.flatMap((outcome) => pick(outcome) ?? [])) };
}

function stoppingText({ trials: count, missed, ms }: ReturnType<typeof stopping>): string {
  return `${spreadText(ms)}${missed.length > 0 ? `, ${missed.length} of ${count} never` : ''}`;
}

/** The agent was stopped when more than a word or two of it is missing. */
function listening(outcomes: readonly Outcome[]) {
  const missing = ({ played: of }: Outcome) => (of?.missing ?? 0) / 8;
  const stopped = outcomes.filter((outcome) => missing(outcome) > STOPPED_MS);
  const kept = outcomes.filter((outcome) => !stopped.includes(outcome));
  return {
    trials: outcomes.length,
    stopped: stopped.length,
    stoppedBy: stopped.map(({ words }) => words),
    gap: spread(kept.map(({ gapMs }) => gapMs)),
    missingMs: Math.round(kept.reduce((sum, outcome) => sum + missing(outcome), 0)),
    repeatedMs: spread(kept.flatMap(({ played: of }) => (of && of.resumes > 0 ? of.repeated / 8 : []))),
    // A recogniser hears "houseware" where "house" is followed by half of "where": for the ear, not for the count.
    unheard: kept.flatMap(({ unheard }) => unheard),
  };
}

const STOPPED_MS = 1000;

function voicedPart({ pcm }: Sound): { first: number; last: number } {
  const loud = (sample: number) => Math.abs(sample) > 300;
  return { first: Math.max(0, pcm.findIndex(loud)), last: pcm.findLastIndex(loud) };
}

function levelsOf({ pcm }: Sound): number[] {
  const levels: number[] = [];
  for (let at = 0; at + 160 <= pcm.length; at += 160) levels.push(mean(pcm.subarray(at, at + 160)));
  const first = levels.findIndex((one) => one > VOICED * LEAST);
  const last = levels.findLastIndex((one) => one > VOICED);
  return levels.slice(first, last + 1);
}

function longestQuiet(levels: readonly number[]): number {
  let longest = 0;
  let quiet = 0;
  for (const one of levels) {
    quiet = one > VOICED ? 0 : quiet + 1;
    longest = Math.max(longest, quiet);
  }
  return longest;
}

function isVoiced(packet: { payloadType: number; payload: Buffer }): boolean {
  return packet.payloadType === 0 && level(packet) > VOICED * LEAST;
}

function level({ payload }: { payload: Buffer }): number {
  return mean(fromMuLaw(payload));
}

function mean(pcm: Int16Array): number {
  return pcm.reduce((sum, sample) => sum + Math.abs(sample), 0) / Math.max(1, pcm.length);
}

async function wordsOf(sound: Sound): Promise<string[]> {
  return (await transcribe(sound)).toLowerCase().match(/[a-z']+/g) ?? [];
}
