import { z } from 'zod';
import { chatEndpointConfig } from '../../inference/chat/config.js';

const llm = z.strictObject({
  type: z.literal('llm').describe('A language model.'),
  ...chatEndpointConfig,
  headers: z
    .record(z.string(), z.string())
    .default({})
    .meta({ example: '{ Authorization: "Bearer {{env.LLM_KEY}}" }' })
    .describe('`{{env.NAME}}` takes the value of an environment variable: keys belong there, not here.'),
  prompt: z.string().min(1).max(50_000).describe('Who the agent is and how it behaves, with `{{placeholders}}`.'),
  temperature: z.number().min(0).max(2).optional().describe('As the model has it.'),
  maxTokens: z.number().int().min(1).max(8192).default(300).describe('Longest reply: what is spoken should be short.'),
  timeoutMs: z
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(8000)
    .describe('Longest wait for the model to begin, and between two parts of its answer.'),
});

/** `reasoner:` of an agent file: what answers. */
export const reasonerConfig = z
  .union([z.enum(['builtin']).transform((type) => ({ type })), llm])
  .default({ type: 'builtin' });

/** An agent that a language model speaks for. */
export type LlmReasonerDefinition = z.output<typeof llm>;
