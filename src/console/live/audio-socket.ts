import type { RawData, WebSocket } from 'ws';
import { z } from 'zod';
import { ParleyError, reasonOf } from '../../errors.js';
import type { AuditLog } from '../audit.js';
import type { Principal } from '../tokens.js';
import type { AudibleCall, Listening } from './audible.js';
import { CLOSE } from './outlet.js';

/** What is asked for in the address: `?rate=16000&talk=all`. */
export const audioQuery = z.object({
  rate: z
    .enum(['8000', '16000'])
    .default('8000')
    .transform((text) => (text === '8000' ? 8000 : 16_000)),
  talk: z.enum(['none', 'all', 'caller', 'person']).default('none'),
});

const talk = z.strictObject({ type: z.literal('talk'), to: z.enum(['none', 'all', 'caller', 'person']) });

/** A listener whose connection holds more than this, octets, hears gaps instead of the past: half a second at 16 kHz. */
const BEHIND_BYTES = 16_000;

/**
 * One supervisor's audio of one call, over a WebSocket: binary messages are PCM, 16 bit little endian, mono, 20 ms each from
 * Parley and of any length to it; `{"type":"talk","to":"all"}` changes who hears them. See docs/guides/call-control.md.
 */
export function listenIn(
  socket: WebSocket,
  call: AudibleCall,
  id: string,
  { rate, talk: to }: z.output<typeof audioQuery>,
  who: Principal,
  audit: Pick<AuditLog, 'note'>,
): void {
  let listening: Listening;
  try {
    listening = call.supervision.listen(who.name, rate, to, (pcm) => {
      if (!pcm) {
        socket.send(JSON.stringify({ type: 'end', call: id }));
        return socket.close(CLOSE.done, 'the call is over');
      }
      // What is late is of no use: it would only make everything after it late, too.
      if (socket.bufferedAmount < BEHIND_BYTES) socket.send(Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength));
    });
  } catch (error) {
    socket.send(JSON.stringify(problem(error)));
    return socket.close(CLOSE.policy, 'not now');
  }
  void audit.note(who, 'call.listen', id, 'done');
  socket.send(JSON.stringify({ type: 'start', call: id, rate, talk: to }));
  socket.on('message', (data, binary) => {
    try {
      if (binary) return listening.say(pcmOf(data));
      const asked = talk.parse(JSON.parse(String(data)));
      listening.talkTo(asked.to);
      void audit.note(who, `call.talk.${asked.to}`, id, 'done');
    } catch (error) {
      socket.send(JSON.stringify(problem(error)));
    }
  });
  socket.on('close', () => listening.end());
  socket.on('error', () => listening.end());
}

/** Samples of a message; an odd octet at its end is none. */
function pcmOf(data: RawData): Int16Array {
  const octets = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer);
  const pcm = new Int16Array(octets.length >> 1);
  for (let n = 0; n < pcm.length; n++) pcm[n] = octets.readInt16LE(2 * n);
  return pcm;
}

function problem(error: unknown): object {
  if (error instanceof ParleyError) return { type: 'error', code: error.code, message: error.message };
  const { code, message } = new ParleyError('PARLEY_ERR_LIVE_FRAME', { frame: reasonOf(error).slice(0, 200) });
  return { type: 'error', code, message };
}
