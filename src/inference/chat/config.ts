import { z } from 'zod';

/** Where a chat model is: part of what names one. */
export const chatEndpointConfig = {
  url: z
    .string()
    .regex(/^https?:\/\/[^\s]+$/, 'must start with http:// or https://')
    .meta({ example: 'http://127.0.0.1:11434/v1' })
    .describe('Base of an OpenAI-compatible API, with its version.'),
  model: z.string().min(1).meta({ example: 'qwen2.5:7b' }).describe('Name of the model there.'),
};
