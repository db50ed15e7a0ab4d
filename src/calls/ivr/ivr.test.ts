import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { storeConfig } from '../../store/config.js';
import { openStore } from '../../store/open.js';
import type { Store } from '../../store/store.js';
import { createLogger } from '../../telemetry/log.js';
import { type ContextRules, ivrContext, USUAL_RULES } from './context.js';
import { Handoffs } from './handoffs.js';
import { maskNumbers } from './masks.js';

const logger = createLogger('silent');
let store: Store;
let folder: string;
let handoffs: Handoffs;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-ivr-'));
  store = await openStore(storeConfig.parse({}), folder, logger);
  handoffs = new Handoffs(store);
});

afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const DOCUMENT = {
  ivr: 'front desk',
  topic: 'orders',
  menu: ['Customers', 'Orders'],
  language: 'en-US',
  digits: [
    { name: 'orderNumber', digits: '482715' },
    { name: 'pin', digits: '9137', sensitive: true },
  ],
  transcript: [
    { at: '2020-01-01T00:00:00Z', who: 'ivr', text: 'Your PIN, please.' },
    { who: 'caller', text: '9137', from: 'dtmf' },
    { who: 'caller', text: 'my card is 4111 1111 1111 1111' },
  ],
  variables: { tier: 'gold', secret: 'abc' },
  sensitive: ['secret'],
};

function context(headers: Record<string, string>, rules: Partial<ContextRules> = {}, more = {}) {
  const invite = { headers, contentType: 'application/sdp', body: 'v=0', uri: 'sip:8001@parley', ...more };
  return ivrContext({ invite, from: '+49301', to: '8001', rules: { ...USUAL_RULES, ...rules }, handoffs, logger });
}

describe('a token', () => {
  const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();
  it.each<[string, (token: string) => Record<string, string>]>([
    ['User-to-User in hex', (token) => ({ 'User-to-User': `04${hex(token)};encoding=hex` })],
    ['User-to-User as text, second of a list', (token) => ({ 'user-to-user': `"a", ${token};encoding=text` })],
    ['Diversion', (token) => ({ Diversion: `<sip:${token}@ivr>;reason=unconditional` })],
    ['History-Info', (token) => ({ 'History-Info': `<sip:0800@x>;index=1,<sip:${token.toUpperCase()}@x>;index=1.1` })],
    ['P-Asserted-Identity', (token) => ({ 'P-Asserted-Identity': `"${token}" <sip:1@x>` })],
    ['Remote-Party-ID', (token) => ({ 'Remote-Party-ID': `<sip:1@x>;party=calling;context=${token}` })],
    ['Referred-By', (token) => ({ 'Referred-By': `<sip:ivr@x;handoff=${token}>` })],
    ['Call-Info', (token) => ({ 'Call-Info': `<https://ivr/context/${token}>;purpose=info` })],
    ['an X- header', (token) => ({ 'X-Context': token })],
  ])('is found in %s', async (_, headers) => {
    const { token } = await handoffs.create(DOCUMENT);
    const { variables, wants, events } = await context(headers(token));
    expect(variables).toMatchObject({ orderNumber: '482715', tier: 'gold', secret: 'abc', ivr: { choice: 'Orders' } });
    expect(wants).toEqual(['orders', 'Orders', 'Customers']);
    expect(events[0]?.event).toMatchObject({ type: 'ivr.segment', part: 'start', by: 'token', ivr: 'front desk' });
    const second = await context(headers(token));
    expect(second.variables).toEqual({});
    expect(second.events.map(({ event }) => event)).toContainEqual({
      type: 'error',
      code: 'PARLEY_ERR_HANDOFF_UNUSABLE',
      message: expect.stringContaining('used before'),
    });
  });

  it('of nobody is told of, and the call goes on', async () => {
    const { events, variables } = await context({ 'X-Context': `ho-${'a'.repeat(32)}` });
    expect(events[0]?.event).toMatchObject({ type: 'error', message: expect.stringContaining('not known') });
    expect(variables).toEqual({});
  });

  it('is given to one of two calls at the same time', async () => {
    const { token } = await handoffs.create(DOCUMENT);
    const all = await Promise.all([1, 2, 3].map(() => handoffs.take(token)));
    expect(all.filter((one) => typeof one === 'object')).toHaveLength(1);
  });

  it('ends', async () => {
    const { token } = await handoffs.create({ ttlMs: 1000 }, Date.now());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 1000 });
    expect(await handoffs.take(token)).toBe('unknown');
    vi.useRealTimers();
  });
});

