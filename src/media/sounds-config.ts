import { z } from 'zod';
import { COUNTRY_TONES, type Country } from '../audio/tones-countries.js';

const isCountry = (text: string): text is Country => Object.hasOwn(COUNTRY_TONES, text);

/** `sounds:` of parley.yaml. */
export const soundsConfig = z.strictObject({
  country: z
    .string()
    .refine(isCountry, `must be one of: ${Object.keys(COUNTRY_TONES).join(', ')}`)
    .default('us')
    .describe('Whose ringback, busy and congestion tones are played.'),
  music: z
    .string()
    .optional()
    .describe("A WAV file that is played to those who wait, looped; Parley's own piece when left out."),
  level: z.number().min(-40).max(0).default(0).describe('Added to the level of every background sound, dB.'),
});
