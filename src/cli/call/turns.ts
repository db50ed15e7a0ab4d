import type { HeardSpurt } from './heard.js';

/** What the caller did in one turn: a line, or a silence that was kept. Times are `monotonicMs()` on the wire. */
export interface PlayedLine {
  /** What was said, as it is written in the script; empty for a silence. */
  said: string;
  /** Index of the script's step. */
  step: number;
  /** Packet of the first voiced sample sent; for a silence, its beginning. */
  startedAt: number;
  /** Packet of the last voiced sample sent; for a silence, its beginning. */
  endedAt: number;
}

/** What the agent did about one line. */
export interface TurnTiming {
  /** The agent's sound that belongs to this turn. */
  spurts: HeardSpurt[];
  /** Last voiced sample sent to the first agent sample received after it, ms; undefined when none came. */
  voiceToVoiceMs: number | undefined;
  /** The agent began to speak while the line was still being said. */
  cutOff: boolean;
  /** For a line said over the agent: how long the agent went on, ms. */
  stoppedMs: number | undefined;
}

/**
 * Gives each stretch of the agent's sound to the line it answers: it belongs to the last line begun before it, but a
 * speaker who was talked over and pauses for less than `quietMs` is still in the turn before.
 *
 * @param lines in order
 * @param spurts in order
 * @returns the sound before the first line (the greeting), and one timing per line
 */
export function splitTurns(
  lines: readonly PlayedLine[],
  spurts: readonly HeardSpurt[],
  quietMs: number,
): { greeting: HeardSpurt[]; turns: TurnTiming[] } {
  const owned: HeardSpurt[][] = [[], ...lines.map(() => [])];
  let owner = 0;
  let previous: HeardSpurt | undefined;
  for (const spurt of spurts) {
    const asked = lines.findLastIndex((line) => line.startedAt <= spurt.startedAt);
    const line = lines[asked];
    if (line && asked + 1 > owner && !carriesOn(line, previous, spurt, quietMs)) owner = asked + 1;
    owned[owner]?.push(spurt);
    previous = spurt;
  }
  const turns = lines.map((line, index) =>
    timingOf(line, owned.slice(0, index + 1).flat(), owned[index + 1] ?? [], quietMs),
  );
  return { greeting: owned[0] ?? [], turns };
}

/** Whether the agent was in the middle of speaking when the line began, and this is only its next sentence. */
function carriesOn(line: PlayedLine, previous: HeardSpurt | undefined, spurt: HeardSpurt, quietMs: number): boolean {
  if (!previous || previous.endedAt + quietMs < line.startedAt) return false;
  return spurt.startedAt < line.endedAt && spurt.startedAt - previous.endedAt < quietMs;
}

function timingOf(line: PlayedLine, before: readonly HeardSpurt[], spurts: HeardSpurt[], quietMs: number): TurnTiming {
  const answer = spurts.find((spurt) => spurt.startedAt >= line.endedAt);
  const stop = before.at(-1)?.endedAt;
  // Between two sentences the agent has not finished: to begin there is to talk over it too.
  const spokenOver = line.said !== '' && stop !== undefined && stop + quietMs > line.startedAt;
  return {
    spurts,
    voiceToVoiceMs: answer && line.said !== '' ? answer.startedAt - line.endedAt : undefined,
    cutOff: spurts.some((spurt) => spurt.startedAt < line.endedAt),
    stoppedMs: spokenOver ? Math.max(0, stop - line.startedAt) : undefined,
  };
}
