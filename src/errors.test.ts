import { expect, it } from 'vitest';
import { ERRORS, ParleyError } from './errors.js';

it('documents every coded error (npx vitest run src/errors.test.ts -u writes the page anew)', async () => {
  const rows = Object.entries<{ message: string; mend: string; sip?: number }>(ERRORS).map(
    ([code, { message, mend, sip }]) => `| \`${code}\` | ${message} | ${sip ?? ''} | ${mend} |`,
  );
  const page = [
    '# Errors',
    '',
    'Every error that Parley reports has a code. `{name}` stands for a value of the case at hand; `SIP` is the status',
    'that a call failing for this reason is answered with.',
    '',
    '| code | message | SIP | mend |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
  await expect(page).toMatchFileSnapshot('../docs/reference/errors.md');
});

it('fills message and mend from the details', () => {
  const error = new ParleyError('PARLEY_ERR_CONFIG_INVALID', {
    file: 'a.yaml',
    line: 3,
    key: 'sip.port',
    reason: 'is text',
    hint: 'Write a number.',
  });
  expect(error.message).toBe('a.yaml:3: sip.port: is text');
  expect(error.mend).toBe('Write a number.');
});
