import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SipMessage } from '../message/message.js';
import { serialise } from '../message/serialise.js';
import type { Timer, Timers } from '../timers.js';
import type { Peer } from '../transport/transport.js';
import { encodeFrame, type Frame, FrameReader } from './frames.js';

/** Announced to applications: drachtio-srf sends pings only to a server that says v0.8.2 or later. */
const VERSION = 'v0.9.10-parley';

/** ms within which a new control connection has to authenticate. */
const AUTHENTICATE_MS = 10_000;

/** Bytes that may wait for an application that does not read; it is dropped then, and its calls ended. */
const BACKLOG = 1 << 26;

export interface ApplicationEvents {
  /** A `sip` frame: a request or response to send. */
  sip(app: Application, frame: Frame): void;
  /** A `proxy` frame: a request to pass on. */
  proxy(app: Application, frame: Frame): void;
  gone(app: Application): void;
  /** It has authenticated. */
  connected?(app: Application): void;
  log(level: 'info' | 'warn', text: string): void;
}

export interface ApplicationSetup {
  readonly secret: string;
  /** Comma-separated `protocol/host:port`. */
  readonly endpoints: string;
  readonly events: ApplicationEvents;
  readonly timers: Timers;
}

/** Where a message came from or went to, as frames tell it. */
interface Origin {
  readonly source: 'network' | 'application';
  readonly bytes: number;
  readonly peer: Peer | undefined;
}

/** A message for the application. */
export interface Delivery extends Origin {
  readonly txnId: string;
  readonly dialogId: string;
  /** `host|port` the message was received on; new requests outside a dialog only. */
  readonly receivedOn?: readonly [string, number];
  readonly message: SipMessage;
}

/** One control connection: an application that speaks drachtio's protocol. */
export class Application {
  readonly #socket: Socket;
  readonly #setup: ApplicationSetup;
  readonly #reader = new FrameReader();
  readonly #verbs = new Set<string>();
  readonly #deadline: Timer;
  /** Resolves when it has authenticated; rejects when its connection is gone before. */
  readonly ready: Promise<void>;
  #tags: ReadonlySet<string> = new Set();
  #welcome: () => void = () => undefined;
  #authenticated = false;
  #closed = false;

