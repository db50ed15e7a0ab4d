import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/kit/until.js';
import { storeConfig } from '../../store/config.js';
import { openStore } from '../../store/open.js';
import { createLogger } from '../../telemetry/log.js';
import { targetsConfig } from './config.js';
import { CallQueues } from './queues.js';
import { checkTargets, Targets, targetProblems } from './targets.js';

const config = targetsConfig.parse({
  desk: { uri: 'sip:desk@pbx.example.com', fallback: ['night'] },
  night: { number: '+4930123', trunk: 'carrier', hours: { open: [{ days: 'sat-sun', from: '00:00', to: '24:00' }] } },
  anna: { user: 'anna' },
  team: { hunt: ['desk', 'anna'], order: 'simultaneous' },
  queue: { hunt: ['anna'], queue: {} },
  referred: { uri: 'sip:r@pbx.example.com', method: 'refer' },
});
const MONDAY = Date.parse('2026-11-23T12:00:00Z');
const SUNDAY = Date.parse('2026-11-22T12:00:00Z');
const trunk = { name: 'carrier', host: 'sip.carrier.example;transport=tcp' };

function targets(now = MONDAY, phones: string[] = []): Targets {
  return new Targets(
    config,
    [trunk],
    { lookup: async () => phones.map((contact) => ({ contact, received: 'sip:10.0.0.9' })) },
    () => now,
  );
}

describe('targets', () => {
  it('are tried with their fallbacks, as hours and registrations are now', async () => {
    const told = async (name: string, now = MONDAY, phones: string[] = []) =>
      (await targets(now, phones).plan(name))?.steps.map((step) =>
        step.type === 'dial'
          ? step.destinations.map(({ uri }) => uri)
          : step.type === 'skip'
            ? step.disposition
            : step.type,
      );
    expect(await told('desk')).toEqual([['sip:desk@pbx.example.com'], 'closed']);
    expect(await told('desk', SUNDAY)).toEqual([
      ['sip:desk@pbx.example.com'],
      ['sip:+4930123@sip.carrier.example;transport=tcp'],
    ]);
    expect(await told('anna')).toEqual(['unavailable']);
    const two = ['sip:anna@10.0.0.1:5070', 'sip:anna@10.0.0.2'];
    expect(await told('team', MONDAY, two)).toEqual(['closed', ['sip:desk@pbx.example.com', ...two]]);
    expect(await told('referred')).toEqual(['refer']);
  });

  it.each([
    ['sip:evil@example.com'],
    ['evil'],
    ['constructor'],
    ['desk;sip:evil@example.com'],
    ['sip:desk@pbx.example.com@evil.example'],
    [''],
  ])('are nobody when %s is asked for, whoever asks', async (name) => {
    expect(await targets().plan(name)).toBeUndefined();
    expect(await targets().plan(name, ['sip:own@pbx.example.com'])).toBeUndefined();
  });

  it('need no store but for those who register in it', async () => {
    const lookup = async () => Promise.reject(new Error('the store is away'));
    const plan = await new Targets(config, [trunk], { lookup }, () => MONDAY).plan('team');
    expect(plan?.steps.map(({ type }) => type).sort()).toEqual(['dial', 'skip', 'skip']);
    expect(plan?.steps).toContainEqual({
      ...{ type: 'skip', target: 'anna', disposition: 'unavailable', reason: 'the store is away' },
    });
  });

  it('may be the URI of the agent file itself, by REFER', async () => {
    const plan = await targets().plan('sip:own@pbx.example.com', ['sip:own@pbx.example.com']);
    expect(plan?.steps).toMatchObject([{ type: 'refer', destination: { uri: 'sip:own@pbx.example.com' } }]);
  });

  it('are what a phone may hand on to, and what is dialled is the configured URI', async () => {
    const uris = async (uri: string) => (await targets(SUNDAY).planFor(uri))?.target;
    expect(await uris('sip:desk@PBX.example.com:5060;transport=evil')).toBe('desk');
    expect(await uris('sip:desk@evil.example')).toBe('desk');
    expect(await uris('sip:+4930123@anything')).toBe('night');
    expect(await uris('sip:evil@pbx.example.com')).toBeUndefined();
    expect(await uris('sips:')).toBeUndefined();
  });

  it('are checked', () => {
    const wrong = targetsConfig.parse({
      a: { hunt: ['b', 'nobody'] },
      b: { uri: 'sip:b@x', fallback: ['a'] },
      c: { number: '1', trunk: 'none' },
    });
    expect(targetProblems(wrong, new Set()).map(({ path }) => path.join('.'))).toEqual([
      'a.hunt.0',
      'a.hunt.1',
      'b.fallback.0',
      'c.trunk',
    ]);
    expect(targetProblems(config, new Set(['carrier']))).toEqual([]);
    expect(() =>
      checkTargets(config, [{ name: 'x', escalation: { target: undefined, triggers: [{ target: 'unknown' }] } }]),
    ).toThrow('unknown');
    expect(() => checkTargets(targetsConfig.parse({ x: { agent: 'y' } }), [])).toThrow('"y"');
  });

  it('have lines in which everybody moves up', () => {
    const queues = new CallQueues();
    const told: string[] = [];
    const leave = ['a', 'b', 'c'].map((who) => queues.join('desk', (place) => told.push(`${who}${place}`)));
    leave[0]?.();
    leave[0]?.();
    leave[2]?.();
    expect(told).toEqual(['a1', 'b2', 'c3', 'b1', 'c2']);
    leave[1]?.();
    expect(queues.waiting).toBe(0);
    const places: string[] = [];
    for (const [who, priority] of [
      ['a', 0],
      ['b', 0],
      ['vip', 5],
    ] as const)
      queues.join('desk', (n) => places.push(`${who}${n}`), priority);
    // Who is being put through already stays the first.
    expect(places).toEqual(['a1', 'b2', 'vip2', 'b3']);
  });

  it('have one line for all nodes that share a store, also when one of them is gone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-queues-'));
    const store = await openStore(storeConfig.parse({}), folder, createLogger('silent'));
    const told: string[] = [];
    const [here, there] = [new CallQueues({ store, everyMs: 50 }), new CallQueues({ store, everyMs: 50 })];
    const wait = async (queues: CallQueues, who: string, place: number, priority = 0) => {
      const leave = queues.join('desk', (n) => told.push(`${who}${n}`), priority);
      await until(`${who} in place ${place}`, () => told.includes(`${who}${place}`));
      return leave;
    };
    const leaveA = await wait(here, 'a', 1);
    const leaveB = await wait(there, 'b', 2);
    const leaveC = await wait(here, 'c', 3);
    const leaveV = await wait(there, 'vip', 2, 5);
    await until('the others', () => told.includes('b3') && told.includes('c4'));
    leaveA();
    await until('the next', () => told.includes('vip1') && told.includes('b2') && told.includes('c3'));
    expect(told.filter((one) => one.endsWith('1'))).toEqual(['a1', 'vip1']);
    for (const leave of [leaveV, leaveB, leaveC]) leave();
    expect(here.waiting + there.waiting).toBe(0);
    await until('nothing left', async () => (await store.records.list('queue:')).length === 0);
    // A node that died: its place ends by itself.
    await store.records.set('queue:desk:0-000-dead', '', { ttlMs: 300 });
    const leaveD = await wait(here, 'd', 2);
    await until('the first', () => told.includes('d1'));
    leaveD();
    await until('nothing left', async () => (await store.records.list('queue:')).length === 0);
    await store.close();
    await rm(folder, { recursive: true });
  });
});
