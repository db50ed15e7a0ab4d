import { z } from 'zod';

const hook = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,40}$/, 'is letters, digits, - and _')
      .describe('Tells hooks apart in logs, and over a restart.'),
    url: z
      .string()
      .regex(/^https?:\/\/\S+$/, 'must be an http or https URL')
      .describe('Where events are posted to.'),
    events: z
      .array(z.string().min(1))
      .min(1)
      .default(['call.received', 'call.answered', 'call.summary', 'call.ended'])
      .describe('Types of events to send; `*` stands for all, `transfer.*` for those that begin so.'),
    secret: z.string().min(16).optional().describe('Key of the signature; better in `secretFile`.'),
    secretFile: z.string().optional().describe('File with the key in its first line.'),
    timeoutMs: z.number().int().min(100).max(60_000).default(10_000).describe('Longest wait for an answer, ms.'),
    retryForMs: z
      .number()
      .int()
      .min(1000)
      .default(86_400_000)
      .describe('How long an event is tried; then what is left of its call is given up, ms.'),
  })
  .refine(({ secret, secretFile }) => (secret === undefined) !== (secretFile === undefined), {
    message: 'must have exactly one of secret, secretFile',
  });

/** `webhooks:` of parley.yaml. */
export const webhooksConfig = z
  .array(hook)
  .default([])
  .superRefine((hooks, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of hooks.entries()) {
      if (names.has(name))
        context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" is already used above` });
      names.add(name);
    }
  });

/** One validated hook. */
export type WebhookConfig = z.output<typeof hook>;
