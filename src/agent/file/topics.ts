import { z } from 'zod';
import { condition, name, speech, wordings } from './values.js';

/** Something the caller is asked for. Its value becomes the context variable of the same name. */
const slot = z
  .strictObject({
    name: name.describe('The variable that the value becomes; unique within the topic.'),
    kind: z
      .enum(['digits', 'spelling', 'email', 'name', 'date', 'yes-no', 'choice', 'open'])
      .describe('What is asked for: it decides how long is waited, and what counts as an answer.'),
    length: z.number().int().min(1).max(30).optional().meta({ example: '6' }).describe('Number of digits.'),
    choices: z
      .record(name, z.array(z.string().min(1)).min(1))
      .optional()
      .describe('For `choice`: each value with the phrases that mean it.'),
    ask: wordings.describe('The question.'),
    invalid: wordings.optional().describe('Said once in front of `ask` when the answer could not be used.'),
    confirm: z.boolean().default(false).describe('Read the value back and ask whether it is right.'),
    readBack: speech
      .optional()
      .meta({ example: '"I heard {{value}}. Is that right?"' })
      .describe('What is read back, with {{value}}.'),
    remember: z
      .boolean()
      .default(true)
      .describe('Keep the value for the rest of the call; otherwise it is asked again each time the topic begins.'),
    sensitive: z
      .boolean()
      .default(false)
      .describe('A card number, a code: recordings are silent meanwhile, the journal has stars.'),
    retries: z.number().int().min(0).max(10).default(2).describe('Unusable answers before a person is offered.'),
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
  .strictObject({
    ask: wordings.describe('The question; a yes leads on.'),
    topic: name.optional().describe('The topic that a yes begins.'),
    escalate: z.boolean().default(false).describe('Whether a yes leads to a person.'),
  })
  .refine((value) => value.escalate !== (value.topic !== undefined), {
    message: 'leads nowhere, or to two places',
    params: { hint: 'Write either "topic: NAME" or "escalate: true".' },
  });

/** What is said for one outcome of an action. */
const response = z.strictObject({
  when: condition.optional().describe('Condition on variables; without it the response always fits.'),
  say: wordings.describe('What is said then.'),
  askAgain: z.array(name).min(1).optional().describe('Slots to forget and ask for again.'),
  offer: offer.optional().describe('A question at the end.'),
  escalate: z.boolean().default(false).describe('Whether the call goes to a person then.'),
  end: z.boolean().default(false).describe('Whether the call ends then.'),
});

/** Something callers want. */
export const topic = z.strictObject({
  name: name.describe('Unique.'),
  description: z.string().default('').describe('For people, and for a language model.'),
  about: z.string().min(1).optional().describe('How the agent names it to a caller: "your order".'),
  examples: z
    .array(z.string().min(1))
    .default([])
    .describe('How callers say it: five to ten phrases. A topic without any is reached only through an offer.'),
  say: wordings.optional().describe('The answer.'),
  uninterruptible: z
    .boolean()
    .default(false)
    .describe('Whether it is said to its end, whoever speaks: what the law demands.'),
  knowledge: z
    .union([z.boolean(), z.array(z.string().min(1)).min(1)])
    .default(false)
    .describe('Answers from the articles: all of them (true), or those named, without ".md".'),
  slots: z.array(slot).default([]).describe('What the caller is asked for first.'),
  check: z
    .strictObject({
      action: name.describe('What looks it up.'),
      responses: z.array(response).default([]).describe('Said where its condition fits.'),
    })
    .optional()
    .describe('Looked up before anything is confirmed. Where one of the responses fits, the topic goes no further.'),
  confirm: wordings.optional().describe('Asked before the action; it is done only after a "yes".'),
  declined: wordings.optional().describe('Said after a no.'),
  action: name.optional().describe('What is done when everything is there.'),
  responses: z.array(response).default([]).describe('The first whose `when` holds is said; the last has none.'),
  offer: offer.optional().describe('A question at the end of the answer.'),
  escalate: z
    .union([z.boolean(), z.string().min(1)])
    .default(false)
    .describe('Hands the call to a person; a text is the reason they are told.'),
  end: z.boolean().default(false).describe('Whether the call ends after the answer.'),
});

export type Slot = z.output<typeof slot>;
export type Offer = z.output<typeof offer>;
export type Response = z.output<typeof response>;
export type Topic = z.output<typeof topic>;
