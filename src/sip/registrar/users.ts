import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ParleyError, reasonOf } from '../../errors.js';
import { ALGORITHMS, type Algorithm, ha1 } from './digest.js';

const hex = (length: number) =>
  z.string().regex(new RegExp(`^[0-9a-fA-F]{${length}}$`), `must be ${length} hex digits`);

const user = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9_.+-]{1,64}$/, 'is letters, digits and _ . + -')
      .describe('User part of its SIP address and name to log in with, e.g. 201.'),
    password: z.string().min(8).optional().describe('What the phone is given; better in `passwordFile`.'),
    passwordFile: z.string().optional().describe('File with the password in its first line.'),
    ha1: z
      .strictObject({
        md5: hex(32).optional().describe('By MD5, 32 hexadecimal digits.'),
        sha256: hex(64).optional().describe('By SHA-256, 64 hexadecimal digits.'),
      })
      .refine(({ md5, sha256 }) => md5 !== undefined || sha256 !== undefined, 'has neither md5 nor sha256')
      .optional()
      .describe('H(name:realm:password) instead of the password, by one algorithm or both.'),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .optional()
      .describe('What this phone is asked for: [MD5] for one that gives up when it is offered SHA-256 as well.'),
  })
  .refine((one) => [one.password, one.passwordFile, one.ha1].filter((given) => given !== undefined).length === 1, {
    message: 'must have exactly one of password, passwordFile, ha1',
  });

/** `sip.users` of parley.yaml. */
export const usersConfig = z
  .array(user)
  .default([])
  .superRefine((users, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of users.entries()) {
      if (names.has(name))
        context.addIssue({ code: 'custom', path: [index, 'name'], message: `"${name}" is already used above` });
      names.add(name);
    }
  });

/** A user's secrets, by the algorithms that can be asked for. */
export interface SipUser {
  name: string;
  secrets: ReadonlyMap<Algorithm, string>;
}

/**
 * Makes the users that can log in.
 *
 * @throws ParleyError PARLEY_ERR_CONFIG_FILE when a password file can't be read
 */
export function sipUsers(config: z.output<typeof usersConfig>, realm: string): Map<string, SipUser> {
  return new Map(config.map((one) => [one.name, { name: one.name, secrets: secretsOf(one, realm) }]));
}

function secretsOf(
  { name, password, passwordFile, ha1: given, algorithms = [...ALGORITHMS] }: z.output<typeof user>,
  realm: string,
): Map<Algorithm, string> {
  const plain = password ?? (passwordFile === undefined ? undefined : firstLine(passwordFile));
  const known = { 'SHA-256': given?.sha256?.toLowerCase(), MD5: given?.md5?.toLowerCase() };
  const secrets = new Map<Algorithm, string>();
  for (const algorithm of algorithms) {
    const secret = plain === undefined ? known[algorithm] : ha1(algorithm, name, realm, plain);
    if (secret !== undefined) secrets.set(algorithm, secret);
  }
  return secrets;
}

/** The password in a file. @throws ParleyError PARLEY_ERR_CONFIG_FILE */
export function firstLine(file: string): string {
  try {
    const line = readFileSync(file, 'utf8').split(/\r?\n/, 1)[0]?.trim() ?? '';
    if (line.length < 8) throw new Error('its first line has less than 8 characters');
    return line;
  } catch (error) {
    throw new ParleyError('PARLEY_ERR_CONFIG_FILE', { file, reason: reasonOf(error) });
  }
}
