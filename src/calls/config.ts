import { z } from 'zod';

const loadConfig = z.strictObject({
  loopMs: z.number().min(0).default(150).describe('Lateness of the main thread, ms.'),
  mediaMs: z.number().min(0).default(30).describe('Lateness of the 20 ms tick that sound goes out at, 99 of 100, ms.'),
  speechBacklog: z.number().min(0).default(10).describe('Pieces of work that wait for each speech worker.'),
});

/** Validated `limits.load:` configuration. */
export type LoadConfig = z.infer<typeof loadConfig>;

/** `limits:` of parley.yaml. */
export const limitsConfig = z.strictObject({
  calls: z.number().int().min(1).default(100).describe('Calls at once; more are answered 503 with Retry-After.'),
  load: loadConfig
    .prefault({})
    .describe(
      'New calls are answered 503 with Retry-After while one of these is exceeded for more than a second, until all are well below; 0: no limit.',
    ),
  retryAfterS: z.number().int().min(1).default(10).describe('Seconds that a refused caller is told to wait.'),
  prepareMs: z
    .number()
    .int()
    .min(0)
    .default(200)
    .describe('Longest that a call waits for its greeting before it is answered, ms.'),
  drainMs: z
    .number()
    .int()
    .min(0)
    .default(300_000)
    .describe(
      'Longest that calls which are up may go on after SIGTERM, ms; then they go to the fallback by REFER, or hear a farewell.',
    ),
  referMs: z.number().int().min(1000).default(30_000).describe('Longest that a transfer may take, ms.'),
});

/** Validated `limits:` configuration. */
export type LimitsConfig = z.infer<typeof limitsConfig>;
