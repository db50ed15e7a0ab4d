#!/usr/bin/env node
import { CommanderError, InvalidArgumentError } from 'commander';
import { EXIT, printError, printFailure } from './output.js';
import { program } from './program.js';

/** Commander reports help and version as errors too, with exit code 0. */
function exitCodeOf(error: unknown): number {
  // Thrown by a command about its own options, after Commander has done its checks.
  if (error instanceof InvalidArgumentError) printError(`error: ${error.message}`);
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  printFailure(error);
  return EXIT.failed;
}

// `parley calls list | head` closes our output early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
