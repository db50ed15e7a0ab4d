import type { TracedMessage } from './traces.js';

/** Between two columns. */
const WIDTH = 40;
/** Before the first column. */
const MARGIN = 10;

/** A line that stands between the messages. */
export interface LadderNote {
  /** ms since 1970. */
  at: number;
  text: string;
}

/**
 * A call's messages as a ladder for a terminal: the caller left, Parley beside it, whom it calls right.
 *
 * @param received when the INVITE came, ms since 1970: times count from there, in s
 * @param full each message in full below its arrow
 */
export function renderLadder(
  messages: readonly TracedMessage[],
  received: number,
  notes: readonly LadderNote[] = [],
  full = false,
): string[] {
  const legs = [...new Set(messages.map(({ leg }) => leg))];
  // Parley is the second column.
  const columns = legs[0] === undefined ? ['Parley'] : [legs[0], 'Parley', ...legs.slice(1)];
  const peers = new Map<string, string>();
  for (const { leg, protocol, peer } of messages) if (!peers.has(leg)) peers.set(leg, `${protocol} ${peer}`);
  const lines = [heading(columns), heading(columns.map((name) => peers.get(name) ?? ''))];
  const waiting = [...notes].sort((a, b) => a.at - b.at);
  const seen = new Set<string>();
  const note = (until: number) => {
    while (waiting[0] && waiting[0].at <= until) {
      const { at, text } = waiting.shift() ?? { at: 0, text: '' };
      lines.push(`${seconds(at - received)}${rails(columns.length)}  ${plain(text)}`);
    }
  };
  for (const message of messages) {
    note(message.at - 1);
    const key = `${message.out}${message.leg}${message.text}`;
    const label = `${summaryOf(message.text)}${seen.has(key) ? ' (again)' : ''}`;
    seen.add(key);
    const elsewhere = `${message.protocol} ${message.peer}` === peers.get(message.leg) ? '' : `  ${message.peer}`;
    const arrow = between(columns.indexOf('Parley'), columns.indexOf(message.leg), message.out, label, columns.length);
    lines.push(`${seconds(message.at - received)}${arrow}${elsewhere}`);
    if (full)
      lines.push(
        '',
        ...message.text
          .trimEnd()
          .split(/\r?\n/)
          .map((line) => `    ${plain(line)}`),
        '',
      );
  }
  note(Number.POSITIVE_INFINITY);
  return lines.map((line) => line.trimEnd());
}

/** What a message is, in a few words: its method or status, CSeq where that tells, and what its SDP says. */
export function summaryOf(text: string): string {
  const [first = ''] = text.split('\r\n', 1);
  const status = /^SIP\/2\.0 (\d{3})\s*(.*)$/.exec(first);
  const method = /^cseq[ \t]*:[ \t]*\d+[ \t]+(\w+)/im.exec(text)?.[1] ?? '';
  const what = status
    ? `${status[1]} ${status[2]}${method === 'INVITE' ? '' : ` (${method})`}`
    : first.split(' ', 1)[0];
  const sdp = sdpSummary(text);
  return sdp ? `${what} [${sdp}]` : `${what}`;
}

/** Codec that stands first, how many more, and where the sound goes. */
function sdpSummary(text: string): string | undefined {
  const audio = /^m=audio (\d+) \S+ (\d+)(.*)$/m.exec(text);
  if (!audio) return undefined;
  const [, port, format = '', more = ''] = audio;
  const name = new RegExp(`^a=rtpmap:${format} ([^/\\s]+)`, 'm').exec(text)?.[1] ?? STATIC[format] ?? format;
  const others = more.trim() === '' ? 0 : more.trim().split(/\s+/).length;
  const direction = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m.exec(text)?.[1];
  const host = /^c=IN IP[46] (\S+)/m.exec(text)?.[1] ?? '?';
  return [`${name}${others > 0 ? `+${others}` : ''}`, `${host}:${port}`, direction === 'sendrecv' ? '' : direction]
    .filter(Boolean)
    .join(' ');
}

/** RFC 3551 6 */
const STATIC: Readonly<Record<string, string>> = { 0: 'PCMU', 8: 'PCMA', 9: 'G722' };

function heading(names: readonly string[]): string {
  const row = ' '.repeat(MARGIN + (names.length - 1) * (WIDTH + 1) + 1);
  return names.reduce((line, name, column) => {
    const shown = plain(name).slice(0, WIDTH - 2);
    const at = Math.max(0, MARGIN + column * (WIDTH + 1) - Math.floor(shown.length / 2));
    return line.slice(0, at) + shown + line.slice(at + shown.length);
  }, row);
}

function rails(columns: number): string {
  return Array.from({ length: columns }, () => '|').join(' '.repeat(WIDTH));
}

/** An arrow between Parley's column and another, across those in between. */
function between(parley: number, other: number, out: boolean, label: string, columns: number): string {
  const [left, right] = parley < other ? [parley, other] : [other, parley];
  const toRight = out === parley < other;
  const inner = (right - left) * (WIDTH + 1) - 1;
  const shown = ` ${plain(label).slice(0, inner - 6)} `;
  const dashes = inner - 2 - shown.length;
  const before = '-'.repeat(Math.max(1, Math.floor(dashes / 2)));
  const after = '-'.repeat(Math.max(1, dashes - before.length));
  const body = toRight ? `-${before}${shown}${after}>` : `<${before}${shown}${after}-`;
  const rest = columns - 1 - right;
  return `${rails(left + 1)}${body}|${rest > 0 ? ' '.repeat(WIDTH) + rails(rest) : ''}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(MARGIN - 2)}  `;
}

/** What a peer writes can't steer the terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}
