import type { StreamEntry } from '../store.js';

const NEWLINE = 0x0a;
const LINE = /^\{"seq":(\d+),"data":(.*)\}$/;

/** An entry as its line of a JSONL file. `data` is JSON text; line breaks between its tokens are taken out. */
export function lineOf({ seq, data }: StreamEntry): string {
  const oneLine = /[\r\n]/.test(data) ? JSON.stringify(JSON.parse(data)) : data;
  return `{"seq":${seq},"data":${oneLine}}\n`;
}

/** The entries of whole lines. What is no entry (a torn write, a foreign line) is left out. */
export function entriesOf(bytes: Buffer): StreamEntry[] {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const entries: StreamEntry[] = [];
  for (const line of bytes.toString('utf8', 0, end).split('\n')) {
    const match = LINE.exec(line);
    if (match) entries.push({ seq: Number(match[1]), data: match[2] ?? '' });
  }
  return entries;
}

/** Where a stream's file ends: its last seq, and the bytes up to the end of that entry's line. */
export interface Tail {
  seq: number;
  size: number;
}

/** Finds the last whole entry from the end; what follows it is a torn write. */
export function tailOf(bytes: Buffer): Tail {
  for (let size = bytes.lastIndexOf(NEWLINE) + 1; size > 0; ) {
    const start = size >= 2 ? bytes.lastIndexOf(NEWLINE, size - 2) + 1 : 0;
    const match = LINE.exec(bytes.toString('utf8', start, size - 1));
    if (match) return { seq: Number(match[1]), size };
    size = start;
  }
  return { seq: 0, size: 0 };
}
