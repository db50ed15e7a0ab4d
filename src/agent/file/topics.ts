import { z } from 'zod';
import { condition, name, speech, wordings } from './values.js';

/** Something the caller is asked for. Its value becomes the context variable of the same name. */
const slot = z
  .strictObject({
    name,
    kind: z.enum(['digits', 'spelling', 'email', 'name', 'date', 'yes-no', 'choice', 'open']),
    /** Number of digits. */
    length: z.number().int().min(1).max(30).optional().meta({ example: '6' }),
    /** For `choice`: each value with the phrases that mean it. */
    choices: z.record(name, z.array(z.string().min(1)).min(1)).optional(),
    ask: wordings,
    /** Said once in front of `ask` when the answer could not be used. */
    invalid: wordings.optional(),
    /** Read the value back and ask whether it is right. */
    confirm: z.boolean().default(false),
    readBack: speech.optional().meta({ example: '"I heard {{value}}. Is that right?"' }),
    /** Keep the value for the rest of the call; otherwise it is asked again each time the topic begins. */
    remember: z.boolean().default(true),
    /** A recording of the call is silent from the question until the value is there and read back. */
    sensitive: z.boolean().default(false),
    /** Unusable answers before a person is offered. */
    retries: z.number().int().min(0).max(10).default(2),
  })
  .superRefine((value, context) => {
    const problem = (key: string, message: string, hint: string): void =>
      context.addIssue({ code: 'custom', path: [key], message, params: { hint } });
    if (value.length !== undefined && value.kind !== 'digits') {
      problem('length', `means nothing for kind ${value.kind}`, 'Remove it, or write "kind: digits".');
    }
    if (value.kind === 'choice' && !value.choices) {
      problem('kind', 'has no choices', 'Add "choices:" with a list of phrases for each value.');
    }
    if (value.kind !== 'choice' && value.choices) {
      problem('choices', `means nothing for kind ${value.kind}`, 'Remove it, or write "kind: choice".');
    }
  });

/** A question at the end of an answer; "yes" leads on. */
const offer = z
  .strictObject({ ask: wordings, topic: name.optional(), escalate: z.boolean().default(false) })
  .refine((value) => value.escalate !== (value.topic !== undefined), {
    message: 'leads nowhere, or to two places',
    params: { hint: 'Write either "topic: NAME" or "escalate: true".' },
  });

/** What is said for one outcome of an action. */
const response = z.strictObject({
  when: condition.optional(),
  say: wordings,
  /** Slots to forget and ask for again. */
  askAgain: z.array(name).min(1).optional(),
  offer: offer.optional(),
  escalate: z.boolean().default(false),
  end: z.boolean().default(false),
});

/** Something callers want. */
export const topic = z.strictObject({
  name,
  description: z.string().default(''),
  /** How the agent names it to a caller: "your order". */
  about: z.string().min(1).optional(),
  /** How callers say it: five to ten phrases. A topic without any is reached only through an offer. */
  examples: z.array(z.string().min(1)).default([]),
  say: wordings.optional(),
  /** `say` is said to its end, whoever speaks: what the law demands. What the caller says meanwhile is answered afterwards. */
  uninterruptible: z.boolean().default(false),
  /** Answer from the knowledge articles: all of them, or those named (file names without ".md"). */
  knowledge: z.union([z.boolean(), z.array(z.string().min(1)).min(1)]).default(false),
  slots: z.array(slot).default([]),
  /** Looked up before anything is confirmed. Where one of the responses fits, the topic goes no further. */
  check: z.strictObject({ action: name, responses: z.array(response).default([]) }).optional(),
  /** Asked before the action; it is done only after a "yes". */
  confirm: wordings.optional(),
  declined: wordings.optional(),
  action: name.optional(),
  /** The first whose `when` holds is said; the last has none. */
  responses: z.array(response).default([]),
  offer: offer.optional(),
  /** Hand over to a person; text is the reason they are told. */
  escalate: z.union([z.boolean(), z.string().min(1)]).default(false),
  end: z.boolean().default(false),
});

export type Slot = z.output<typeof slot>;
export type Offer = z.output<typeof offer>;
export type Response = z.output<typeof response>;
export type Topic = z.output<typeof topic>;
