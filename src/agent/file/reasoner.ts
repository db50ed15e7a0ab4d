import { z } from 'zod';
import { chatEndpointConfig } from '../../inference/chat/config.js';

const llm = z.strictObject({
  type: z.literal('llm'),
  ...chatEndpointConfig,
  /** `{{env.NAME}}` takes the value of an environment variable: keys belong there, not here. */
  headers: z
    .record(z.string(), z.string())
    .default({})
    .meta({ example: '{ Authorization: "Bearer {{env.LLM_KEY}}" }' }),
  /** Who the agent is and how it behaves, with `{{placeholders}}`. */
  prompt: z.string().min(1).max(50_000),
  temperature: z.number().min(0).max(2).optional(),
  /** Longest reply: what is spoken should be short. */
  maxTokens: z.number().int().min(1).max(8192).default(300),
  /** Longest wait for the model to begin, and between two parts of its answer. */
  timeoutMs: z.number().int().min(100).max(60_000).default(8000),
});

/** `reasoner:` of an agent file: what answers. */
export const reasonerConfig = z
  .union([z.enum(['builtin']).transform((type) => ({ type })), llm])
  .default({ type: 'builtin' });

/** An agent that a language model speaks for. */
export type LlmReasonerDefinition = z.output<typeof llm>;