describe('numbers', () => {
  it('match however they are written, once, and never where two wait', async () => {
    const pair = { ani: '0049 (30) 77', dnis: '8001' };
    await handoffs.create({ ...DOCUMENT, ...pair });
    expect(await handoffs.takeFor('+493077', '8002')).toBe('unknown');
    expect(await handoffs.takeFor('+493077', '8001')).toMatchObject({ document: { topic: 'orders' } });
    expect(await handoffs.takeFor('+493077', '8001')).toBe('unknown');
    await handoffs.create({ ...DOCUMENT, ...pair });
    await handoffs.create({ ...DOCUMENT, ...pair });
    expect(await handoffs.takeFor('+493077', '8001')).toBe('ambiguous');
    expect(await handoffs.takeFor('anonymous', '8001')).toBe('unknown');
  });

  it('match only within the window', async () => {
    const now = Date.now();
    await handoffs.create({ ani: '1', dnis: '2', windowMs: 5000 }, now);
    expect(await handoffs.takeFor('1', '2', now + 6000)).toBe('unknown');
    expect(await handoffs.takeFor('1', '2', now + 4000)).toMatchObject({ createdAt: now });
  });
});

it('journal: the IVR comes first, in its order, and what is secret is nowhere', async () => {
  const { token } = await handoffs.create(DOCUMENT);
  const stored = JSON.stringify(
    await Promise.all((await store.records.list('handoff:')).map((key) => store.records.get(key))),
  );
  expect(stored).not.toContain('9137');
  expect(stored).not.toContain(token);
  const { events, secrets } = await context({ 'X-Token': token });
  expect(secrets).toEqual({ secret: 'abc' });
  expect(events.every(({ at }) => at < 0)).toBe(true);
  expect(events.map(({ at }) => at)).toEqual(events.map(({ at }) => at).toSorted((a, b) => a - b));
  const text = JSON.stringify(events);
  for (const secret of ['9137', '4111 1111', 'abc']) expect(text).not.toContain(secret);
  expect(text).toContain('**** **** **** 1111');
});

it('headers become variables by the dialplan, and nothing else does', async () => {
  const headers = {
    'User-to-User': `${Buffer.from('{"order":"771204","vip":true}').toString('hex')};encoding=hex`,
    'X-Crm': 'id=77&name=Zo%C3%AB',
    Diversion: '<sip:2000@pbx>;reason=no-answer',
  };
  const variables = { orderNumber: 'User-to-User.order', crm: 'x-crm.name', why: 'Diversion.reason', none: 'X-Other' };
  const mapped = await context(headers, { variables, sensitive: ['crm', 'none'] });
  expect(mapped.variables).toEqual({ orderNumber: '771204', crm: 'Zoë', why: 'no-answer' });
  expect(mapped.secrets).toEqual({ crm: 'Zoë' });
  expect(mapped.events).toEqual([
    { event: expect.objectContaining({ part: 'signalling', diversion: ['2000'] }), at: 0 },
  ]);
  expect((await context(headers)).variables).toEqual({});
  expect((await context(headers, { trust: true })).variables).toMatchObject({ order: '771204', vip: true });
});

it('a JSON part counts where the dialplan trusts it, and a faulty one is told of', async () => {
  const body = (json: string) =>
    `--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\nContent-Type: application/json\r\n\r\n${json}\r\n--b--`;
  const more = (json: string) => ({ contentType: 'multipart/mixed;boundary=b', body: body(json) });
  const { wants, variables } = await context({}, { trust: true }, more('{"topic":"refund","variables":{"a":1}}'));
  expect([wants, variables.a]).toEqual([['refund'], 1]);
  const faulty = await context({}, { trust: true }, more('{"topic": 5}'));
  expect(faulty.events[0]?.event).toMatchObject({ code: 'PARLEY_ERR_HANDOFF_UNUSABLE' });
  expect((await context({}, {}, more('{"topic":"refund"}'))).wants).toEqual([]);
});

it('a store that does not answer costs the call its context, and no more than the time for it', async () => {
  const never = { records: { ...store.records, get: () => new Promise<never>(() => {}) } } as unknown as Store;
  const invite = { headers: { 'X-T': `ho-${'b'.repeat(32)}` }, contentType: undefined, body: '', uri: '' };
  const waiting = { invite, from: '1', to: '2', rules: USUAL_RULES, handoffs: new Handoffs(never), logger };
  const { events } = await ivrContext(waiting, 20);
  expect(events[0]?.event).toMatchObject({ type: 'error', message: expect.stringContaining('within 20 ms') });
});

it('masks what can be a card number, and no other', () => {
  expect(maskNumbers('4111111111111111 or 4111-1111-1111-1112')).toBe('************1111 or 4111-1111-1111-1112');
});
