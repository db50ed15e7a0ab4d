import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run's output with `N passed, N failed`, alone on its line, for whoever reads only that. */
export default class LastLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    // A file that can't be loaded has no tests that could fail; neither has an error outside all tests.
    let failed = errors.length;
    for (const module of modules) {
      if (module.errors().length > 0) failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') failed++;
      }
    }
    process.once('exit', (code) => {
      // What failed outside all tests and files (the build, a global setup) is known by the exit code alone.
      writeSync(1, `${passed} passed, ${failed || (code === 0 ? 0 : 1)} failed\n`);
    });
  }
}
