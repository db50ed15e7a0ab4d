import type { WebSocket } from 'ws';
import { CLOSE } from './outlet.js';

/**
 * Pings a reader, and lets it go when it does not answer, as nobody is there any more, or when it may no longer read.
 *
 * @param allowed whether it still may; asked at each ping
 */
export function guard(socket: WebSocket, allowed: () => Promise<boolean>, everyMs: number): void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const beat = async () => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
    if (!(await allowed())) socket.close(CLOSE.policy, 'the token is no longer good');
  };
  const beats = setInterval(() => void beat(), everyMs);
  socket.once('close', () => clearInterval(beats));
}
