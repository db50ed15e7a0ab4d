/** What is alive in an edge, for leak tests and metrics. */
export interface EdgeCounts {
  readonly transactions: number;
  readonly dialogs: number;
  readonly tcpConnections: number;
  readonly timers: number;
  readonly applications: number;
}

/** Why something that arrived was not answered. */
export type DropReason = 'network' | 'malformed' | 'scanner' | 'rate' | 'blocked' | 'unconfirmed' | 'overload';

const METHODS = new Set(
  'INVITE ACK BYE CANCEL REGISTER OPTIONS PRACK UPDATE INFO SUBSCRIBE NOTIFY REFER MESSAGE PUBLISH'.split(' '),
);

const GAUGES: readonly (readonly [keyof EdgeCounts, string, string])[] = [
  ['transactions', 'transactions', 'SIP transactions that go on, those that linger to absorb repetitions included.'],
  ['dialogs', 'dialogs', 'Dialogs that are alive, early ones included.'],
  ['tcpConnections', 'tcp_connections', 'Open SIP connections.'],
  ['applications', 'applications', 'Authenticated applications.'],
  ['timers', 'timers', 'Timers that are set.'],
];

/** What an edge has done since it started, as Prometheus reads it. */
export class Counters {
  readonly #messages = new Map<string, number>();
  readonly #dropped = new Map<DropReason, number>();

  /** A message sent or received, repetitions included. */
  message(direction: 'in' | 'out', text: string): void {
    const kind = kindOf(text);
    const key = `direction="${direction}",kind="${kind}"`;
    this.#messages.set(key, (this.#messages.get(key) ?? 0) + 1);
  }

  dropped(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** Prometheus text format 0.0.4. */
  text(counts: EdgeCounts): string {
    const lines = [
      '# HELP parley_edge_messages_total SIP messages by direction and method or response class.',
      '# TYPE parley_edge_messages_total counter',
      ...[...this.#messages].map(([labels, value]) => `parley_edge_messages_total{${labels}} ${value}`),
      '# HELP parley_edge_dropped_total SIP messages that were not answered, by reason.',
      '# TYPE parley_edge_dropped_total counter',
      ...[...this.#dropped].map(([reason, value]) => `parley_edge_dropped_total{reason="${reason}"} ${value}`),
    ];
    for (const [key, name, help] of GAUGES) {
      lines.push(`# HELP parley_edge_${name} ${help}`, `# TYPE parley_edge_${name} gauge`);
      lines.push(`parley_edge_${name} ${counts[key]}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

/** The method, or the class of the response; methods that nobody registered count as one. */
function kindOf(text: string): string {
  if (text.startsWith('SIP/2.0 ')) return `${text.slice(8, 9)}xx`;
  const method = text.slice(0, Math.max(0, text.slice(0, 32).indexOf(' ')));
  return METHODS.has(method) ? method : 'other';
}
