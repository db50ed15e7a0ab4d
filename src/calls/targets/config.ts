import { z } from 'zod';
import { hoursConfig as hours } from '../../dialplan/hours-config.js';

const sipUri = z.string().regex(/^sips?:[^\s<>"]+$/i, 'must be a SIP URI, e.g. sip:desk@pbx.example.com');
const speech = z.string().min(1);
const key = z.string().regex(/^[0-9*#]$/, 'must be one key: 0-9, * or #');

const queue = z.strictObject({
  maxWaitMs: z.number().int().min(1000).max(7_200_000).default(300_000).describe('Longest wait, ms.'),
  retryMs: z.number().int().min(500).max(300_000).default(10_000).describe('Pause before the next try, ms.'),
  announceMs: z.number().int().min(2000).max(600_000).default(30_000).describe('How often the place is told, ms.'),
  announcement: speech
    .default('You are number {{place}} in the queue. Thank you for waiting.')
    .describe('What is said then; {{place}} is the place, 1 comes next.'),
});

const target = z
  .strictObject({
    uri: sipUri.optional().describe('A SIP URI.'),
    number: z
      .string()
      .regex(/^\+?[0-9*#]{1,32}$/, 'must be a number, e.g. "+493012345"')
      .optional()
      .describe('A number, called by `trunk`.'),
    trunk: z.string().optional().describe('The trunk by which `number` is called; it has an `outbound`.'),
    user: z.string().min(1).optional().describe('A registered user, wherever its phones are.'),
    hunt: z.array(z.string()).min(1).optional().describe('Other targets, tried as `order` says.'),
    order: z.enum(['serial', 'simultaneous']).default('serial').describe('One after another, or all at once.'),
    agent: z.string().min(1).optional().describe('Another agent file, which goes on with the call.'),
    callback: z
      .strictObject({
        message: speech
          .default('I have noted that you would like to be called back. A colleague will call you.')
          .describe('What the caller is told.'),
      })
      .optional()
      .describe("The wish to be called back is noted at the caller's number, and the agent goes on."),
    name: z.string().min(1).optional().describe('Who that is, for transcripts; the name of the target when left out.'),
    method: z
      .enum(['warm', 'attended', 'refer'])
      .default('warm')
      .describe(
        'warm: called by Parley, briefed, joined in Parley. attended: the same, then the trunk connects the two (REFER with Replaces). refer: the trunk calls (REFER).',
      ),
    ringMs: z.number().int().min(1000).max(180_000).default(25_000).describe('Longest wait for an answer, ms.'),
    extension: z
      .string()
      .regex(/^[0-9*#A-Da-d,w]{1,64}$/, 'must be keys, "," (1 s) and "w" (500 ms)')
      .optional()
      .describe('Keys that are sent after the answer; `,` is a pause of 1 s, `w` of 500 ms.'),
    briefing: z.boolean().default(true).describe('Whether the person is told first what the call is about.'),
    accept: z
      .enum(['key', 'voice', 'answer'])
      .default('key')
      .describe('How the person takes the call: by a key, by saying yes (or a key), or by answering.'),
    acceptKey: key.default('1').describe('Takes the call.'),
    declineKey: key.default('2').describe('Declines it.'),
    acceptMs: z.number().int().min(2000).max(120_000).default(30_000).describe('Longest wait for that, ms.'),
    voicemailMs: z
      .number()
      .int()
      .min(1000)
      .max(60_000)
      .default(7000)
      .describe('Who speaks for so long without a pause before taking the call is a machine, ms.'),
    introduction: speech.optional().describe('Said to both when they are joined; {{name}} is who was called.'),
    afterwards: z
      .enum(['hangup', 'agent'])
      .default('hangup')
      .describe('When the person hangs up first: the call ends, or the agent goes on.'),
    context: z
      .strictObject({
        json: z
          .boolean()
          .default(false)
          .describe('Whether the INVITE has the context as a JSON part of its body, too.'),
        sensitive: z
          .array(z.string())
          .default([])
          .describe('Sensitive variables of an IVR that this phone is told, in User-to-User and the JSON part only.'),
        identity: z
          .enum(['caller', 'own'])
          .default('caller')
          .describe("Whose number the phone shows: the caller's, or the dialled one."),
      })
      .prefault({}),
    hours: hours.optional(),
    queue: queue.optional(),
    fallback: z.array(z.string()).default([]).describe('Targets that are tried when this one can not be reached.'),
  })
  .superRefine((value, context) => {
    const kinds = (['uri', 'number', 'user', 'hunt', 'agent', 'callback'] as const).filter(
      (k) => value[k] !== undefined,
    );
    const complain = (message: string, path: string[] = []) => context.addIssue({ code: 'custom', path, message });
    if (kinds.length !== 1) complain('must have exactly one of uri, number (with trunk), user, hunt, agent, callback');
    if ((value.number === undefined) !== (value.trunk === undefined)) complain('number and trunk belong together');
    if (value.acceptKey === value.declineKey) complain('must differ from acceptKey', ['declineKey']);
  });

/** `targets:` of parley.yaml: who calls may be handed to, by name. Nothing else is ever dialled. */
export const targetsConfig = z
  .record(z.string().regex(/^[\w.-]+$/, 'must be a name'), target)
  .default({})
  .describe('Who calls may be handed to, by name: nothing else is ever dialled.');

/** One target, as configured. */
export type TargetConfig = z.output<typeof target>;

/** All that holds for a target that is only a URI. */
export function plainTarget(uri: string): TargetConfig {
  return target.parse({ uri, method: 'refer' });
}

/** `transfer:` of parley.yaml. */
export const transferConfig = z.strictObject({
  message: speech.optional().describe('Said to the caller before the music, besides what the agent says.'),
  wait: z.enum(['music', 'ringback']).default('music').describe('What the caller hears meanwhile.'),
  listen: z
    .boolean()
    .default(false)
    .describe('Whether what the caller says while waiting is recognised and goes on record.'),
  contextUrl: z
    .string()
    .regex(/^https?:\/\/[^\s<>]+$/, 'must be a URL')
    .optional()
    .describe('Page with the context of a call, told to the phone (Call-Info); {{call}} is the id of the call.'),
  question: z
    .strictObject({
      key: speech
        .default('Press {{accept}} to take the call, or {{decline}} to decline.')
        .describe('Where a key takes the call; {{accept}} and {{decline}} are the keys.'),
      voice: speech.default('Shall I put them through?').describe('Where a word does.'),
    })
    .prefault({})
    .describe('What a person is asked after the briefing.'),
});

/** Validated `transfer:` configuration. */
export type TransferConfig = z.output<typeof transferConfig>;
