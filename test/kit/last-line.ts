import { writeSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Ends the run's output with `N passed, N failed`, alone on its line, for whoever reads only that. */
export default class LastLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      const states = [...module.children.allTests()].map((test) => test.result().state);
      const failures = states.filter((state) => state === 'failed').length;
      passed += states.filter((state) => state === 'passed').length;
      // A file that can't be loaded, or whose hooks fail, has no failed test.
      failed += failures === 0 && module.state() === 'failed' ? 1 : failures;
    }
    process.once('exit', (code) => {
      // What failed outside all tests and files (the build, a global setup) is known by the exit code alone.
      writeSync(1, `${passed} passed, ${failed || (code === 0 ? 0 : 1)} failed\n`);
    });
  }
}
