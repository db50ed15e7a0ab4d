import { defineConfig } from 'vitest/config';

const WAITING = [
  'transfer',
  'call-control',
  'ivr-context',
  'session-changes',
  'live-journal',
  'session',
  'sip-users',
  'drain',
  'outages',
  'dialplan',
  'plugin',
  'package',
  'recording',
  'interop',
  'malformed',
  'redis-outage',
  'two-nodes',
  'talk',
  'peers',
].map((name) => `test/${name}.test.ts`);
// Audio in real time: on a machine that is busy with other work it stalls, so what fails is tried again, and shown as such.
const endToEnd = {
  testTimeout: 60_000,
  hookTimeout: 90_000,
  maxConcurrency: 4,
  retry: 2,
  setupFiles: ['test/kit/last-words.ts'],
};

export default defineConfig({
  test: {
    // Worker threads and the CLI run compiled code.
    globalSetup: ['test/kit/setup.ts'],
    reporters: ['default', './test/kit/last-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // Some of these are in real time, too.
          retry: 1,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // Each file starts servers and callers of its own, in real time, and mostly waits: three at a time.
        extends: true,
        test: { ...endToEnd, name: 'end-to-end', include: WAITING, maxWorkers: 3, sequence: { groupOrder: 1 } },
      },
      {
        // These listen closely, or are many calls: one after another.
        extends: true,
        test: {
          ...endToEnd,
          name: 'end-to-end, alone',
          include: ['test/**/*.test.ts'],
          exclude: WAITING,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
