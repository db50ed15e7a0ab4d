import { z } from 'zod';

/** `limits:` of parley.yaml. */
export const limitsConfig = z.strictObject({
  calls: z.number().int().min(1).default(100).describe('Calls at once; more are answered 503 with Retry-After.'),
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
    .describe('Longest that calls which are up may go on after SIGTERM, ms; then they go to the fallback, or end.'),
  referMs: z.number().int().min(1000).default(30_000).describe('Longest that a transfer may take, ms.'),
});

/** Validated `limits:` configuration. */
export type LimitsConfig = z.infer<typeof limitsConfig>;
