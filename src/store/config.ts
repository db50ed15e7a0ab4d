import { z } from 'zod';

const DAY_MS = 24 * 60 * 60 * 1000;

const retention = z.strictObject({
  journalMs: z
    .number()
    .int()
    .min(60_000)
    .default(30 * DAY_MS)
    .describe("How long a call's journal is kept after the call, ms."),
  auditMs: z
    .number()
    .int()
    .min(60_000)
    .default(365 * DAY_MS)
    .describe('How long it is kept who did what by the API, ms.'),
  callbacksMs: z
    .number()
    .int()
    .min(60_000)
    .default(30 * DAY_MS)
    .describe('How long it is kept who wants to be called back, ms.'),
  handoffsMs: z
    .number()
    .int()
    .min(60_000)
    .default(DAY_MS)
    .describe('Longest that what an IVR hands over waits for its call, ms.'),
  sipMs: z
    .number()
    .int()
    .min(60_000)
    .default(7 * DAY_MS)
    .describe('How long the SIP messages of a call are kept after it, ms.'),
  clipsMs: z
    .number()
    .int()
    .min(60_000)
    .default(30 * DAY_MS)
    .describe('How long a synthesised clip is kept after it was made, ms.'),
});

const redis = z.strictObject({
  url: z
    .string()
    .regex(/^rediss?:\/\/.+/, 'expected redis://HOST:PORT or rediss://HOST:PORT')
    .default('redis://127.0.0.1:6379')
    .describe('Where Redis is: redis[s]://[[user][:password]@]host[:port][/database].'),
  prefix: z
    .string()
    .default('parley:')
    .describe('Begins every key and channel, so that installations can share one server.'),
});

/** The `store` section of the configuration. */
export const storeConfig = z.strictObject({
  kind: z.enum(['files', 'redis']).default('files').describe('Where journals, clips and registrations are kept.'),
  redis: redis.prefault({}),
  encryption: z
    .strictObject({
      keysFile: z
        .string()
        .min(1)
        .optional()
        .describe(
          'File of the keys that journals, clips, records and recordings are encrypted with (AES-256-GCM): 32 bytes a line, in base64 or hex; the first encrypts, all decrypt.',
        ),
    })
    .prefault({}),
  nodeLostMs: z
    .number()
    .int()
    .min(6000)
    .max(3_600_000)
    .default(30_000)
    .describe(
      'With Redis: a node that is not heard of for so long is dead, and another ends the journals of its calls up to a sixth of it later, ms.',
    ),
  retention: retention.prefault({}),
});

/** The `store` section with its defaults filled in. */
export type StoreConfig = z.output<typeof storeConfig>;
