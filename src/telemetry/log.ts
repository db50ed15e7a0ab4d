import { type Logger, pino } from 'pino';

export type { Logger };

/** Log levels, quietest last. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * A JSON logger on standard error, so that a command's own output stays clean. Written synchronously: the last
 * line before a crash is the one that matters. Threads each make their own; `thread` names the writer.
 */
export function createLogger(level: LogLevel, thread = 'main'): Logger {
  return pino(
    { level, base: { thread }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
