import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect, isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { ParleyError, reasonOf } from '../../errors.js';

/** Where a call goes, and where it goes from. */
export interface Route {
  host: string;
  port: number;
  /** Our address on the way there. */
  local: string;
  loopback: boolean;
}

/**
 * Host and port from `HOST:PORT`; IPv6 addresses stand in brackets.
 *
 * @throws InvalidArgumentError a usage error of the command line
 */
export function hostPort(text: string): { host: string; port: number } {
  const parsed = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text);
  const port = Number(parsed?.[2]);
  if (!parsed?.[1] || port > 65535) throw new InvalidArgumentError(`"${text}" is not HOST:PORT, e.g. 127.0.0.1:5060`);
  return { host: parsed[1].replace(/^\[|\]$/g, ''), port };
}

/** A host that refuses says so at once; one that is silent for this long, ms, may still take the call. */
const PROBE_MS = 150;
/** Keep-alive that SIP servers ignore (RFC 5626, 3.5.1). */
const KEEP_ALIVE = '\r\n\r\n';

/**
 * Finds the way to a SIP address, and whether anything listens there: a UDP INVITE to a closed port would otherwise be
 * repeated for half a minute.
 *
 * @throws ParleyError PARLEY_ERR_CALL_FAILED
 */
export async function findRoute(uri: string): Promise<Route> {
  const parsed = /^sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;?>]+)(?::(\d+))?([;?].*)?$/i.exec(uri);
  if (!parsed?.[1]) throw failed(uri, 'it is not a SIP address', 'Write an address such as sip:8001@127.0.0.1:5060.');
  const port = Number(parsed[2] ?? 5060);
  const tcp = /^sips:/i.test(uri) || /;transport=(tcp|tls)\b/i.test(parsed[3] ?? '');
  try {
    const { address: host } = await lookup(parsed[1].replace(/^\[|\]$/g, ''));
    const local = await (tcp ? probeTcp(host, port) : probeUdp(host, port));
    return { host, port, local, loopback: host === '::1' || host.startsWith('127.') };
  } catch (error) {
    if (isRefusal(error)) throw failed(uri, 'nothing listens there', 'Is `parley serve` running, and on this port?');
    throw failed(uri, reasonOf(error), 'Check the host name and the network.');
  }
}

function probeTcp(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 5000 });
    const end = (settle: () => void) => {
      settle();
      socket.destroy();
    };
    socket.once('connect', () => end(() => resolve(socket.localAddress ?? host)));
    socket.once('timeout', () => end(() => reject(new Error(`no connection to ${host}:${port} within 5 s`))));
    socket.once('error', (error) => end(() => reject(error)));
  });
}

function probeUdp(host: string, port: number): Promise<string> {
  const socket: Socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  return new Promise<string>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.connect(port, host, () => {
      const { address } = socket.address();
      socket.send(KEEP_ALIVE);
      timer = setTimeout(() => resolve(address), PROBE_MS);
    });
  }).finally(() => socket.close());
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}

function failed(uri: string, reason: string, hint: string): ParleyError {
  return new ParleyError('PARLEY_ERR_CALL_FAILED', { uri, reason, hint });
}
