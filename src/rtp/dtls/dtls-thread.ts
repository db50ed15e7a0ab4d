import { parentPort } from 'node:worker_threads';
import { DtlsHandshake } from './handshake.js';
import type { FromDtls, ToDtls } from './host.js';

/** Thread entry: the handshakes of one media worker, for their arithmetic would hold up its packets. */
const handshakes = new Map<number, DtlsHandshake>();

function post(message: FromDtls): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (message: ToDtls) => {
  const { id } = message;
  if (message.type === 'open') {
    const handshake = new DtlsHandshake(message.role, message.identity, message.fingerprints, {
      send: (datagram) => post({ type: 'send', id, datagram: Uint8Array.from(datagram) }),
      keys: (local, remote) => post({ type: 'keys', id, local, remote }),
      failed: (reason) => post({ type: 'failed', id, reason }),
    });
    handshakes.set(id, handshake);
  } else if (message.type === 'datagram') {
    handshakes.get(id)?.receive(Buffer.from(message.datagram));
  } else {
    handshakes.get(id)?.close();
    handshakes.delete(id);
  }
});
