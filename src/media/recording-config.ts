import { z } from 'zod';

const beep = z
  .strictObject({
    everyMs: z.int().min(2000).max(120_000).default(15_000).describe('From one beep to the next, ms.'),
    frequency: z.number().min(300).max(3000).default(1400).describe('Its pitch, Hz.'),
    ms: z.int().min(60).max(1000).default(200).describe('How long it is, ms.'),
    level: z.number().min(-50).max(-6).default(-20).describe('How loud it is, dBm0; speech is at about -20.'),
    to: z
      .enum(['everybody', 'caller', 'people'])
      .default('everybody')
      .describe('Who hears it: the caller, the people that the call was handed to or who were added, or both.'),
  })
  .refine(({ ms, everyMs }) => ms < everyMs, { path: ['ms'], message: 'must be shorter than everyMs' });

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
  beep: beep
    .prefault({})
    .describe('The beep that a call has while it is recorded, where its dialplan entry says `record: { beep: true }`.'),
});

/** Validated `recording:` configuration. */
export type RecordingConfig = z.output<typeof recordingConfig>;
