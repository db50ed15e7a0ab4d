import type { Command } from 'commander';
import { createParley } from '../create-parley.js';
import { usualFile } from '../settings.js';
import { hostPort } from './call/address.js';
import { print, printFailure } from './output.js';

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
  // Whatever was forgotten somewhere costs at most the call it belongs to.
  process.on('unhandledRejection', printFailure);
  const { env } = process;
  const parley = await createParley({ settings: options.config ?? usualFile(env), env: overridden(env, options) });
  print(JSON.stringify({ ready: true, sip: parley.sip, http: parley.http }));
  process.on('SIGHUP', () => void parley.reload());
  await new Promise<void>((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
      // A second signal ends the process at once; Ctrl-C does not wait for anybody.
      process.stderr.write(`${signal}: no more calls; those that are up may end by themselves\n`);
      const drained = signal === 'SIGTERM' ? parley.drain() : Promise.resolve();
      drained
        .then(() => parley.close())
        .then(resolve, (error) => {
          printFailure(error);
          process.exitCode = 1;
          resolve();
        });
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
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
