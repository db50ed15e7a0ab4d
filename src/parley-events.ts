import type { JournalEvent, JournalEventType, LiveEvent, StoredEvent } from './journal/events.js';
import type { Logger } from './telemetry/log.js';

/** An event of the journal, by its type. Partials are live only, and have `after` in place of `seq`. */
export type EventOf<T extends JournalEventType> = (StoredEvent | LiveEvent) & Extract<JournalEvent, { type: T }>;

type TransferType = Extract<JournalEventType, `transfer.${string}`>;

/** What can be listened to: every type of the journal by its name, and these. */
export type ParleyEvents = { [T in JournalEventType]: EventOf<T> } & {
  /** A call has come: `call.received`. */
  call: EventOf<'call.received'>;
  /** Somebody has spoken: `caller.turn`, `agent.turn` or `person.turn`. */
  turn: EventOf<'caller.turn' | 'agent.turn' | 'person.turn'>;
  /** The call is on its way to somebody: `transfer.started` to `transfer.finished`. */
  transfer: EventOf<TransferType>;
  /** A call is over: `call.ended`. */
  end: EventOf<'call.ended'>;
  /** Everything. */
  event: EventOf<JournalEventType>;
};

/** Told of an event. What it throws, or rejects with, is logged and disturbs nobody. */
export type ParleyListener<K extends keyof ParleyEvents> = (event: ParleyEvents[K]) => unknown;

type AnyListener = (event: never) => unknown;

/** The program's listeners. Unlike those of an EventEmitter they can't end a call, or the process, by failing. */
export class ParleyListeners {
  readonly #listeners = new Map<string, Set<AnyListener>>();

  constructor(private readonly logger: Logger) {}

  add(name: string, listener: AnyListener): void {
    const known = this.#listeners.get(name);
    if (known) known.add(listener);
    else this.#listeners.set(name, new Set([listener]));
  }

  remove(name: string, listener: AnyListener): void {
    this.#listeners.get(name)?.delete(listener);
  }

  tell(event: StoredEvent | LiveEvent): void {
    for (const name of namesOf(event.type)) {
      for (const listener of this.#listeners.get(name) ?? []) void this.#call(name, listener, event);
    }
  }

  async #call(name: string, listener: AnyListener, event: StoredEvent | LiveEvent): Promise<void> {
    try {
      await listener(event as never);
    } catch (error) {
      this.logger.error({ err: error, call: event.call }, `a listener of "${name}" failed`);
    }
  }
}

function namesOf(type: JournalEventType): string[] {
  if (type === 'call.received') return [type, 'call', 'event'];
  if (type === 'call.ended') return [type, 'end', 'event'];
  if (/^(caller|agent|person)\.turn$/.test(type)) return [type, 'turn', 'event'];
  return type.startsWith('transfer.') ? [type, 'transfer', 'event'] : [type, 'event'];
}
