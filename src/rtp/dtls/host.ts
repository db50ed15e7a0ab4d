import { Worker } from 'node:worker_threads';
import { threadEntry } from '../../threads.js';
import type { SrtpKey } from '../srtp/suites.js';
import type { DtlsIdentity, Fingerprint } from './certificate.js';
import type { DtlsRole, HandshakeListener } from './handshake.js';

/** To the thread; `id` is the handshake's. */
export type ToDtls =
  | { type: 'open'; id: number; role: DtlsRole; identity: DtlsIdentity; fingerprints: readonly Fingerprint[] }
  | { type: 'datagram'; id: number; datagram: Uint8Array }
  | { type: 'close'; id: number };

/** From the thread. */
export type FromDtls =
  | { type: 'send'; id: number; datagram: Uint8Array }
  | { type: 'keys'; id: number; local: SrtpKey; remote: SrtpKey }
  | { type: 'failed'; id: number; reason: string };

/** One handshake in the thread. */
export interface DtlsPeer {
  receive(datagram: Uint8Array): void;
  close(): void;
}

const open = new Map<number, HandshakeListener>();
let thread: Worker | undefined;
let lastId = 0;

/**
 * Begins a handshake (RFC 5764) as the client, or waits for the peer's as the server. The first one starts a thread: loading the library and
 * its elliptic curves take too long for a thread that sends a packet every 20 ms.
 */
export function openDtls(
  role: DtlsRole,
  identity: DtlsIdentity,
  fingerprints: readonly Fingerprint[],
  listener: HandshakeListener,
): DtlsPeer {
  const id = ++lastId;
  open.set(id, listener);
  const worker = running();
  const post = (message: ToDtls): void => {
    if (open.has(id)) worker.postMessage(message);
  };
  post({ type: 'open', id, role, identity, fingerprints });
  return {
    receive: (datagram) => post({ type: 'datagram', id, datagram: Uint8Array.from(datagram) }),
    close: () => {
      post({ type: 'close', id });
      open.delete(id);
    },
  };
}

function running(): Worker {
  if (thread) return thread;
  const started = new Worker(threadEntry(import.meta.url, './dtls-thread.js'), { name: 'dtls' });
  let reason = 'it ended';
  started.on('message', heard);
  started.on('error', (error) => {
    reason = error.message;
  });
  started.once('exit', () => {
    if (thread === started) thread = undefined;
    const lost = [...open];
    open.clear();
    for (const [, listener] of lost) listener.failed(`the DTLS thread is gone: ${reason}`);
  });
  // It ends with the thread that started it.
  started.unref();
  thread = started;
  return started;
}

function heard(message: FromDtls): void {
  const listener = open.get(message.id);
  if (message.type === 'send') listener?.send(message.datagram);
  else if (message.type === 'keys') listener?.keys(message.local, message.remote);
  else listener?.failed(message.reason);
}
