/** Entry of the edge's thread: an {@link EdgeServer} that does what its host says. */
import { parentPort, workerData } from 'node:worker_threads';
import { ParleyError, reasonOf } from '../../errors.js';
import { createLogger } from '../../telemetry/log.js';
import type { EdgeOptions } from './edge-host.js';
import type { EdgeCommand, EdgeReport } from './edge-messages.js';
import { EdgeServer } from './edge-server.js';

const port = parentPort;
if (!port) throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: 'the edge thread was started as a program' });
const report = (message: EdgeReport) => port.postMessage(message);

// The host makes this thread, with its options as data.
const options: EdgeOptions = workerData;

try {
  const server = await EdgeServer.start({
    ...options,
    log: createLogger(options.logLevel, 'edge'),
    keep: (id, record) => report({ kind: 'dialog', id, record }),
    ...(options.traced && { wire: (message) => report({ kind: 'wire', message }) }),
  });
  port.on('message', (command: EdgeCommand) => {
    if (command.kind === 'counts') report({ kind: 'counts', id: command.id, counts: server.counts() });
    else if (command.kind === 'allow') server.allow(command.networks);
    else void server.close().then(() => port.close());
  });
  report({ kind: 'started', controlPort: server.controlPort, sipPort: server.sipPort, sipHost: server.sipHost });
} catch (error) {
  const known =
    error instanceof ParleyError ? error : new ParleyError('PARLEY_ERR_INTERNAL', { reason: reasonOf(error) });
  report({ kind: 'failed', code: known.code, details: known.details });
  port.close();
}
