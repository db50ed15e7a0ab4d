import { ConfigProblems } from '../config/problems.js';
import { ParleyError, reasonOf } from '../errors.js';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Writes one line to standard output. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Writes one line to standard error. */
export function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Tells what went wrong and what to do about it, on standard error. The stack only with PARLEY_LOG=debug. */
export function printFailure(error: unknown): void {
  for (const line of failureLines(error)) printError(line);
  const level = process.env.PARLEY_LOG;
  if ((level === 'debug' || level === 'trace') && error instanceof Error && error.stack) printError(error.stack);
}

/** What {@link printFailure} writes. */
export function failureLines(error: unknown): string[] {
  if (error instanceof ConfigProblems) return error.problems.flatMap(failureLines);
  if (!(error instanceof ParleyError)) {
    return failureLines(new ParleyError('PARLEY_ERR_INTERNAL', { reason: reasonOf(error) }));
  }
  return [`error ${error.code}: ${error.message}`, `  ${error.mend}`];
}

/**
 * A table with aligned columns, without borders.
 *
 * @param rows the first is the heading
 */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
