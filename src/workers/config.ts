import { z } from 'zod';

/** `speech:` of parley.yaml: detection, recognition and synthesis. */
export const speechConfig = z.strictObject({
  workers: z
    .number()
    .int()
    .min(1)
    .max(16)
    .default(2)
    .describe('Speech worker threads; each holds its own models, some 300 MB.'),
  jobTimeoutMs: z
    .number()
    .int()
    .min(500)
    .default(8000)
    .describe('A job without an answer for this long means a hung engine: its worker is replaced, ms.'),
  clipCacheMb: z.number().int().min(1).default(64).describe('Memory for synthesised clips, MB.'),
  detection: z
    .strictObject({
      threshold: z.number().min(0).max(1).default(0.5).describe('Probability from which a window counts as speech.'),
      release: z.number().min(0).max(1).default(0.35).describe('Probability below which it no longer does.'),
      onsetMs: z.number().int().min(32).default(96).describe('Voiced time that begins an utterance, ms.'),
      offsetMs: z.number().int().min(64).default(192).describe('Unvoiced time that ends it, ms.'),
    })
    .prefault({}),
});
