import type { RawData, WebSocket } from 'ws';
import { ParleyError, reasonOf } from '../../errors.js';
import type { JournalFeed } from '../../journal/feed.js';
import type { Logger } from '../../telemetry/log.js';
import { CLOSE, Outlet } from './outlet.js';

/** What is subscribed to: one call, or all of them. */
export type Subscription =
  | { call: string; after: number; partials: boolean }
  | {
      /** Calls that are younger than this one are told from their beginning; without it, those that live now. */
      since: string | undefined;
      /** Where a reader was in each call. */
      after: ReadonlyMap<string, number>;
      partials: boolean;
    };

/** Of the journals, what the live socket reads. */
export type LiveJournals = Pick<JournalFeed, 'follow' | 'callsSince' | 'onCall' | 'onPartial'>;

/** Frames that can't be understood, before the socket is closed. */
const BAD_FRAMES_MAX = 10;

/** One reader of journals over a WebSocket: pulls each call's events at its own pace, and shows partials while it keeps up. */
export class Subscriber {
  readonly #outlet: Outlet;
  readonly #stop = new AbortController();
  readonly #told = new Set<string>();
  readonly #undo: (() => unknown)[] = [];
  #badFrames = 0;

  constructor(
    private readonly socket: WebSocket,
    private readonly journals: LiveJournals,
    private readonly subscription: Subscription,
    private readonly logger: Logger,
    heartbeatMs: number,
  ) {
    this.#outlet = new Outlet(socket);
    socket.on('message', (data, binary) => this.#received(data, binary));
    // An oversized or malformed frame: ws closes the socket with the fitting code.
    socket.on('error', (error) => logger.debug({ reason: reasonOf(error) }, 'live socket'));
    const beat = setInterval(() => this.#beat(), heartbeatMs);
    socket.once('close', () => {
      clearInterval(beat);
      this.#stop.abort();
      for (const undo of this.#undo.splice(0)) undo();
    });
  }

  /** Tells what is subscribed to until the socket is closed. Never rejects. */
  async run(): Promise<void> {
    const { subscription } = this;
    try {
      if ('call' in subscription) {
        await this.#tell(subscription.call, subscription.after);
        if (!this.#stop.signal.aborted) {
          await this.#outlet.send(JSON.stringify({ type: 'end', call: subscription.call }));
          this.socket.close(CLOSE.done, 'the call is over');
        }
      } else {
        const { since, after } = subscription;
        // First, so that no call falls in between.
        this.#undo.push(this.journals.onCall((call) => this.#begin(call, 0)));
        for (const [call, seq] of after) this.#begin(call, seq);
        for (const call of await this.journals.callsSince(since)) this.#begin(call, 0);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #begin(call: string, after: number): void {
    if (this.#told.has(call) || this.#stop.signal.aborted) return;
    this.#told.add(call);
    void this.#tell(call, after).catch((error) => this.#fail(error));
  }

  async #tell(call: string, after: number): Promise<void> {
    let seq = after;
    const forget = this.subscription.partials
      ? this.journals.onPartial(call, (json, follows) => {
          // Late ones are of no use any more, early ones would come before what they follow.
          if (follows === seq && this.#outlet.isKeepingUp) void this.#outlet.send(json);
        })
      : undefined;
    if (forget) this.#undo.push(forget);
    for await (const event of this.journals.follow(call, after, this.#stop.signal)) {
      await this.#outlet.send(JSON.stringify(event));
      seq = event.seq;
    }
    forget?.();
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.logger.warn({ reason: reasonOf(error) }, 'live socket: events can not be read');
    this.socket.close(CLOSE.failed, 'events can not be read now');
  }

  #received(data: RawData, binary: boolean): void {
    const text = binary ? '' : data.toString();
    if (typeOf(text) === 'ping') return void this.#outlet.send('{"type":"pong"}');
    const { code, message } = new ParleyError('PARLEY_ERR_LIVE_FRAME', { frame: text.slice(0, 60) || 'binary' });
    void this.#outlet.send(JSON.stringify({ type: 'error', code, message }));
    if (++this.#badFrames >= BAD_FRAMES_MAX) this.socket.close(CLOSE.policy, 'too many frames that say nothing');
  }

  #beat(): void {
    if (this.#outlet.isKeepingUp)
      void this.#outlet.send(JSON.stringify({ type: 'heartbeat', time: new Date().toISOString() }));
  }
}

function typeOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Reflect.get(value, 'type') : undefined;
  } catch {
    return undefined;
  }
}
