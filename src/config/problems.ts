import type { ParleyError } from '../errors.js';

/** Everything that is wrong with the configuration that was read, so that one run shows all of it. */
export class ConfigProblems extends Error {
  readonly problems: readonly ParleyError[];

  constructor(problems: readonly ParleyError[]) {
    super(problems.map((problem) => `${problem.message}\n  ${problem.mend}`).join('\n'));
    this.name = 'ConfigProblems';
    this.problems = problems;
  }
}

/**
 * Runs each step and gathers the problems of all of them, so that a fault in one file hides none in the next.
 *
 * @throws ConfigProblems when any step found problems; anything else a step throws at once
 */
export function collectProblems(steps: Iterable<() => void>): void {
  const problems: ParleyError[] = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      if (!(error instanceof ConfigProblems)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigProblems(problems);
}
