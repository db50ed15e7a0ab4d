import { z } from 'zod';
import { chatEndpointConfig } from '../inference/chat/config.js';

const ms = (fallback: number) => z.number().int().min(0).default(fallback);

/** `conversation:` of parley.yaml: what holds for every agent. What differs between agents is in their files. */
export const conversationConfig = z.strictObject({
  finalMs: ms(700).describe(
    "Longest wait for the words of a burst over the agent's voice before it is judged without them.",
  ),
  judge: z
    .strictObject({
      ...chatEndpointConfig,
      apiKey: z
        .string()
        .default('')
        .describe('Sent as a bearer token; better given as PARLEY_CONVERSATION_JUDGE_API_KEY.'),
      timeoutMs: z.number().int().min(50).max(5000).default(600).describe('A verdict that comes later is none.'),
    })
    .optional()
    .describe('A language model that is asked who goes on where the local judge of interruptions is not sure.'),
  collisionMs: ms(600).describe(
    'Caller and agent began at once when there was so little between their first sounds: who was cut off goes on with the same turn.',
  ),
  duckLevel: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('Playout level while the caller speaks over the agent; 1 is full.'),
  overlapMs: ms(1200).describe(
    "An answer that began over the agent's last words counts when it ended at most this long before them.",
  ),
  recognitionMs: ms(2500).describe('Longest wait for final words after the end of a turn.'),
  reasonerMs: ms(12_000).describe("Longest wait for the reasoner's first sentence."),
  failures: z.number().int().min(1).default(3).describe('Failures in a row after which a person is called.'),
  handBackMs: ms(30_000).describe('How long a caller who asked for time ("let me check") is left alone.'),
  dtmfMs: ms(2500).describe('Silence after a key that ends keyed input.'),
});
