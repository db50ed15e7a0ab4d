import { z } from 'zod';
import { reasonOf } from '../errors.js';
import { answer, fallback } from './answer-config.js';
import { type Condition, headerCondition, hoursCondition, type Pattern, textCondition } from './conditions.js';
import { hoursConfig } from './hours-config.js';
import { compileNetworks } from './networks.js';
import { compileNumber, compileWildcard } from './pattern.js';

/** Compiles a value inside the schema, so that a faulty pattern is an error at its own line. */
function compiled<I, O>(input: z.ZodType<I>, compile: (value: I) => O, hint: string) {
  return input.transform((value, context): O => {
    try {
      return compile(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: reasonOf(error), params: { hint } });
      return z.NEVER;
    }
  });
}

const numberPattern = compiled(
  z.string().min(1),
  (source): Pattern => ({ source, fits: compileNumber(source) }),
  'Write a number ("8001"), a pattern ("80XX", "+49.", "[2-5]XXX!") or a name ("anonymous").',
);

const numbers = z
  .union([numberPattern, z.array(numberPattern).min(1)])
  .transform((patterns): Pattern[] => [patterns].flat())
  .meta({ example: '"8001"' });

const names = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .transform((value): Pattern[] => [value].flat().map((source) => ({ source, fits: (text) => text === source })));

const match = z
  .strictObject({
    to: numbers.optional().meta({ description: 'The number that was dialled (DNIS)' }),
    from: numbers.optional().meta({ description: "The caller's number (ANI)" }),
    headers: z
      .record(
        z.string().min(1),
        z.string().transform((source): Pattern => ({ source, fits: compileWildcard(source) })),
      )
      .optional()
      .meta({ description: 'SIP headers and the values they must have; "*" stands for anything' }),
    networks: compiled(
      z.array(z.string()).min(1),
      (list): Pattern => ({ source: list.join(', '), fits: compileNetworks(list) }),
      'Write networks as "10.0.0.0/8", "192.0.2.7" or "2001:db8::/32".',
    )
      .optional()
      .meta({ description: 'CIDR blocks or addresses that the INVITE comes from', example: '["10.0.0.0/8"]' }),
    trunk: names.optional().meta({ description: 'The trunk of parley.yaml that the call came by' }),
    hours: hoursConfig.optional().meta({ description: 'Holds within these hours' }),
    closed: hoursConfig.optional().meta({ description: 'Holds outside these hours, and on their holidays' }),
    share: z.number().min(0).max(100).optional().meta({
      description: 'Percentage of the calls that come to this entry and take it; the others go on',
      example: '10',
    }),
  })
  .refine((conditions) => Object.values(conditions).some((value) => value !== undefined), {
    message: 'names no condition',
    params: {
      hint: 'Name at least one of to, from, headers, networks, trunk, hours, closed, share; for all other calls write "default: true" instead.',
    },
  })
  .transform(({ to, from, headers, networks, trunk, hours, closed, share }) => {
    const conditions: (Condition | undefined)[] = [
      to && textCondition('to', 'to', to),
      from && textCondition('from', 'from', from),
      ...Object.entries(headers ?? {}).map(([name, pattern]) => headerCondition(name, pattern)),
      networks && textCondition('networks', 'source', [networks]),
      trunk && textCondition('trunk', 'trunk', trunk),
      hours && hoursCondition('hours', hours),
      closed && hoursCondition('closed', closed),
    ];
    const trunks = trunk?.map(({ source }) => source);
    return { conditions: conditions.filter((each) => each !== undefined), share, trunks };
  });

const reject = z.strictObject({
  status: z.number().int().min(400).max(699).meta({ description: 'Status of the refusal', example: '603' }),
  reason: z
    .string()
    .regex(/^[^\r\n]*$/)
    .default('')
    .meta({ description: 'Its reason phrase' }),
});

const redirect = z
  .strictObject({
    to: z
      .string()
      .regex(/^sips?:[^\s<>"]+$/i)
      .optional()
      .meta({ description: 'A SIP URI that the caller is sent to (302)', example: 'sip:8001@pbx.example.com' }),
    target: z.string().min(1).optional().meta({ description: 'The name of a target in parley.yaml' }),
  })
  .refine(({ to, target }) => (to === undefined) !== (target === undefined), {
    message: 'must have either to or target',
    params: { hint: 'Keep one: to, a SIP URI, or target, a name of parley.yaml.' },
  });

const entry = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .meta({ description: 'Unique within the file; in the journal and in explain', example: 'orders' }),
    priority: z.number().int().default(0).meta({ description: 'Entries with a higher one are asked first' }),
    default: z.boolean().default(false).meta({ description: 'Takes every call that no other entry has taken' }),
    match: match.optional(),
    calls: z.number().int().min(1).optional().meta({
      description: 'Most calls that the entry takes at once; more go on to the next entry that fits',
      example: '20',
    }),
    answer: answer.optional(),
    reject: reject.optional(),
    redirect: redirect.optional(),
    fallback: fallback.optional().meta({
      description: 'What becomes of the call when it can not be answered as the entry says, or the agent fails',
    }),
  })
  .superRefine((value, context) => {
    const problem = (key: string, message: string, hint: string): void =>
      context.addIssue({ code: 'custom', path: [key], message, params: { hint } });
    const actions = [value.answer, value.reject, value.redirect].filter((action) => action !== undefined);
    if (actions.length === 0) problem('name', 'has no action', 'Add one of answer, reject, redirect.');
    if (actions.length > 1) problem('name', 'has several actions', 'Keep one of answer, reject, redirect.');
    if (value.fallback && !value.answer) {
      problem('fallback', 'has nothing to stand in for', 'It belongs to an entry with answer: remove it here.');
    }
    if (value.default && value.match) {
      problem('default', 'is set together with match', 'Remove match (it takes every other call), or remove default.');
    }
    if (!value.default && !value.match) {
      problem(
        'name',
        'has no match',
        'Add "match:" with to, from, headers, networks, trunk, hours, closed or share, or "default: true".',
      );
    }
  });

/** A dialplan file: a list of entries. */
export const dialplanFile = z.array(entry).superRefine((entries, context) => {
  const seen = new Set<string>();
  entries.forEach(({ name }, index) => {
    if (seen.has(name)) {
      const params = { hint: 'Give each entry of a file its own name.' };
      context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" is already used above`, params });
    }
    seen.add(name);
  });
});

/** An entry as read, its patterns compiled. */
export type FileEntry = z.output<typeof entry>;

/** An entry as it can be written. */
export type FileEntryInput = z.input<typeof entry>;
