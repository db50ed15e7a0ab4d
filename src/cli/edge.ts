import { type Command, InvalidArgumentError, Option } from 'commander';
import { EdgeServer } from '../sip/edge/edge-server.js';
import type { RequestHandler } from '../sip/edge/request-handlers.js';
import { createLogger, type LogLevel } from '../telemetry/log.js';
import { hostPort } from './call/address.js';
import { serveMetrics } from './edge/metrics-server.js';
import { plainLogger } from './edge/plain-log.js';
import { print } from './output.js';

type HostPort = ReturnType<typeof hostPort>;

interface EdgeArguments {
  sip: HostPort;
  control: HostPort;
  secret: string;
  allow: string[];
  external?: string;
  http?: HostPort;
  tls?: number;
  cert?: string;
  key?: string;
  rate?: number;
  handler?: RequestHandler[];
  logLevel: LogLevel;
  json?: boolean;
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

const HELP = `
An application connects as to a drachtio-server:
  srf.connect({ host: '127.0.0.1', port: 9022, secret: 'cymru' })

Examples:
  parley edge --secret cymru
  parley edge --sip 0.0.0.0:5060 --control 127.0.0.1:9022 --secret "$SECRET" --allow 192.0.2.0/24
`;

/** `parley edge`: the SIP edge alone, for any drachtio-srf application. */
export function register(program: Command): void {
  program
    .command('edge')
    .description('Runs the SIP edge alone, for applications of drachtio-srf.')
    .requiredOption('--secret <text>', 'what applications have to know')
    .option('--sip <host:port>', 'where SIP is taken, UDP and TCP; port 0 picks a free one', hostPort, {
      host: '127.0.0.1',
      port: 5060,
    })
    .option('--control <host:port>', 'where applications connect; port 0 picks a free one', hostPort, {
      host: '127.0.0.1',
      port: 9022,
    })
    .option('--allow <cidr...>', 'networks that may send SIP; others get no answer', LOOPBACK)
    .option('--external <host>', 'address that peers reach, put into Via and Contact behind NAT')
    .option('--tls <port>', 'SIP over TLS as well, on this port; needs --cert and --key', wholeNumber)
    .option('--cert <file>', 'certificate with its chain, PEM')
    .option('--key <file>', 'its private key, PEM')
    .option('--http <host:port>', 'where /metrics is; none without it', hostPort)
    .option('--rate <requests>', 'new requests per second that one source may send; loopback is exempt', wholeNumber)
    .option(
      '--handler <method=url...>',
      'requests that go to tcp://HOST:PORT, or where an http: service says',
      handlers,
    )
    .addOption(new Option('--log-level <level>').choices(LEVELS).default('info'))
    .option('--json', 'log lines as JSON')
    .addHelpText('after', HELP)
    .action(async (options: EdgeArguments) => run(options));
}

/** `invite=tcp://127.0.0.1:3000`, once or several times. */
function handlers(text: string, before: RequestHandler[] = []): RequestHandler[] {
  const [, method, url] = /^([A-Za-z*]+)=((?:tcp|https?):\/\/.+)$/.exec(text) ?? [];
  if (method === undefined || url === undefined) {
    throw new InvalidArgumentError('Write METHOD=URL, e.g. invite=tcp://127.0.0.1:3000.');
  }
  return [...before, { method, url }];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 on.');
  return Number(text);
}

async function run(options: EdgeArguments): Promise<void> {
  const { sip, control, secret, allow, external, rate, handler, logLevel } = options;
  const { tls, cert, key } = options;
  if (tls !== undefined && (cert === undefined || key === undefined)) {
    throw new InvalidArgumentError('--tls needs --cert and --key.');
  }
  const log = options.json ? createLogger(logLevel, 'edge') : plainLogger(logLevel);
  const edge = await EdgeServer.start({
    sip,
    control,
    secret,
    allowedNetworks: allow,
    ...(external === undefined ? {} : { externalAddress: external }),
    ...(tls === undefined || cert === undefined || key === undefined
      ? {}
      : { tls: { port: tls, cert, key, verify: true, verifyClients: false } }),
    ...(rate === undefined ? {} : { defence: { requestsPerSecond: rate, burst: rate * 5 } }),
    ...(handler === undefined ? {} : { requestHandlers: handler }),
    log,
  });
  try {
    const http = options.http && (await serveMetrics(options.http, () => edge.metrics()));
    if (allow === LOOPBACK && sip.host !== '127.0.0.1') log.warn('only this machine may send SIP: use --allow');
    print(JSON.stringify(ready(options, edge, http?.port)));
    await stopped();
    http?.close();
  } finally {
    await edge.close();
  }
}

/** The line on standard output that says where everything is. */
function ready({ sip, control, http }: EdgeArguments, edge: EdgeServer, httpPort?: number): object {
  const at = (host: string, port: number) => `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return {
    ready: true,
    sip: at(sip.host, edge.sipPort),
    control: at(control.host, edge.controlPort),
    ...(http && httpPort !== undefined ? { http: at(http.host, httpPort) } : {}),
  };
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
}
