import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { referenceRows } from '../config/reference.js';
import { settingsSchema } from '../settings.js';
import { generatedPages } from './schema.js';

describe('configuration reference', () => {
  it.each(Object.entries(generatedPages()))('%s is what the schema says (npm run docs)', (name, text) => {
    expect(readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8')).toBe(text);
  });

  it('describes every key where it is declared, and names its variable', () => {
    const rows = referenceRows(settingsSchema);
    expect(rows.filter(({ description }) => description === '').map(({ key }) => key)).toEqual([]);
    expect(rows.find(({ key }) => key === 'sip.port')).toMatchObject({ default: '5060', env: 'PARLEY_SIP_PORT' });
    expect(rows.find(({ key }) => key === 'trunks[].name')?.env).toBeUndefined();
  });
});