  constructor(socket: Socket, setup: ApplicationSetup) {
    this.#socket = socket;
    this.#setup = setup;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => undefined);
    this.#deadline = setup.timers.set(AUTHENTICATE_MS, () => socket.destroy());
    this.ready = new Promise((resolve, reject) => {
      this.#welcome = resolve;
      socket.on('close', () => reject(new Error('the application did not authenticate')));
    });
    this.ready.catch(() => undefined);
    socket.on('close', () => {
      this.#closed = true;
      setup.timers.clear(this.#deadline);
      setup.events.gone(this);
    });
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** What it calls itself, for request handlers to choose by. */
  get tags(): ReadonlySet<string> {
    return this.#tags;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether requests of this method go to this application; `verb` in lower case. */
  takes(verb: string): boolean {
    return this.#authenticated && !this.#closed && this.#verbs.has(verb);
  }

  deliver(delivery: Delivery): void {
    const { txnId, dialogId, receivedOn = [], message } = delivery;
    const head = [randomUUID(), 'sip', ...meta(delivery), txnId, dialogId, ...receivedOn];
    this.#write(encodeFrame(head, serialise(message)));
  }

  /** Tells that a request was sent, and how it reads on the wire. */
  echoRequest(frame: Frame, peer: Peer | undefined, txnId: string, message: SipMessage): void {
    const text = serialise(message);
    const origin: Origin = { source: 'application', bytes: text.length, peer };
    this.#respond(frame, ['OK', ...meta(origin), txnId, 'Msg sent:', ''], text);
  }

  echoResponse(frame: Frame, peer: Peer, txnId: string, dialogId: string, message: SipMessage): void {
    const text = serialise(message);
    const origin: Origin = { source: 'application', bytes: text.length, peer };
    this.#respond(frame, ['OK', ...meta(origin), txnId, dialogId, '', 'Msg sent:', ''], text);
  }

  /** A call detail record; `head` stands before the time and `tail` after it. */
  record(head: readonly string[], tail: readonly string[], message: SipMessage): void {
    this.#write(encodeFrame([randomUUID(), ...head, timeNow(), ...tail], serialise(message)));
  }

  /** A final response to a request that is being proxied; more follow until {@link proxied}. */
  proxyResponse(frame: Frame, peer: Peer, bytes: number, message: SipMessage): void {
    const fields = ['OK', ...meta({ source: 'network', bytes, peer }), '', '', 'continue'];
    this.#respond(frame, fields, serialise(message));
  }

  /** The request that was proxied has its final response. */
  proxied(frame: Frame): void {
    this.#respond(frame, ['OK', 'done']);
  }

  /** A frame that can't be carried out; the connection stays. */
  refuse(frame: Frame, reason: string): void {
    this.#respond(frame, ['NOK', reason]);
  }

  /** A frame that breaks the protocol: answered, then the connection is closed. */
  reject(frame: Frame, reason: string): void {
    this.#respond(frame, ['NO', reason]);
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  #respond(frame: Frame, fields: (string | number)[], payload?: string): void {
    this.#write(encodeFrame([randomUUID(), 'response', frame.id, ...fields], payload));
  }

  #write(data: Buffer): void {
    if (this.#closed || !this.#socket.writable) return;
    this.#socket.write(data);
    // What else this round of the event loop brings goes out together: under load, writing is what costs most.
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      setImmediate(() => this.#socket.uncork());
    }
    if (this.#socket.writableLength <= BACKLOG) return;
    this.#setup.events.log('warn', 'application dropped: it does not read what it is sent');
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#receive(frame);
    } catch (error) {
      this.#setup.events.log('warn', `application sent no frame: ${error instanceof Error ? error.message : error}`);
      this.#socket.destroy();
    }
  }

  #receive(frame: Frame): void {
    const verb = (frame.fields[0] ?? '').toLowerCase();
    if (frame.type === 'authenticate') this.#authenticate(frame);
    else if (!this.#authenticated) this.reject(frame, 'not authenticated');
    else if (frame.type === 'sip') this.#setup.events.sip(this, frame);
    else if (frame.type === 'ping') this.#respond(frame, ['OK', 'pong']);
    else if (frame.type === 'route') {
      this.#verbs.add(verb);
      this.#respond(frame, ['OK']);
    } else if (frame.type === 'remove_route') {
      this.#verbs.delete(verb);
      this.#respond(frame, ['OK']);
    } else if (frame.type === 'proxy') this.#setup.events.proxy(this, frame);
    else this.reject(frame, 'unknown message type');
  }

  #authenticate(frame: Frame): void {
    const { secret, endpoints, events, timers } = this.#setup;
    if (!sameSecret(frame.fields[0] ?? '', Buffer.from(secret).toString('latin1'))) {
      events.log('warn', 'application refused: incorrect secret');
      this.reject(frame, 'incorrect secret');
      return;
    }
    this.#authenticated = true;
    this.#tags = new Set((frame.fields[1] ?? '').split(',').filter((tag) => tag !== ''));
    this.#welcome();
    timers.clear(this.#deadline);
    this.#respond(frame, ['OK', endpoints, VERSION, endpoints]);
    events.log('info', 'application connected');
    events.connected?.(this);
  }
}

function meta(origin: Origin): (string | number)[] {
  const { source, bytes, peer } = origin;
  return [source, bytes, peer?.protocol ?? 'udp', peer?.host ?? '', peer?.port ?? 0, timeNow()];
}

/** UTC, `HH:MM:SS.uuuuuu`. */
function timeNow(): string {
  return `${new Date().toISOString().slice(11, 23)}000`;
}

function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
