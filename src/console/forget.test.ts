import { describe, expect, it } from 'vitest';
import { ParleyError } from '../errors.js';
import type { JournalEvent, StoredEvent } from '../journal/events.js';
import type { Records } from '../store/store.js';
import { createLogger } from '../telemetry/log.js';
import { type Forgetting, forget, forgetEnded, formsOf, numberName } from './forget.js';

function kept(calls: Record<string, string>, live: readonly string[] = []) {
  const values = new Map<string, string>();
  const removed: string[] = [];
  const records = {
    get: async (key: string) => (values.has(key) ? { value: values.get(key), version: 1 } : undefined),
    set: async (key: string, value: string) => void values.set(key, value),
    delete: async (key: string) => void values.delete(key),
    list: async (prefix: string) => [...values.keys()].filter((key) => key.startsWith(prefix)),
  } as unknown as Records;
  const up = new Set(live);
  const forgetting: Forgetting = {
    journals: {
      calls: async () => Object.keys(calls),
      beginning: async (call) => [
        { call, seq: 1, at: 0, type: 'call.received', from: calls[call] } as StoredEvent & JournalEvent,
      ],
    },
    records,
    remove: async (call) => {
      if (up.has(call)) throw new ParleyError('PARLEY_ERR_CALL_LIVE', { call });
      removed.push(call);
      return { events: 10, recordings: 1 };
    },
  };
  return { forgetting, values, removed, up };
}

describe('forgetting a caller', () => {
  it.each([
    ['+49 30 123-4567', undefined, ['49301234567']],
    ['0049 (30) 1234567', '49', ['49301234567', '0301234567', '301234567']],
    ['030 1234567', '49', ['0301234567', '49301234567', '301234567']],
    ['030 1234567', undefined, ['0301234567']],
    ['sip:alice@example.com', undefined, ['alice']],
  ])('%s in country %s', (number, country, forms) => {
    expect([...formsOf(number, country)].sort()).toEqual([...forms].sort());
  });

  it('deletes what there is of the number, and nothing of anybody else', async () => {
    const { forgetting, values, removed } = kept({
      a: '+49301234567',
      b: '49301234567',
      c: '0301234567',
      d: '+49301234568',
    });
    values.set('handoff-for:49301234567>8001', JSON.stringify([{ key: 'handoff:1', until: 0 }]));
    values.set('handoff-for:49301234568>8001', JSON.stringify([{ key: 'handoff:2', until: 0 }]));
    values.set('handoff:1', '{"document":{}}');
    values.set('handoff:2', '{"document":{"ani":"+49301234568"}}');
    values.set('handoff:3', '{"document":{"ani":"0049301234567"}}');
    values.set('handoff:4', '');
    values.set('callback-x', JSON.stringify({ call: 'x', number: '+49 30 1234567' }));
    values.set('callback-d', JSON.stringify({ call: 'd', number: '5' }));
    values.set('webhook:hook:a', '{}');
    values.set('webhook:hook:d', '{}');
    const before = values.size;
    const wanted = { calls: ['a', 'b'], handoffs: 2, callbacks: 1 };
    expect(await forget({ number: '+49 30 1234567', dryRun: true }, forgetting)).toMatchObject(wanted);
    expect([removed, values.size]).toEqual([[], before]);
    expect(await forget({ number: '+49 30 1234567' }, forgetting)).toMatchObject({
      ...wanted,
      events: 20,
      recordings: 2,
    });
    expect(removed).toEqual(['a', 'b']);
    expect([...values.keys()].sort()).toEqual(
      ['callback-d', 'handoff-for:49301234568>8001', 'handoff:2', 'handoff:4', 'webhook:hook:d'].sort(),
    );
    expect((await forget({ number: '+49 30 1234567', country: '49' }, forgetting)).calls).toContain('c');
  });

  it('says which calls it could not look at, and goes on; a store that is away is no answer', async () => {
    const { forgetting } = kept({ a: '100', b: '100' });
    const { journals } = forgetting;
    const failing = (code: 'PARLEY_ERR_KEY_MISSING' | 'PARLEY_ERR_STORE_UNAVAILABLE') => ({
      ...forgetting,
      journals: {
        ...journals,
        beginning: async (call: string, count: number) => {
          if (call === 'a') throw new ParleyError(code);
          return journals.beginning(call, count);
        },
      },
    });
    const done = await forget({ number: '100' }, failing('PARLEY_ERR_KEY_MISSING'));
    expect(done).toMatchObject({ calls: ['b'], unreadable: ['a'] });
    await expect(forget({ number: '100' }, failing('PARLEY_ERR_STORE_UNAVAILABLE'))).rejects.toThrow();
  });

  it('deletes a call that is up when it has ended', async () => {
    const { forgetting, removed, up, values } = kept({ a: '100' }, ['a']);
    expect(await forget({ number: '100' }, forgetting)).toMatchObject({ calls: [], live: ['a'] });
    up.clear();
    await forgetEnded('a', forgetting, createLogger('silent'), false, 1);
    expect([removed, values.size], 'its node may bring it back').toEqual([['a'], 1]);
    await forgetEnded('a', forgetting, createLogger('silent'), true, 1);
    expect(removed).toEqual(['a', 'a']);
    expect(values.size).toBe(0);
    await forgetEnded('b', forgetting, createLogger('silent'), true, 1);
    expect(removed).toEqual(['a', 'a']);
  });

  it('names a number without telling it', async () => {
    expect(await numberName('+49 30 1234567')).toBe(await numberName('0049301234567'));
    expect(await numberName('100')).not.toMatch(/100$/);
  });
});
