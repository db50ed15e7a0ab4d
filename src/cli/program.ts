import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { register as call } from './call.js';
import { register as calls } from './calls.js';
import { register as chat } from './chat.js';
import { register as check } from './check.js';
import { register as edge } from './edge.js';
import { register as explain } from './explain.js';
import { register as forget } from './forget.js';
import { register as init } from './init.js';
import { register as recordings } from './recordings.js';
import { register as rekey } from './rekey.js';
import { register as replay } from './replay.js';
import { register as schema } from './schema.js';
import { register as serve } from './serve.js';
import { register as test } from './test.js';
import { register as tokens } from './tokens.js';
import { register as top } from './top.js';

const EXAMPLES = `
Examples:
  parley serve                                  answer calls with the example agents
  parley call --say "Where is my order?"        call it, and read the conversation
  parley calls show last                        what was said
  parley top                                    the live calls
  parley check                                  is the configuration right?
`;

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest && 'version' in manifest ? String(manifest.version) : 'unknown';
}

/** The `parley` program, all commands registered; nothing is run yet. */
export function program(): Command {
  const parley = new Command('parley')
    .description('An open-source SIP voice-agent server.')
    .version(version())
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(--help lists what can be used)')
    .exitOverride();
  const commands = [
    serve,
    call,
    chat,
    init,
    check,
    schema,
    explain,
    test,
    calls,
    replay,
    tokens,
    recordings,
    rekey,
    forget,
    top,
    edge,
  ];
  for (const register of commands) register(parley);
  return parley;
}
