import { ParleyError } from '../errors.js';

/**
 * Longest message that Parley gives to the signalling, in bytes. A drachtio-server takes no more than 12,228 at once,
 * and adds headers of its own: the caller's Via and Record-Route above all.
 */
export const MESSAGE_MAX = 8000;

/** Room for start line, addresses and what drachtio-srf adds. */
const OWN_PART = 1000;

/**
 * Checks what goes into a message before it is sent.
 *
 * @throws ParleyError `PARLEY_ERR_SIP_TOO_LONG`
 */
export function checkLength(headers: Record<string, string>, body = ''): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const bytes = OWN_PART + Buffer.byteLength(lines.join('') + body);
  if (bytes > MESSAGE_MAX) throw new ParleyError('PARLEY_ERR_SIP_TOO_LONG', { bytes, limit: MESSAGE_MAX });
}
