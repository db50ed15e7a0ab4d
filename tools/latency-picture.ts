import type { ReplyLatency, StoredEvent } from '../src/journal/events.js';
import { box, picture, text } from './svg.js';

/** The parts of a reply's latency in the order in which they pass, and what each is. */
const PARTS = [
  ['endpoint', '#7aa5e0', 'is the caller done? (the wait is chosen by their words)'],
  ['recognition', '#e0a85c', 'the final words'],
  ['reasoning', '#b58ad6', 'what to answer'],
  ['synthesis', '#6fbf8b', 'the first sentence as sound'],
  ['playout', '#d97b7b', 'its first packet'],
] as const;

const LEFT = 28;
const BARS = 300;
const WIDTH = 900;
const ROW = 74;
const INK = '#1f2328';
const GREY = '#6b7280';

interface Reply {
  asked: string;
  latency: ReplyLatency;
  /** How long the answer had been in work when the turn was over, ms; undefined when none was prepared. */
  prepared: number | undefined;
}

/** Where the time goes between a caller's last word and the answer, reply by reply of one call. */
export function latencyPicture(events: readonly StoredEvent[]): string {
  const replies = repliesOf(events);
  const longest = Math.max(...replies.map(({ latency }) => totalOf(latency)));
  const step = longest > 1000 ? 200 : 100;
  const last = Math.ceil((longest + 40) / step) * step;
  const scale = (WIDTH - BARS - 70) / last;
  const bottom = 78 + replies.length * ROW;
  const axis = Array.from({ length: last / step + 1 }, (_, n) => {
    const x = BARS + n * step * scale;
    const line = `<line x1="${x}" y1="62" x2="${x}" y2="${bottom - 14}" stroke="#d0d7de"/>`;
    return (
      line + text(x, 56, GREY, n === 0 ? 'last voiced sample' : `${n * step} ms`, 'font-size="11" text-anchor="middle"')
    );
  });
  const legend = PARTS.map(([name, colour, meaning], n) => {
    const y = bottom + 14 + n * 20;
    return box(LEFT, y - 10, 12, 12, colour) + text(LEFT + 20, y, INK, `${name}: ${meaning}`);
  });
  const y = bottom + 14 + PARTS.length * 20;
  const meanwhile =
    box(LEFT, y - 7, 12, 4, '#9ca3af') +
    text(
      LEFT + 20,
      y,
      INK,
      'the answer is prepared while nobody knows yet whether the caller is done; what is ready then costs no time afterwards',
    );
  return picture('Latency of a reply by its parts', [WIDTH, y + 22], '#ffffff', [
    text(
      LEFT,
      30,
      INK,
      'From the caller\u2019s last word to the first sound of the answer',
      'font-size="16" font-weight="600"',
    ),
    ...axis,
    ...replies.flatMap((reply, n) => row(reply, 74 + n * ROW, scale)),
    ...legend,
    meanwhile,
  ]);
}

function row({ asked, latency, prepared }: Reply, y: number, scale: number): string[] {
  const drawn = [text(LEFT, y + 24, INK, asked.length > 42 ? `${asked.slice(0, 40)}\u2026` : asked)];
  let x = BARS;
  for (const [name, colour] of PARTS) {
    const ms = latency[name] ?? 0;
    drawn.push(box(x, y + 8, ms * scale, 24, colour, `${name} ${Math.round(ms)} ms`));
    x += ms * scale;
  }
  drawn.push(text(x + 8, y + 25, INK, `${Math.round(totalOf(latency))} ms`, 'font-weight="600"'));
  const endpoint = latency.endpoint ?? 0;
  if (prepared !== undefined) {
    const from = Math.max(0, endpoint - prepared);
    drawn.push(
      box(BARS + from * scale, y + 36, (endpoint - from) * scale, 4, '#9ca3af', `prepared for ${prepared} ms`),
    );
  }
  const parts = PARTS.map(([name]) => `${name} ${Math.round(latency[name] ?? 0)}`).join(' \u00b7 ');
  return [...drawn, text(BARS, y + 54, GREY, parts, 'font-size="11"')];
}

function repliesOf(events: readonly StoredEvent[]): Reply[] {
  return events.flatMap((event) => {
    if (event.type !== 'agent.turn' || event.kind !== 'reply' || !event.latency) return [];
    const { turn, latency } = event;
    const caller = events.findLast((other) => other.type === 'caller.turn' && other.turn === turn);
    const speculation = events.findLast((other) => other.type === 'speculation' && other.turn === turn && other.used);
    return {
      asked: caller?.type === 'caller.turn' ? caller.text : '',
      latency,
      prepared: speculation?.type === 'speculation' ? speculation.ms : undefined,
    };
  });
}

function totalOf(latency: ReplyLatency): number {
  return latency.reply ?? PARTS.reduce((sum, [name]) => sum + (latency[name] ?? 0), 0);
}
