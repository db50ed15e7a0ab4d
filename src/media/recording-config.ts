import { z } from 'zod';

/** `recording:` of parley.yaml. Whether a call is recorded is for its dialplan to say. */
export const recordingConfig = z.strictObject({
  format: z
    .enum(['wav', 'opus'])
    .default('wav')
    .describe(
      'wav: 1.9 MB a minute at 8 kHz, opens everywhere; opus: a tenth of it, at the cost of encoding twice a call.',
    ),
  folder: z
    .string()
    .min(1)
    .optional()
    .describe('Where recordings go, in a folder a day (UTC). Default: recordings in the data folder.'),
  retentionDays: z
    .number()
    .min(0)
    .max(36_500)
    .default(30)
    .describe('Recordings are deleted so many days after the call; 0 keeps them.'),
  maxGigabytes: z
    .number()
    .min(0)
    .default(50)
    .describe('What all recordings may take, GB; beyond it the oldest are deleted. 0: no limit.'),
  opusBitrate: z.int().min(6000).max(64_000).default(24_000).describe('Of each of the two channels in Opus, bit/s.'),
  announcement: z
    .string()
    .min(1)
    .default('This call may be recorded.')
    .describe('What a caller hears first when a dialplan records the call and gives no text of its own.'),
});
