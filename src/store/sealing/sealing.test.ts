import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisServer } from '../../../test/kit/redis.js';
import { createLogger } from '../../telemetry/log.js';
import { storeConfig } from '../config.js';
import { openPlainStore, openStore } from '../open.js';
import type { Store } from '../store.js';
import { Keyring } from './keyring.js';
import { rekeyStore } from './rekey.js';

const logger = createLogger('silent');
const [OLD, NEW] = [randomBytes(32).toString('base64'), randomBytes(32).toString('hex')] as const;
const SPOKEN = 'my order is a wheelbarrow';

let server: RedisServer;
let folder: string;

beforeAll(async () => {
  server = await RedisServer.create();
  folder = await mkdtemp(join(tmpdir(), 'parley-sealing-'));
});

afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

describe.each(['files', 'redis'] as const)('encryption at rest: %s', (kind) => {
  const data = () => join(folder, kind);

  async function config(...keys: string[]) {
    const keysFile = keys.length > 0 ? join(folder, 'keys') : undefined;
    if (keysFile) await writeFile(keysFile, `# the first encrypts\n${keys.join('\n')}\n`);
    return storeConfig.parse({ kind, redis: { url: server.url }, encryption: { keysFile } });
  }

  async function using<T>(keys: string[], work: (store: Store) => Promise<T>): Promise<T> {
    const store = await openStore(await config(...keys), data(), logger);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  const write = (store: Store) =>
    Promise.all([
      store.streams.append(
        'call-1',
        [1, 2].map((seq) => ({ seq, data: JSON.stringify({ seq, text: SPOKEN }) })),
      ),
      store.records.set('callback-1', SPOKEN),
      store.records.increment('counter', 3),
      store.blobs.put('clip/1', Buffer.from(SPOKEN)),
    ]);

  const read = async (store: Store) => [
    (await store.streams.read('call-1', 1)).map((entry) => JSON.parse(entry.data).text),
    (await store.records.get('callback-1'))?.value,
    String(await store.blobs.get('clip/1')),
  ];

  it('is read as it was written, and nowhere is it plain', async () => {
    await using([OLD], write);
    expect(await using([OLD], read)).toEqual([[SPOKEN], SPOKEN, SPOKEN]);
    expect(await using([OLD], (store) => store.records.increment('counter'))).toBe(4);
    const lies = await everything(kind, data());
    expect(lies).toContain('parley1.');
    expect(lies).not.toMatch(/wheelbarrow/);
  });

  it('says which key is missing, and notices what was changed or moved', async () => {
    const missing = { code: 'PARLEY_ERR_KEY_MISSING' };
    await expect(using([], read)).rejects.toMatchObject(missing);
    await expect(using([NEW], read)).rejects.toMatchObject(missing);
    const plain = await openPlainStore(await config(OLD), data(), logger);
    const [first, second] = await plain.streams.read('call-1');
    await plain.streams.replace('call-1', [
      { seq: 1, data: second?.data ?? '' },
      { seq: 2, data: second?.data.replace(/.{3}"$/, 'AAA"') ?? '' },
    ]);
    const broken = { code: 'PARLEY_ERR_SEAL_BROKEN' };
    await expect(using([OLD], (store) => store.streams.read('call-1', 0, 1))).rejects.toMatchObject(broken);
    await expect(using([OLD], (store) => store.streams.read('call-1', 1))).rejects.toMatchObject(broken);
    await plain.streams.replace(
      'call-1',
      [first, second].flatMap((entry) => entry ?? []),
    );
    await plain.close();
    expect(await using([OLD], read)).toEqual([[SPOKEN], SPOKEN, SPOKEN]);
  });

  it('takes another key: old and new are read, and after rekey the old one is not needed', async () => {
    await using([], (store) => store.records.set('plain-before', SPOKEN));
    await using([NEW, OLD], (store) => store.streams.append('call-2', [{ seq: 1, data: '{"n":1}' }]));
    expect(await using([NEW, OLD], read)).toEqual([[SPOKEN], SPOKEN, SPOKEN]);
    const plain = await openPlainStore(await config(NEW, OLD), data(), logger);
    const keys = Keyring.read(join(folder, 'keys'));
    expect(await rekeyStore(plain, keys)).toEqual({ streams: 1, records: 2, failed: [] });
    expect(await rekeyStore(plain, keys)).toEqual({ streams: 0, records: 0, failed: [] });
    await plain.close();
    await using([NEW], async (store) => {
      expect((await store.streams.read('call-1')).map(({ seq }) => seq)).toEqual([1, 2]);
      expect((await store.records.get('plain-before'))?.value).toBe(SPOKEN);
      expect((await store.records.get('callback-1'))?.value).toBe(SPOKEN);
    });
  });

  it('starts with no key file that it does not understand', async () => {
    await expect(using(['too short'], read)).rejects.toMatchObject({ code: 'PARLEY_ERR_KEY_FILE' });
  });
});

/** All bytes of a store. */
async function everything(kind: 'files' | 'redis', root: string): Promise<string> {
  if (kind === 'files') {
    const names = await readdir(root, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name)));
    return Buffer.concat(await Promise.all(files)).toString('latin1');
  }
  const client = await createClient({ url: server.url }).connect();
  try {
    const all: unknown[] = [];
    for (const key of await client.keys('*')) {
      const type = await client.type(key);
      if (type === 'stream') all.push(await client.xRange(key, '-', '+'));
      else if (type === 'hash') all.push(await client.hGetAll(key));
      else if (type === 'string') all.push(await client.get(key));
    }
    return JSON.stringify(all);
  } finally {
    client.destroy();
  }
}
