import { z } from 'zod';
import { masked, maskNumbers } from './masks.js';

const text = z.string().max(4000);
const name = z.string().min(1).max(100);
const MOST = 500;

const line = z.strictObject({
  /** When it was said, ISO 8601; the time of the hand-off when left out. */
  at: z.iso.datetime({ offset: true }).optional(),
  who: z.enum(['ivr', 'caller']),
  text,
  from: z.enum(['speech', 'dtmf']).default('speech'),
  /** Kept as stars only. */
  sensitive: z.boolean().default(false),
});

const digits = z.strictObject({
  name,
  digits: z.string().regex(/^[0-9*#A-Da-d]{1,64}$/, 'must be keys'),
  /** Kept as stars only; no agent gets them either. */
  sensitive: z.boolean().default(false),
});

/** What an IVR hands over with a call: the body of `POST /v1/handoffs`, see docs/guides/ivr-context.md. */
export const handoffDocument = z.strictObject({
  /** The IVR's own name. */
  ivr: name.optional(),
  /** Number of the caller, and the number that will be dialled: a call of these is the one, within `windowMs`. */
  ani: name.optional(),
  dnis: name.optional(),
  windowMs: z.number().int().min(1000).max(600_000).default(60_000),
  /** How long the token can be used, ms. */
  ttlMs: z.number().int().min(1000).max(86_400_000).default(600_000),
  language: z
    .string()
    .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
    .optional(),
  /** What the caller wants: a topic of the agent, or a name that its file maps to one. */
  topic: name.optional(),
  /** The choices that led here, the first menu first. */
  menu: z.array(z.string().max(200)).max(50).default([]),
  digits: z.array(digits).max(50).default([]),
  transcript: z.array(line).max(MOST).default([]),
  variables: z.record(name, z.json()).default({}),
  /** Variables that the agent gets and the journal shows as stars. */
  sensitive: z.array(name).max(50).default([]),
});

/** A document with its defaults. */
export type Handoff = z.output<typeof handoffDocument>;

/** A hand-off as it is kept: without what must not be. */
export interface KeptHandoff {
  document: Handoff;
  /** ms since 1970. */
  createdAt: number;
}

/** Replaces what was marked as sensitive by stars, wherever it stands, and what looks like a payment card. */
export function sealed(document: Handoff): Handoff {
  const secrets = document.digits.filter((one) => one.sensitive).map((one) => one.digits);
  const without = (said: string) => maskNumbers(hide(said, secrets));
  return {
    ...document,
    digits: document.digits.map((one) => ({ ...one, digits: one.sensitive ? masked(one.digits) : one.digits })),
    transcript: document.transcript.map((one) => ({
      ...one,
      text: one.sensitive ? masked(one.text) : without(one.text),
    })),
    menu: document.menu.map(without),
    variables: Object.fromEntries(
      Object.entries(document.variables).map(([key, value]) => [
        key,
        typeof value === 'string' && !document.sensitive.includes(key) ? hide(value, secrets) : value,
      ]),
    ),
  };
}

/** A secret of one or two keys is a menu choice as well: hiding every "1" would hide the conversation. */
function hide(said: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length > 2)
    .reduce((rest, secret) => rest.replaceAll(secret, masked(secret)), said);
}
