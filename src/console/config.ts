import { z } from 'zod';

/** `http:` of parley.yaml. */
export const consoleConfig = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether there is HTTP at all: health, metrics, API.'),
  host: z.string().default('127.0.0.1').describe('Address that HTTP listens on.'),
  port: z.number().int().min(0).max(65535).default(8060).describe('Port; 0 picks a free one.'),
  token: z
    .string()
    .min(16)
    .optional()
    .describe(
      'What programs show as `Authorization: Bearer` to see and control calls; without it only those of this machine may.',
    ),
});

/** Validated `http:` configuration. */
export type ConsoleConfig = z.infer<typeof consoleConfig>;
