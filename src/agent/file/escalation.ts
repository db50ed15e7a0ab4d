import { z } from 'zod';
import { condition, name, wordings } from './values.js';

const oneOrMany = (item: z.ZodString) => z.union([item, z.array(item).min(1)]).transform((value) => [value].flat());
const inARow = (what: string) => z.number().int().min(1).max(20).optional().meta({ example: '2' }).describe(what);

const CONDITIONS = 'topic, when, keywords, person, sentiment, notUnderstood, noInput, actionFailed, verificationFailed';

/** When a call goes to a person by itself. What a trigger names must hold together; several triggers stand side by side. */
const trigger = z
  .strictObject({
    name: name.describe('Unique; in the journal and in metrics.'),
    topic: oneOrMany(name).optional().describe("The caller's turn is about one of these topics."),
    when: condition.optional().describe('A condition on context variables.'),
    keywords: oneOrMany(z.string().min(1)).optional().describe('Words or phrases, any of which the caller says.'),
    person: z.literal(true).optional().describe('The caller asks for a person.'),
    sentiment: z
      .strictObject({
        below: z.number().min(-1).max(1).meta({ example: '-0.4' }).describe('-1 is very unhappy, 0 neutral.'),
        turns: z.number().int().min(1).max(20).default(1).describe('So many turns in a row.'),
      })
      .optional()
      .describe('The last `turns` turns sounded at most like this: -1 is very unhappy, 0 neutral.'),
    notUnderstood: inARow('So many turns in a row were not understood.'),
    noInput: inARow('The caller has been silent through so many prompts.'),
    actionFailed: z
      .union([z.literal(true), oneOrMany(name)])
      .optional()
      .describe('An action failed: any (`true`), or one of these.'),
    verificationFailed: z.literal(true).optional().describe('The caller could not be verified.'),
    target: z.string().min(1).optional().describe("Where to; the agent's `escalation.target` by default."),
    message: wordings.optional().describe('Said instead of `escalation.message`.'),
    priority: z
      .number()
      .int()
      .min(0)
      .max(100)
      .default(0)
      .describe('Of several triggers that hold, the highest acts; queues put higher ones first.'),
  })
  .superRefine((value, context) => {
    const { name: _name, target: _target, message: _message, priority: _priority, ...conditions } = value;
    const given = Object.values(conditions).filter((each) => each !== undefined).length;
    const complain = (message: string, hint: string) =>
      context.addIssue({ code: 'custom', path: ['name'], message, params: { hint }, input: value });
    if (given === 0) complain(`trigger "${value.name}" never acts`, `Add one of ${CONDITIONS}.`);
    if (value.noInput !== undefined && given > 1)
      complain(
        `trigger "${value.name}": noInput stands alone`,
        'Put the other conditions into a trigger of their own.',
      );
  });

export const escalation = z
  .strictObject({
    target: z
      .string()
      .min(1)
      .optional()
      .meta({ example: 'sip:desk@pbx.example.com' })
      .describe('SIP URI, or the name of a target in parley.yaml.'),
    message: wordings
      .default(["I'll put you through to a colleague. One moment, please."])
      .describe('Said before the call is handed over.'),
    noTargetMessage: wordings
      .default([
        "I'm sorry, there is nobody I can put you through to right now. Is there something else I can help with?",
      ])
      .describe('Said when a person is asked for and there is no target.'),
    failedMessage: wordings
      .default(["I'm sorry, nobody could take your call. Is there something I can help with?"])
      .describe('Said when nobody could be reached.'),
    failedMessages: z
      .strictObject({
        busy: wordings.optional().describe('Said when the outcome was busy.'),
        'no-answer': wordings.optional().describe('Said when the outcome was no-answer.'),
        declined: wordings.optional().describe('Said when the outcome was declined.'),
        closed: wordings.optional().describe('Said when the outcome was closed.'),
        unavailable: wordings.optional().describe('Said when the outcome was unavailable.'),
        voicemail: wordings.optional().describe('Said when the outcome was voicemail.'),
        deflected: wordings.optional().describe('Said when the outcome was deflected.'),
        failed: wordings.optional().describe('Said when the outcome was failed.'),
      })
      .prefault({})
      .describe('Instead of it, by why nobody could.'),
    afterPerson: wordings
      .default(['You are back with me. Is there anything else I can help with?'])
      .describe('Said when a person has hung up, and the target has `afterwards: agent`.'),
    afterFailures: wordings
      .default(["I'm sorry that I don't understand."])
      .describe('Said in front of the message when the agent gave up understanding.'),
    triggers: z.array(trigger).default([]).describe('When a call goes to a person by itself.'),
  })
  .prefault({})
  .superRefine((value, context) => {
    const { triggers, target } = value;
    triggers.forEach((one, index) => {
      if (one.target !== undefined || target !== undefined) return;
      const hint = 'Add "target:" to the trigger or to "escalation".';
      const message = `trigger "${one.name}" leads nowhere`;
      context.addIssue({ code: 'custom', path: ['triggers', index, 'name'], message, params: { hint }, input: value });
    });
  });

export type EscalationTrigger = z.output<typeof trigger>;
