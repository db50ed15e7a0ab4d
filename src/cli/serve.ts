import type { Command } from 'commander';
import { createParley, type Parley } from '../create-parley.js';
import { usualFile } from '../settings.js';
import { createLogger } from '../telemetry/log.js';
import { hostPort } from './call/address.js';
import { print, printFailure } from './output.js';
import { ServiceNotify } from './service-notify.js';

interface ServeOptions {
  config?: string;
  sip?: ReturnType<typeof hostPort>;
  http?: ReturnType<typeof hostPort>;
  data?: string;
}

/** `parley serve`: answer calls. */
export function register(program: Command): void {
  program
    .command('serve')
    .description('Answers calls until it is told to stop (SIGTERM, Ctrl-C).')
    .option('-c, --config <file>', 'configuration file', undefined)
    .option('--sip <host:port>', 'where SIP is taken, UDP and TCP; port 0 picks a free one', hostPort)
    .option('--http <host:port>', 'where HTTP is; port 0 picks a free one', hostPort)
    .option('--data <dir>', 'folder of the files store')
    .action(async (options: ServeOptions) => serve(options));
}

async function serve(options: ServeOptions): Promise<void> {
  const { env } = process;
  const parley = await createParley({ settings: options.config ?? usualFile(env), env: overridden(env, options) });
  // Whatever was forgotten somewhere costs at most the call it belongs to.
  const failed = (error: unknown) => {
    if (parley.failed(error) || process.exitCode === 1) return;
    // What watches over the process starts another only after a failure.
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  };
  process.on('unhandledRejection', failed);
  process.on('uncaughtException', failed);
  const service = new ServiceNotify(env, () => parley.health(), createLogger('info', 'service'));
  print(JSON.stringify({ ready: true, sip: parley.sip, http: parley.http }));
  void service.tell('READY=1');
  process.on('SIGHUP', () => void parley.reload());
  try {
    await stopped(parley, service);
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
  service.close();
}

/**
 * Resolves when everything is over: at SIGTERM calls that are up may end by themselves, for as long as `limits.drainMs`
 * says; at Ctrl-C, and at a second signal, they are ended at once; a third ends the process.
 */
function stopped(parley: Parley, service: ServiceNotify): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      process.off('SIGTERM', end).off('SIGINT', end);
      parley.close().then(resolve, reject);
    };
    const stop = (signal: NodeJS.Signals) => {
      process.off('SIGTERM', stop).off('SIGINT', stop).on('SIGTERM', end).on('SIGINT', end);
      const rest = signal === 'SIGTERM' ? 'those that are up may end by themselves' : 'those that are up are ended';
      process.stderr.write(`${signal}: no more calls; ${rest}\n`);
      void service.tell('STOPPING=1');
      if (signal === 'SIGTERM') parley.drain().then(end, reject);
      else end();
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}

/** What the command line says goes over what the environment does. */
function overridden(env: NodeJS.ProcessEnv, { sip, http, data }: ServeOptions): NodeJS.ProcessEnv {
  return {
    ...env,
    ...(sip && { PARLEY_SIP_HOST: sip.host, PARLEY_SIP_PORT: String(sip.port) }),
    ...(http && { PARLEY_HTTP_HOST: http.host, PARLEY_HTTP_PORT: String(http.port) }),
    ...(data !== undefined && { PARLEY_DATA: data }),
  };
}
