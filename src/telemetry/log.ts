import { type Logger, pino } from 'pino';
import { withoutSecrets } from './redact.js';

export type { Logger };

/** Log levels, quietest last. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * A JSON logger on standard error, so that a command's own output stays clean. Written synchronously: the last
 * line before a crash is the one that matters. Threads each make their own; `thread` names the writer.
 */
export function createLogger(level: LogLevel, thread = 'main'): Logger {
  return pino(
    { level, base: { thread }, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: withoutSecrets } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** What a line about a leg has: media and speech call it `<call>` when it is the caller's, else `<call>/<name>`. */
export function ofLeg(leg: string): { call: string; leg: string } {
  const [call = leg, name = 'caller'] = leg.split('/', 2);
  return { call, leg: name };
}
