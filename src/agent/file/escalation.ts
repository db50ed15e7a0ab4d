import { z } from 'zod';
import { condition, name, wordings } from './values.js';

const oneOrMany = (item: z.ZodString) => z.union([item, z.array(item).min(1)]).transform((value) => [value].flat());

const CONDITIONS = 'topic, when, keywords, person, sentiment, notUnderstood, noInput, actionFailed, verificationFailed';

/** When a call goes to a person by itself. What a trigger names must hold together; several triggers stand side by side. */
const trigger = z
  .strictObject({
    name,
    /** The caller's turn is about one of these topics. */
    topic: oneOrMany(name).optional(),
    /** A condition on context variables. */
    when: condition.optional(),
    /** Words or phrases, any of which the caller says. */
    keywords: oneOrMany(z.string().min(1)).optional(),
    /** The caller asks for a person. */
    person: z.literal(true).optional(),
    /** The last `turns` turns sounded at most like this: -1 is very unhappy, 0 neutral. */
    sentiment: z
      .strictObject({
        below: z.number().min(-1).max(1).meta({ example: '-0.4' }),
        turns: z.number().int().min(1).max(20).default(1),
      })
      .optional(),
    /** So many turns in a row were not understood. */
    notUnderstood: z.number().int().min(1).max(20).optional().meta({ example: '2' }),
    /** The caller has been silent through so many prompts. */
    noInput: z.number().int().min(1).max(20).optional().meta({ example: '2' }),
    /** An action failed: any (`true`), or one of these. */
    actionFailed: z.union([z.literal(true), oneOrMany(name)]).optional(),
    /** The caller could not be verified. */
    verificationFailed: z.literal(true).optional(),
    /** Where to; the agent's `escalation.target` by default. */
    target: z.string().min(1).optional(),
    message: wordings.optional(),
    /** Of several triggers that hold, the highest acts; queues put higher ones first. */
    priority: z.number().int().min(0).max(100).default(0),
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
    /** SIP URI, or the name of a target in parley.yaml. */
    target: z.string().min(1).optional().meta({ example: 'sip:desk@pbx.example.com' }),
    message: wordings.default(["I'll put you through to a colleague. One moment, please."]),
    noTargetMessage: wordings.default([
      "I'm sorry, there is nobody I can put you through to right now. Is there something else I can help with?",
    ]),
    failedMessage: wordings.default(["I'm sorry, nobody could take your call. Is there something I can help with?"]),
    /** Instead of it, by why nobody could. */
    failedMessages: z
      .strictObject({
        busy: wordings.optional(),
        'no-answer': wordings.optional(),
        declined: wordings.optional(),
        closed: wordings.optional(),
        unavailable: wordings.optional(),
        voicemail: wordings.optional(),
        failed: wordings.optional(),
      })
      .prefault({}),
    /** Said when a person has hung up, and the target has `afterwards: agent`. */
    afterPerson: wordings.default(['You are back with me. Is there anything else I can help with?']),
    /** Said in front of the message when the agent gave up understanding. */
    afterFailures: wordings.default(["I'm sorry that I don't understand."]),
    triggers: z.array(trigger).default([]),
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
