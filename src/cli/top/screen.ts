import { tableLines } from '../output.js';

/** What the API tells, as far as it is shown: a server of another version may leave out or add something. */
export interface Top {
  url: string;
  calls: TopCall[];
  stats: {
    calls?: number;
    legs?: number;
    late?: { p50?: number; p99?: number; max?: number }[];
    pendingEvents?: number;
    speech?: { workers?: number; backlog?: number; restarts?: number };
    clips?: { hits?: number; misses?: number };
    /** `ofLimit`: shares of the limits beyond which calls are refused. */
    load?: { cpuPercent?: number; memoryMb?: number; ofLimit?: { loopMs?: number; mediaMs?: number; speech?: number } };
    /** By code. */
    alarms?: Record<string, number>;
  };
}

export interface TopCall {
  id: string;
  from: string;
  to: string;
  entry?: string;
  agent?: string;
  person?: string;
  state: string;
  onHold?: boolean;
  ageMs: number;
  turns?: number;
  interruptions?: number;
  replyMs?: number;
  mos?: number;
  speaks?: string;
}

const HEADING = ['CALL', 'TIME', 'STATE', 'FROM', 'TO', 'ENTRY', 'WITH', 'SPEAKS', 'TURNS', 'CUT', 'REPLY', 'MOS'];

/** The screen of `parley top`. Longest calls first; of more than fit, how many. */
export function topLines({ url, calls, stats }: Top, size: { width: number; height?: number }): string[] {
  const sorted = [...calls].sort((a, b) => b.ageMs - a.ageMs);
  const rows = sorted.map(rowOf);
  const alarms = Object.keys(stats.alarms ?? {})
    .map((code) => `  ALARM ${code}`)
    .join('');
  const head = [`${url}  ${calls.length} ${calls.length === 1 ? 'call' : 'calls'}${alarms}`, loadLine(stats), ''];
  const room = (size.height ?? Number.POSITIVE_INFINITY) - head.length - 2;
  const hidden = Math.max(0, rows.length - room);
  const shown = hidden > 0 ? rows.slice(0, room) : rows;
  const lines = [...head, ...tableLines([HEADING, ...shown]), ...(hidden > 0 ? [`... and ${hidden} more`] : [])];
  return lines.map((line) => line.slice(0, size.width));
}

function loadLine({ legs, late, pendingEvents, speech, clips, load }: Top['stats']): string {
  const asked = (clips?.hits ?? 0) + (clips?.misses ?? 0);
  const facts: [string, number | undefined, string][] = [
    ['cpu', load?.cpuPercent, '%'],
    ['memory', load?.memoryMb, ' MB'],
    ['of limits: event loop', percent(load?.ofLimit?.loopMs), '%'],
    ['media', percent(load?.ofLimit?.mediaMs), '%'],
    ['speech', percent(load?.ofLimit?.speech), '%'],
    ['legs', legs, ''],
    ['media late', late && Math.max(0, ...late.map(({ p99 }) => p99 ?? 0)), ' ms'],
    ['speech waiting', speech?.backlog, ''],
    ['speech restarts', speech?.restarts || undefined, ''],
    ['clips cached', asked > 0 ? (100 * (clips?.hits ?? 0)) / asked : undefined, '%'],
    ['events unstored', pendingEvents, ''],
  ];
  return facts
    .flatMap(([name, value, unit]) => (value === undefined ? [] : `${name} ${Math.round(value * 10) / 10}${unit}`))
    .join('   ');
}

function percent(share: number | undefined): number | undefined {
  return share === undefined ? undefined : 100 * share;
}

function rowOf(call: TopCall): string[] {
  const { id, from, to, entry, agent, person, state, onHold, ageMs, turns, interruptions, replyMs, mos, speaks } = call;
  const cells = [
    id.slice(-6),
    clock(ageMs),
    onHold ? `${state}, on hold` : state,
    from,
    to,
    entry?.replace(/^.*#/, ''),
    person ?? agent,
    speaks === 'nobody' ? '' : speaks,
    turns,
    interruptions || '',
    replyMs === undefined ? '' : `${Math.round(replyMs)} ms`,
    mos?.toFixed(1),
  ];
  // What a caller writes into From can't steer the terminal, nor take all of it.
  return cells.map((cell) =>
    String(cell ?? '')
      .replace(/\p{Cc}+/gu, ' ')
      .slice(0, 24),
  );
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
