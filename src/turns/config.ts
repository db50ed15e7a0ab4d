import { z } from 'zod';

const ms = (most: number) => z.number().int().min(0).max(most);

/** How long a caller may be silent before the turn is taken; all in ms of true silence. */
export interface WaitTimes {
  /** The words are certainly a whole turn. */
  certainMs: number;
  /** As likely as not. */
  unsureMs: number;
  /** They certainly are not. */
  unlikelyMs: number;
  /** A number or a spelling whose last part nobody knows. */
  partsMs: number;
  /** What was asked for is visibly missing a part. */
  incompleteMs: number;
  /** No words are known yet. */
  unknownMs: number;
}

/** How patient an agent is, by name. */
export const PATIENCE = {
  quick: { certainMs: 220, unsureMs: 500, unlikelyMs: 1200, partsMs: 900, incompleteMs: 1800, unknownMs: 700 },
  balanced: { certainMs: 220, unsureMs: 600, unlikelyMs: 1500, partsMs: 1200, incompleteMs: 2500, unknownMs: 900 },
  patient: { certainMs: 400, unsureMs: 1200, unlikelyMs: 2500, partsMs: 1800, incompleteMs: 3500, unknownMs: 1400 },
} as const satisfies Record<string, WaitTimes>;

/** Names of {@link PATIENCE}. */
export const PATIENCE_NAMES = ['quick', 'balanced', 'patient'] as const;

/** `endpointing:` of an agent file: one of the names, or numbers over `balanced`. */
export const endpointingConfig = z
  .union([
    z.enum(PATIENCE_NAMES).transform((name): WaitTimes => PATIENCE[name]),
    z
      .strictObject({
        certainMs: ms(3000).describe('Silence that ends a turn whose words are certainly whole.'),
        unsureMs: ms(5000).describe('Silence that ends one that may be whole.'),
        unlikelyMs: ms(10_000).describe('Silence that ends one that sounds unfinished.'),
        partsMs: ms(10_000).describe('Silence between the parts of a number or a spelling.'),
        incompleteMs: ms(15_000).describe('Silence when a part that was asked for is still missing.'),
        unknownMs: ms(5000).describe('Silence when the words are not known yet.'),
      })
      .partial()
      .transform((given): WaitTimes => ({ ...PATIENCE.balanced, ...given })),
  ])
  .default(PATIENCE.balanced);

/** `interruption:` of an agent file. */
export const interruptionConfig = z
  .strictObject({
    reflex: z
      .enum(['duck', 'pause'])
      .default('duck')
      .describe("What the agent's voice does on the first sound of the caller's over it: it is lowered, or pauses."),
    judge: z
      .enum(['words', 'voice'])
      .default('words')
      .describe(
        'What decides who goes on: the words, or voice alone, for languages that the recogniser does not know.',
      ),
    voiceMs: ms(5000).default(500).describe('With "judge: voice": voice that takes the floor.'),
    stopWords: z
      .array(z.string().min(2))
      .max(50)
      .default([])
      .describe(
        'Words that stop the agent as soon as they are heard, besides "stop", "wait", "no", "hold on" and the like.',
      ),
  })
  .prefault({});
