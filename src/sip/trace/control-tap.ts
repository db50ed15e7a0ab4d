import type Srf from 'drachtio-srf';
import type { Logger } from '../../telemetry/log.js';
import type { WireMessage } from './wire.js';

/** What drachtio-srf's agent has, as far as it is looked at: its typings do not show it. */
interface Agent {
  client?: { wp?: { on?(event: 'msg', listener: (socket: unknown, frame: string) => void): unknown } };
}

/**
 * Listens to the control connection of a drachtio-server: messages that it brings, and its echo of those it was told to
 * send. What the server does by itself (100, retransmissions, the ACK of a refusal, session refreshes) is not among them.
 */
export function tapControl(srf: Srf, seen: (message: WireMessage) => void, logger: Logger): void {
  const { client } = (srf as unknown as { app?: Agent }).app ?? {};
  if (!client?.wp?.on) return logger.warn('the SIP messages of calls can not be kept with this drachtio-srf');
  client.wp.on('msg', (_socket, frame) => {
    const message = messageOf(frame);
    if (message) seen(message);
  });
}

/** `id|sip|META|...` or `id|response|id|OK|META|...`, CRLF, the message. META: source|bytes|protocol|address|port|time. */
export function messageOf(frame: string): WireMessage | undefined {
  const end = frame.indexOf('\r\n');
  if (end < 0) return undefined;
  const [, type, ...rest] = frame.slice(0, end).split('|');
  const out = type === 'response';
  if (!out && type !== 'sip') return undefined;
  const [source = '', , protocol = '', host = '', port = ''] = out ? rest.slice(2) : rest;
  // What the server has made up, a 408 for instance, was never on the wire.
  if (host === '' || (!out && source !== 'network')) return undefined;
  return { at: Date.now(), out, protocol: protocol || 'udp', host, port: Number(port), text: frame.slice(end + 2) };
}
