import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Worker threads and the CLI run compiled code; the build is one second.
    globalSetup: ['test/kit/build.ts'],
    reporters: ['default', './test/kit/last-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Each file starts servers and callers of its own, in real time: one after another, after the unit tests.
        extends: true,
        test: {
          name: 'end-to-end',
          include: ['test/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 90_000,
          fileParallelism: false,
          maxConcurrency: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
