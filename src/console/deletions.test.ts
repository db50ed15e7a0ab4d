import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../../test/kit/until.js';
import { storeConfig } from '../store/config.js';
import { openStore } from '../store/open.js';
import { createLogger } from '../telemetry/log.js';
import { Deletions } from './deletions.js';

it('deletes the recordings of a call on every node, also on one that was away', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-deleted-'));
  const logger = createLogger('silent');
  const store = await openStore(storeConfig.parse({}), folder, logger);
  /** A node with the recordings of some calls. */
  const node = (...calls: string[]) => {
    const left = new Set(calls);
    const files = { recordings: async (call: string) => Number(left.delete(call)) };
    return { left, deletions: new Deletions(store, files, 60_000, logger).listen() };
  };
  const [one, two] = [node('a', 'b'), node('a', 'c')];
  expect(await one.deletions.delete('a')).toBe(1);
  await until('the other node', () => !two.left.has('a'));
  expect([[...one.left], [...two.left]]).toEqual([['b'], ['c']]);
  const late = node('a', 'd');
  await late.deletions.sweep();
  expect([...late.left]).toEqual(['d']);
  for (const { deletions } of [one, two, late]) await deletions.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});
