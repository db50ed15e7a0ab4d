import { afterEach } from 'vitest';
import { Server } from './server.js';

/** Of a test that failed: what the servers that it had said last, and what their calls' journals end with. */
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  for (const server of Server.running) console.error(`${task.name}: ${server.account()}`);
});
