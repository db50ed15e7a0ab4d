import { z } from 'zod';
import { SPOKEN, UNSPOKEN } from '../text/languages.js';
import { faultyPlaceholder } from './variables.js';

/** Values for the agent; in text, `{{from}}`, `{{header.X-Tier}}` stand for what the call has. */
const variables = z
  .record(z.string(), z.unknown())
  .default({})
  .superRefine((values, context) => {
    for (const [name, value] of Object.entries(values)) {
      const fault = typeof value === 'string' ? faultyPlaceholder(value) : undefined;
      if (fault === undefined) continue;
      const params = { hint: 'Known are to, from, source, trunk and header.NAME, as in {{header.X-Tier}}.' };
      context.addIssue({ code: 'custom', path: [name], message: `{{${fault}}} is nothing that a call has`, params });
    }
  })
  .meta({ description: 'Values for the agent; {{from}} and {{header.X-Tier}} in them stand for what the call has' });

const speech = z.string().min(1);
const key = z.string().regex(/^[0-9*#]$/, { error: 'is no key' });

/** Said when nobody takes a call that no agent has. */
const otherwise = speech
  .default("I'm sorry, nobody can take your call at the moment. Please call again. Goodbye.")
  .meta({ description: 'Said when nobody takes it; then the call ends' });

const consent = z
  .strictObject({
    ask: speech.meta({ description: 'The question', example: '"May we record this call? Say yes or no."' }),
    again: speech
      .optional()
      .meta({ description: 'The question when there was no answer to it; the same when left out' }),
    key: key.default('1').meta({ description: 'The key that says yes', example: '"1"' }),
    refuseKey: key.default('2').meta({ description: 'The key that says no', example: '"2"' }),
    tries: z.number().int().min(1).max(5).default(3).meta({ description: 'How often is asked', example: '3' }),
    waitMs: z
      .number()
      .int()
      .min(2000)
      .max(60_000)
      .default(6000)
      .meta({ description: 'Longest wait for an answer, ms', example: '6000' }),
    refused: z
      .union([
        z.literal('unrecorded'),
        z.strictObject({
          transfer: z.string().min(1).meta({ description: 'The target that takes the call' }),
          otherwise,
        }),
        z.strictObject({ hangUp: speech.meta({ description: 'The last words' }) }),
      ])
      .default('unrecorded')
      .meta({
        description:
          'Without a yes: the agent talks and nothing is recorded, a target takes the call, or it ends with these words',
      }),
  })
  .refine((value) => value.key !== value.refuseKey, {
    path: ['refuseKey'],
    message: 'is the key that says yes',
    params: { hint: 'Take another key.' },
  });

/** What stands in for an answer that can not be given. */
export const fallback = z
  .strictObject({
    say: speech.optional().meta({ description: 'Said first' }),
    target: z.string().min(1).optional().meta({ description: 'The target of parley.yaml that takes the call' }),
    redirect: z
      .string()
      .regex(/^sips?:[^\s<>"]+$/i)
      .optional()
      .meta({
        description: 'A SIP URI that takes it: by 302 before the answer, by REFER after it',
        example: 'sip:desk@pbx.example.com',
      }),
    otherwise,
  })
  .refine(({ say, target, redirect }) => [say, target, redirect].some((each) => each !== undefined), {
    message: 'says nothing',
    params: { hint: 'Name at least one of say, target, redirect.' },
  })
  .refine(({ target, redirect }) => target === undefined || redirect === undefined, {
    path: ['redirect'],
    message: 'stands beside target',
    params: { hint: 'Keep one of target and redirect.' },
  });

/** How callers are asked. */
export type Consent = z.output<typeof consent>;

/** What stands in. */
export type Fallback = z.output<typeof fallback>;

const context = z
  .strictObject({
    variables: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/),
        z
          .string()
          .regex(
            /^(?:X-[\w-]+|User-to-User|Diversion|History-Info|P-Asserted-Identity|Remote-Party-ID|Referred-By|Call-Info)(?:\.[\w.-]+)?$/i,
            {
              error: 'is no header that can be mapped',
            },
          ),
      )
      .default({})
      .meta({ description: 'Agent variables and the header, or part of one, that each is taken from' }),
    sensitive: z.array(z.string()).default([]).meta({
      description:
        'Which of these variables no model, journal, log or person may see; conditions and actions have them',
    }),
    trust: z.boolean().default(false).meta({
      description:
        'Whether data in the INVITE itself (User-to-User, a JSON part) counts as if it had been handed over; anybody who may call can write it',
    }),
    byNumber: z.boolean().default(true).meta({
      description: 'Whether a call without a token is matched by its numbers with what an IVR has handed over',
    }),
  })
  .prefault({});

export const answer = z
  .strictObject({
    agent: z.string().min(1).meta({ description: 'The name of an agent file in agents/' }),
    language: z.string().regex(SPOKEN, UNSPOKEN).optional().meta({
      description: "What the callers of this entry speak; the agent file's language when left out",
      example: 'en-US',
    }),
    requireStore: z.boolean().default(false).meta({
      description: 'Whether calls that could not be kept are not taken: without the store, fallback takes them',
    }),
    notice: z
      .union([
        z.string().min(1),
        z.strictObject({
          say: z.string().min(1).meta({ description: 'What is said' }),
          interruptible: z.boolean().default(false).meta({ description: 'Whether it may be talked over' }),
        }),
      ])
      .transform((value) => (typeof value === 'string' ? { say: value, interruptible: false } : value))
      .optional()
      .meta({ description: 'What is said before the greeting; to its end, unless it is interruptible' }),
    consent: consent.optional().meta({ description: 'What callers are asked before they talk to the agent' }),
    earlyMedia: z.boolean().default(false).meta({
      description: 'Whether the notice is played before the call is answered (183), so that it costs nothing',
    }),
    record: z
      .union([
        z.boolean(),
        z.strictObject({
          announcement: z
            .union([z.string().min(1), z.boolean()])
            .default(true)
            .meta({ description: 'What the caller is told of it; true: `recording.announcement`, false: nothing' }),
          beep: z.boolean().default(false).meta({
            description: 'Whether those on the line hear a beep again and again while it goes on: `recording.beep`',
          }),
        }),
      ])
      .default(false)
      .meta({ description: 'Whether the call is recorded from its answer on, and what the caller is told of it' }),
    variables,
    context: context.meta({ description: 'What an IVR that forwards the call may tell the agent' }),
  })
  .refine(({ notice, earlyMedia }) => notice !== undefined || !earlyMedia, {
    path: ['earlyMedia'],
    message: 'has nothing to play',
    params: { hint: 'Add "notice:" with what is said before the answer, or remove earlyMedia.' },
  })
  .refine(({ notice, earlyMedia }) => !notice?.interruptible || !earlyMedia, {
    path: ['earlyMedia'],
    message: 'can not be talked over',
    params: { hint: 'Nothing is heard of the caller before the answer: remove interruptible or earlyMedia.' },
  });
