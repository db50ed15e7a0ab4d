import { fieldOf, fieldsOf } from '../message/message.js';
import { LIMITS, parseMessage } from '../message/parse.js';
import { contentLength } from './received.js';

export type StreamEvent =
  | { readonly kind: 'message'; readonly text: string }
  /** A double blank line: the peer wants a blank line back (RFC 5626 3.5.1). */
  | { readonly kind: 'ping' }
  /** The stream can't be followed any further; `text` is what could not be read. */
  | { readonly kind: 'broken'; readonly reason: string; readonly text: string };

const CR = 13;
const LF = 10;

/** Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3). Each byte is searched once. */
export class StreamFramer {
  #buffer = Buffer.alloc(4096);
  #length = 0;
  /** How far the end of the header block has been looked for. */
  #searched = 0;
  /** Bytes of blank lines since the last message: a ping may come in pieces. */
  #blank = 0;
  /** Whole length of the message at the front, once its header block is in. */
  #need: number | undefined;

  /** Whether part of a message is waiting for its rest. */
  get partial(): boolean {
    return this.#length > 0;
  }

  push(chunk: Buffer): StreamEvent[] {
    this.#append(chunk);
    const events: StreamEvent[] = [];
    for (let event = this.#next(); event; event = this.#next()) {
      events.push(event);
      if (event.kind === 'broken') break;
    }
    return events;
  }

  #append(chunk: Buffer): void {
    const total = this.#length + chunk.length;
    if (total > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(total, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = total;
  }

  #next(): StreamEvent | undefined {
    const blank = this.#blankLines();
    if (blank) return blank;
    if (this.#need === undefined) {
      const broken = this.#readHead();
      if (broken) return broken;
    }
    if (this.#need === undefined || this.#length < this.#need) return undefined;
    const text = this.#buffer.toString('latin1', 0, this.#need);
    this.#drop(this.#need);
    this.#blank = 0;
    return { kind: 'message', text };
  }

  #blankLines(): StreamEvent | undefined {
    let skip = 0;
    if (this.#need !== undefined) return undefined;
    while (skip + 1 < this.#length && this.#buffer[skip] === CR && this.#buffer[skip + 1] === LF) skip += 2;
    if (skip === 0) return undefined;
    this.#drop(skip);
    this.#blank += skip;
    if (this.#blank < 4) return undefined;
    this.#blank = 0;
    return { kind: 'ping' };
  }

  #readHead(): StreamEvent | undefined {
    const view = this.#buffer.subarray(0, this.#length);
    const end = view.indexOf('\r\n\r\n', Math.max(0, this.#searched - 3), 'latin1');
    this.#searched = this.#length;
    if (end < 0) {
      return this.#length > LIMITS.message ? this.#broken('header block is longer than 64 kB') : undefined;
    }
    const { message } = parseMessage(view.toString('latin1', 0, end + 4));
    if (!message) return this.#broken('unreadable start line');
    const length = contentLength(fieldsOf(message, 'content-length'));
    if (length === -1) return this.#broken('malformed Content-Length');
    this.#need = end + 4 + (length ?? 0);
    if (this.#need > LIMITS.message) return this.#broken('message is longer than 64 kB');
    return fieldOf(message, 'via') === undefined ? this.#broken('no Via') : undefined;
  }

  #broken(reason: string): StreamEvent {
    return { kind: 'broken', reason, text: this.#buffer.toString('latin1', 0, this.#length) };
  }

  #drop(count: number): void {
    this.#buffer.copy(this.#buffer, 0, count, this.#length);
    this.#length -= count;
    this.#searched = 0;
    this.#need = undefined;
  }
}
