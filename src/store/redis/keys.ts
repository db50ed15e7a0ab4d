import type { Connection } from './connection.js';
import { LIST } from './scripts.js';

/** The keys of one kind of value: the values themselves, and the two indexes that name them. */
export class Keys {
  constructor(
    private readonly prefix: string,
    private readonly kind: 'stream' | 'record',
  ) {}

  value(name: string): string {
    return `${this.prefix}${this.kind}:${name}`;
  }

  /** The KEYS of a script for one value. */
  of(name: string): string[] {
    return [this.value(name), `${this.prefix}${this.kind}s`, `${this.prefix}${this.kind}s:expiry`];
  }

  /** Names that begin with the prefix, sorted. */
  async list(connection: Connection, prefix: string): Promise<string[]> {
    // The highest code point sorts after everything that may follow the prefix.
    const range = prefix === '' ? ['-', '+'] : [`[${prefix}`, `(${prefix}\u{10ffff}`];
    const names = await LIST.run(connection, this.of(''), range);
    return Array.isArray(names) ? names.map(String) : [];
  }
}

/** A time to live as the scripts take it: whole ms, '' for none. */
export function ttlArgument(ttlMs: number | undefined): string {
  return ttlMs === undefined ? '' : String(Math.max(0, Math.ceil(ttlMs)));
}
