import { ParleyError, reasonOf } from '../../errors.js';
import type { Streams } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import { maskMessage } from './masking.js';
import { callIdOf, type WireMessage } from './wire.js';

/** A message of a call's trace. */
export interface TracedMessage {
  /** ms since 1970. */
  at: number;
  /** Whose leg: `caller`, or what the leg to a person is called. */
  leg: string;
  out: boolean;
  protocol: string;
  /** The other end, `host:port`. */
  peer: string;
  /** Masked. */
  text: string;
}

/** How traces are kept. */
export interface TraceOptions {
  /** Most messages of a call; beyond them those after the first {@link FIRST} go, the oldest first. */
  messages: number;
  maskedHeaders: readonly string[];
  /** After the call, ms. */
  retentionMs: number;
}

/** The beginning of a call stays, however long it is. */
const FIRST = 40;
/** SIP calls that nobody has claimed yet, and how long one waits for that, ms. */
const UNCLAIMED = 2000;
const UNCLAIMED_MS = 60_000;
/** The answer to a BYE comes after the end of its call, ms. */
const LINGER_MS = 1500;
const PREFIX = 'sip-';

/** Legs of one call, or of none yet. */
interface Leg {
  name: string;
  call: string | undefined;
  /** ms since 1970. */
  since: number;
  messages: TracedMessage[];
}

/** The SIP messages of each call, of all its legs: in memory while it lives, then in the store. */
export class SipTraces {
  /** By Call-ID. */
  readonly #legs = new Map<string, Leg>();
  readonly #calls = new Map<string, Set<string>>();
  readonly #ending = new Map<string, NodeJS.Timeout>();
  readonly #masked: readonly string[];

  constructor(
    private readonly streams: Streams,
    private readonly options: TraceOptions,
    private readonly logger: Logger,
  ) {
    this.#masked = options.maskedHeaders.map((name) => name.toLowerCase());
  }

  /** Notes a message. */
  seen({ at, out, protocol, host, port, text }: WireMessage): void {
    const callId = callIdOf(text);
    if (callId === undefined) return;
    const leg = this.#legs.get(callId) ?? this.#begin(callId, at);
    const peer = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    leg.messages.push({ at, leg: leg.name, out, protocol, peer, text: maskMessage(text, this.#masked) });
    if (leg.messages.length > this.options.messages) leg.messages.splice(Math.min(FIRST, leg.messages.length - 1), 1);
  }

  /** From now on this SIP call is a leg of that call. @param leg as {@link TracedMessage.leg} */
  claim(sipCallId: string, call: string, leg: string): void {
    const entry = this.#legs.get(sipCallId) ?? this.#begin(sipCallId, Date.now());
    Object.assign(entry, { name: leg, call });
    for (const message of entry.messages) message.leg = leg;
    this.#calls.set(call, (this.#calls.get(call) ?? new Set()).add(sipCallId));
  }

  /** The call is over: what is known of it goes into the store, a moment later. */
  ended(call: string): void {
    if (!this.#calls.has(call) || this.#ending.has(call)) return;
    this.#ending.set(
      call,
      setTimeout(() => void this.#save(call), LINGER_MS),
    );
  }

  /** What there is of a call, oldest first. @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE */
  async read(call: string): Promise<TracedMessage[]> {
    return this.#calls.has(call) ? this.#collected(call) : readTrace(this.streams, call);
  }

  /** Saves what is left. */
  async close(): Promise<void> {
    await Promise.all([...this.#calls.keys()].map((call) => this.#save(call)));
  }

  #begin(callId: string, at: number): Leg {
    const leg: Leg = { name: 'caller', call: undefined, since: at, messages: [] };
    this.#legs.set(callId, leg);
    // Refused without a call, or of another application of the same server: in the order in which they came.
    let unclaimed = this.#legs.size - this.#claimed();
    for (const [id, { call, since }] of this.#legs) {
      if (call !== undefined || id === callId) continue;
      if (unclaimed <= UNCLAIMED && at - since < UNCLAIMED_MS) break;
      this.#legs.delete(id);
      unclaimed--;
    }
    return leg;
  }

  #claimed(): number {
    let claimed = 0;
    for (const ids of this.#calls.values()) claimed += ids.size;
    return claimed;
  }

  #collected(call: string): TracedMessage[] {
    const ids = [...(this.#calls.get(call) ?? [])];
    return ids.flatMap((id) => this.#legs.get(id)?.messages ?? []).sort((a, b) => a.at - b.at);
  }

  async #save(call: string): Promise<void> {
    clearTimeout(this.#ending.get(call));
    const messages = this.#collected(call);
    const entries = messages.map((message, n) => ({ seq: n + 1, data: JSON.stringify(message) }));
    try {
      if (entries.length > 0) await this.streams.append(PREFIX + call, entries);
      await this.streams.expire(PREFIX + call, this.options.retentionMs);
    } catch (error) {
      const level = error instanceof ParleyError ? 'warn' : 'error';
      this.logger[level]({ call, reason: reasonOf(error) }, 'SIP trace of a call is not kept');
    } finally {
      for (const id of this.#calls.get(call) ?? []) this.#legs.delete(id);
      this.#calls.delete(call);
      this.#ending.delete(call);
    }
  }
}

/** The trace of a call that is over. @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE */
export async function readTrace(streams: Pick<Streams, 'read'>, call: string): Promise<TracedMessage[]> {
  return (await streams.read(PREFIX + call)).map(({ data }) => JSON.parse(data) as TracedMessage);
}

/** Deletes the trace of a call that is over. */
export async function deleteTrace(streams: Pick<Streams, 'expire'>, call: string): Promise<void> {
  await streams.expire(PREFIX + call, 0);
}
