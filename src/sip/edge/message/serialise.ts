import type { SipMessage } from './message.js';

/** The message as it goes on the wire; Content-Length is always made here, from the body. */
export function serialise(message: SipMessage): string {
  const lines = [startLine(message)];
  for (const line of message.headers) {
    if (line.key !== 'content-length') lines.push(`${line.name}: ${line.value}`);
  }
  lines.push(`Content-Length: ${message.body.length}`, '', message.body);
  return lines.join('\r\n');
}

/** Bytes that {@link serialise} would make. */
export function wireLength(message: SipMessage): number {
  let length = startLine(message).length + `\r\nContent-Length: ${message.body.length}\r\n\r\n`.length;
  for (const line of message.headers) {
    if (line.key !== 'content-length') length += line.name.length + line.value.length + 4;
  }
  return length + message.body.length;
}

function startLine(message: SipMessage): string {
  return message.kind === 'request'
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
}
