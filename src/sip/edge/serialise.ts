import type { SipMessage } from './message.js';

/** The message as it goes on the wire; Content-Length is always made here, from the body. */
export function serialise(message: SipMessage): string {
  const lines =
    message.kind === 'request'
      ? [`${message.method} ${message.uri} SIP/2.0`]
      : [`SIP/2.0 ${message.status} ${message.reason}`];
  for (const line of message.headers) {
    if (line.key !== 'content-length') lines.push(`${line.name}: ${line.value}`);
  }
  lines.push(`Content-Length: ${message.body.length}`, '', message.body);
  return lines.join('\r\n');
}
