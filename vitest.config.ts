import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Worker threads and the CLI run compiled code; the build is one second.
    globalSetup: ['test/kit/build.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
