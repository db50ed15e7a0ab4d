import { Argument, type Command } from 'commander';
import { agentFile } from '../agent/file/schema.js';
import { jsonSchemaOf, referenceRows, referenceTables } from '../config/reference.js';
import { dialplanFile } from '../dialplan/file.js';
import { settingsSchema } from '../settings.js';
import { print } from './output.js';

const KINDS = {
  parley: { schema: settingsSchema, title: 'parley.yaml' },
  agent: { schema: agentFile, title: 'Parley agent file' },
  dialplan: { schema: dialplanFile, title: 'Parley dialplan file' },
} as const;

export type SchemaKind = keyof typeof KINDS;

const INTRODUCTION = `# Configuration

\`parley.yaml\` in the working folder, or the file that \`--config\` or \`PARLEY_CONFIG\` names. None of it is needed. Each key can be set by the
environment variable beside it, which wins over the file: lists are written with commas, blocks as JSON. With \`_FILE\` added to its name a variable names a
file that holds the value: \`PARLEY_HTTP_TOKEN_FILE=/run/secrets/token\`; one of the two may be set.

Not of a key are \`PARLEY_CONFIG\`; \`PARLEY_TOKEN\`, what commands that ask a server show (\`--token\`); \`PARLEY_LOG\`, how much commands other than \`serve\` log (\`error\`; \`debug\` also tells
where an error comes from); \`DRACHTIO_HOST\`, \`DRACHTIO_PORT\`, \`DRACHTIO_SECRET\` in place of \`PARLEY_SIP_DRACHTIO_...\`; and the \`OTEL_...\` of [traces](../guides/observability.md#traces).

\`npx parley init\` writes a commented beginning. Editors complete and check what you write with the schemas in [schemas/](schemas) (for the YAML language server:
\`# yaml-language-server: $schema=.../parley.schema.json\` as first line); \`npx parley schema parley\` prints them too. \`npx parley check\` tells what is wrong.

## While it runs

Agent files, their articles and action modules, and dialplans are read again when they change, at SIGHUP, and by \`POST /v1/reload\` (role admin). Everything is
checked and made ready first; then new calls have it, and calls that are up keep what they began with. When anything is wrong, nothing changes: the log, the answer
(422) and \`parley_reload_refused\` say so. \`GET /v1/reload\` shows what is loaded, each with a version of its content, which the journal's
\`call.received\` has, too. A changed action module is loaded anew, what it imports itself is not. **parley.yaml is read at the start only**: a change is
warned of, and takes a restart.

## Keys

This page is made from the schema by \`npm run docs\`.

`;

/** `parley schema`: what may stand in a file, for editors. */
export function register(program: Command): void {
  program
    .command('schema')
    .description('Prints the JSON Schema of a kind of file, for editors.')
    .addArgument(new Argument('<kind>', 'kind of file').choices(Object.keys(KINDS)))
    .action((kind: SchemaKind) => print(schemaText(kind)));
}

/** The JSON Schema of a kind of file. */
export function schemaText(kind: SchemaKind): string {
  const { schema, title } = KINDS[kind];
  return JSON.stringify(jsonSchemaOf(schema, title), undefined, 2);
}

/** docs/reference/configuration.md. */
export function configurationPage(): string {
  return INTRODUCTION + referenceTables(referenceRows(settingsSchema));
}

/** Files of docs/reference/ that are made from schemas, by name. */
export function generatedPages(): Record<string, string> {
  const kinds = Object.keys(KINDS) as SchemaKind[];
  const schemas = kinds.map((kind) => [`schemas/${kind}.schema.json`, `${schemaText(kind)}\n`]);
  return { 'configuration.md': configurationPage(), ...Object.fromEntries(schemas) };
}
