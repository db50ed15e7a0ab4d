import { accessSync, constants, statSync } from 'node:fs';
import { ParleyError, reasonOf } from '../errors.js';
import { ConfigProblems } from './problems.js';

/** Keys of parley.yaml whose values are files that have to be there. */
const NAMES_A_FILE = /(?:^|\.)[a-z]+File$|^sip\.tls\.(?:cert|key|ca)$|^sounds\.music$/;

/**
 * Looks whether all files that settings name can be read, so that one fault does not hide the next.
 *
 * @throws ConfigProblems of PARLEY_ERR_CONFIG_FILE, each with its key
 */
export function checkNamedFiles(settings: object): void {
  const problems = namedFiles(settings, '').flatMap(({ key, file }) => {
    const reason = whyUnreadable(file);
    return reason === undefined
      ? []
      : [new ParleyError('PARLEY_ERR_CONFIG_FILE', { file: `${file} (${key})`, reason })];
  });
  if (problems.length > 0) throw new ConfigProblems(problems);
}

function namedFiles(value: unknown, key: string): { key: string; file: string }[] {
  if (typeof value === 'string') return NAMES_A_FILE.test(key) ? [{ key, file: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    namedFiles(inner, Array.isArray(value) ? `${key}[${name}]` : key === '' ? name : `${key}.${name}`),
  );
}

function whyUnreadable(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return statSync(file).isDirectory() ? 'it is a folder' : undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
