import { z } from 'zod';
import { name } from './values.js';

const parameter = z.strictObject({
  type: z.enum(['string', 'number', 'boolean']).default('string').describe('Its kind.'),
  description: z.string().default('').describe('For a language model.'),
  required: z.boolean().default(true).describe('Whether the action needs it.'),
  from: z.string().optional().describe('The variable that fills it, when that is not the variable of the same name.'),
});

const common = {
  name: name.describe('Unique.'),
  description: z.string().default('').describe('What it does, for a language model.'),
  parameters: z
    .record(name, parameter)
    .default({})
    .describe('What it gets; each is filled by the variable of its name, or the one in `from`.'),
  /** The variable that its result is kept under. */
  result: name.optional().meta({ description: 'The variable that the result is kept under', example: 'order' }),
  sideEffects: z
    .boolean()
    .default(false)
    .describe('Whether it changes something: then it is done only after the caller has said yes, and never twice.'),
  readOnly: z
    .boolean()
    .default(false)
    .describe(
      'It only reads, costs nothing, and may be asked in vain: then it is also done for words that the caller may still change.',
    ),
  timeoutMs: z.number().int().min(100).max(60_000).default(5000).describe('Longest wait for it, ms.'),
};

const httpAction = z.strictObject({
  ...common,
  type: z.literal('http'),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET').describe('HTTP method.'),
  url: z
    .string()
    .regex(/^https?:\/\/[^\s/{}]+/, 'must start with http:// or https:// and a fixed host')
    .meta({ example: '"https://shop.example.com/api/orders/{{orderNumber}}"' })
    .describe('Where; {{variables}} in the path and the query.'),
  headers: z
    .record(z.string(), z.string())
    .default({})
    .describe('`{{env.NAME}}` takes the value of an environment variable: keys belong there, not here.'),
  body: z.unknown().optional().describe('JSON; by default the parameters, for methods that have a body.'),
  accept: z
    .array(z.number().int().min(300).max(599))
    .default([])
    .describe('Statuses other than 2xx that are an answer and not a failure.'),
});

const localAction = z.strictObject({
  ...common,
  type: z.literal('local'),
  module: z
    .string()
    .regex(/\.m?js$/, 'must be a .js or .mjs file')
    .meta({ example: './orders/find-order.mjs' })
    .describe('A JavaScript module, relative to the agent file.'),
  function: z.string().default('default').meta({ description: 'The exported function' }),
});

/** A function of the program that Parley runs inside: `actions` of createParley has it under this name. */
const functionAction = z.strictObject({ ...common, type: z.literal('function') });

/** Something the agent can do outside the conversation. */
export const action = z.discriminatedUnion('type', [httpAction, localAction, functionAction]);

export type ActionDefinition = z.output<typeof action>;
export type HttpActionDefinition = z.output<typeof httpAction>;
export type LocalActionDefinition = z.output<typeof localAction>;
