import { type Command, InvalidArgumentError, Option } from 'commander';
import { AuditLog } from '../console/audit.js';
import { ROLES, type Role, TokenBook } from '../console/tokens.js';
import { ParleyError } from '../errors.js';
import { loadSettings } from '../settings.js';
import { openStore } from '../store/open.js';
import { createLogger } from '../telemetry/log.js';
import { print, tableLines } from './output.js';

interface StoreOptions {
  config?: string;
  data?: string;
}

/** `parley tokens`: who may use the API, and for what. */
export function register(program: Command): void {
  const tokens = program.command('tokens').description('Makes, lists and revokes tokens of the HTTP API.');
  withStore(tokens.command('create <name>').description('Makes a token and shows it, this once.'))
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--expires <time>', 'how long it is good for, e.g. 30d', days)
    .action((name: string, options: StoreOptions & { role: Role; expires?: number }) =>
      using(options, async (book, audit) => {
        const { token, entry } = await book.create(name, options.role, options.expires);
        await audit.note(WHO, 'token.create', `${entry.id} ${name} ${options.role}`, 'done');
        print(token);
      }),
    );
  withStore(tokens.command('list').description('Lists the tokens, without their secrets.'))
    .option('--json', 'print one JSON array')
    .action((options: StoreOptions & { json?: boolean }) =>
      using(options, async (book) => {
        const all = await book.list();
        if (options.json) return print(JSON.stringify(all));
        const rows = all.map(({ id, name, role, createdAt, expiresAt = '' }) => [id, name, role, createdAt, expiresAt]);
        for (const line of tableLines([['ID', 'NAME', 'ROLE', 'CREATED', 'EXPIRES'], ...rows])) print(line);
      }),
    );
  withStore(
    tokens.command('revoke <id>').description('Makes a token useless, within two seconds on every node.'),
  ).action((id: string, options: StoreOptions) =>
    using(options, async (book, audit) => {
      const entry = await book.revoke(id);
      if (!entry) throw new ParleyError('PARLEY_ERR_TOKEN_UNKNOWN', { id });
      await audit.note(WHO, 'token.revoke', `${entry.id} ${entry.name}`, 'done');
      print(`revoked ${entry.id} (${entry.name}, ${entry.role})`);
    }),
  );
}

/** Who may read and write the store may do everything. */
const WHO = { name: 'command line', role: 'admin' } as const;

function withStore(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file')
    .option('--data <dir>', 'folder of the files store, instead of the configured one');
}

async function using(options: StoreOptions, work: (book: TokenBook, audit: AuditLog) => Promise<void>): Promise<void> {
  const settings = loadSettings(options.config);
  const logger = createLogger(process.env.PARLEY_LOG === 'debug' ? 'debug' : 'error');
  const store = await openStore(settings.store, options.data ?? settings.data, logger);
  try {
    await work(new TokenBook(store.records), new AuditLog(store, settings.store.retention.auditMs, logger));
  } finally {
    await store.close();
  }
}

function days(text: string): number {
  const found = /^(\d{1,5})([smhd])$/.exec(text);
  if (!found) throw new InvalidArgumentError('write a number and s, m, h or d, as in 30d.');
  return Number(found[1]) * { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[found[2] as 's' | 'm' | 'h' | 'd'];
}
