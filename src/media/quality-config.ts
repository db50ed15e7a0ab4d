import { z } from 'zod';

/** What is done about a call without RTP. */
export const mediaWatchConfig = z.strictObject({
  silentAfterS: z
    .number()
    .min(1)
    .max(3600)
    .default(10)
    .describe(
      'Seconds without RTP after which an alarm is raised, s. Longer than the time between two RTCP reports (up to 7 s), which also count as life.',
    ),
  action: z
    .enum(['none', 'hangup', 'fallback'])
    .default('none')
    .describe('What becomes of a call that stays without RTP for timeoutS.'),
  timeoutS: z.number().min(1).max(86_400).default(60).describe('Seconds without RTP until the action, s.'),
});

/** `mediaWatch` as validated. */
export type MediaWatchConfig = z.output<typeof mediaWatchConfig>;
