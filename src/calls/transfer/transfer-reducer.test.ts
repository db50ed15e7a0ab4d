import { describe, expect, it } from 'vitest';
import { plainTarget, targetsConfig } from '../targets/config.js';
import type { Destination, Plan, PlanStep } from '../targets/targets.js';
import { reduceTransfer } from './transfer-reducer.js';
import { newTransfer, type TransferEvent, type TransferState } from './transfer-state.js';
import { dispositionOf } from './transfer-step.js';

type Settings = Record<string, unknown>;
/** Without its time: each comes 10 ms after the one before. */
type Said = TransferEvent extends infer E ? (E extends TransferEvent ? Omit<E, 'at'> : never) : never;

function destination(target: string, settings: Settings = {}): Destination {
  const { [target]: config = plainTarget('sip:x@y') } = targetsConfig.parse({
    [target]: { uri: `sip:${target}@pbx`, ...settings },
  });
  return { target, name: target, uri: `sip:${target}@pbx`, route: undefined, settings: config };
}

function dial(...targets: (string | [string, Settings])[]): PlanStep {
  return {
    type: 'dial',
    destinations: targets.map((t) => (typeof t === 'string' ? destination(t) : destination(...t))),
  };
}

const refer = (target: string): PlanStep => ({ type: 'refer', destination: destination(target, { method: 'refer' }) });
const plan = (...steps: PlanStep[]): Plan => ({ target: 'desk', steps, queue: undefined });
const queued = (...steps: PlanStep[]): Plan => ({
  target: 'desk',
  steps,
  queue: { maxWaitMs: 1000, retryMs: 100, announceMs: 300, announcement: '' },
});

/** What is done about a row of events, told shortly; clocks that are cleared are left out. */
function run(given: Plan, ...events: Said[]): { state: TransferState; did: string[] } {
  let state = newTransfer(given, 'request');
  const did: string[] = [];
  let at = 0;
  const running = new Set<string>();
  for (const event of [{ type: 'begin' } as Said, ...events]) {
    at += 10;
    const step = reduceTransfer(state, { ...event, at } as TransferEvent);
    state = step.state;
    for (const effect of step.effects) {
      if (effect.type === 'timer') running.add(effect.name);
      else if (effect.type === 'clear') running.delete(effect.name);
      else if (effect.type === 'journal') {
        const { event: e } = effect;
        if (e.type === 'transfer.attempt') did.push(`attempt ${e.target} ${e.disposition}`);
        if (e.type === 'transfer.finished') did.push(`finished ${e.disposition}`);
      } else if (effect.type === 'over') did.push(`over ${effect.outcome.type}`);
      else if (effect.type === 'dial') did.push(`dial ${effect.destination.target}`);
      else if (effect.type === 'report') did.push(`report ${effect.leg} ${effect.status}`);
      else if (effect.type === 'announce') did.push(`announce ${effect.place}`);
      else if (effect.type === 'queue' || effect.type === 'wait')
        did.push(`${effect.type} ${effect.on ? 'on' : 'off'}`);
      else did.push('leg' in effect ? `${effect.type} ${effect.leg}` : effect.type);
    }
  }
  if (state.phase === 'over') {
    // Nothing is left: no leg, no clock.
    expect([...running]).toEqual([]);
    expect(Object.values(state.legs).every((leg) => leg.phase === 'gone')).toBe(true);
  }
  return { state, did };
}

const on = (leg: string): Said => ({ type: 'answered', leg });
const refused = (leg: string, status: number): Said => ({ type: 'refused', leg, status, reason: '' });
const deflected = (leg: string, to?: string): Said => ({
  ...{ type: 'refused', leg, status: 302, reason: '' },
  elsewhere: to === undefined ? undefined : plan(dial(to)),
});
const briefed = (leg: string): Said => ({ type: 'briefed', leg });
const key = (leg: string, digit: string): Said => ({ type: 'key', leg, digit });
const left = (leg: string): Said => ({ type: 'left', leg, reason: 'BYE' });
const words = (leg: string, answer: 'yes' | 'no' | undefined): Said => ({ type: 'words', leg, answer });
const callerLeft: Said = { type: 'caller.left', taken: false };
const timer = (
  name:
    | `ring:${string}`
    | `accept:${string}`
    | `ask:${string}`
    | `voice:${string}`
    | `pause:${string}`
    | 'retry'
    | 'announce'
    | 'queue',
): Said => ({ type: 'timer', name });
const voice = (up: boolean): Said => ({ type: 'voice', leg: 'p1', on: up });
const beep: Said = { type: 'beep', leg: 'p1' };
const FAILED_BY_MACHINE = [
  ...['wait on', 'dial anna', 'brief p1', 'attempt anna voicemail', 'drop p1', 'wait off', 'finished voicemail'],
  'over failed',
];
const taken = [on('p1'), briefed('p1'), key('p1', '1')];

it('is told who has sent the call on: by name, not by where a user has logged in from', () => {
  const anna = { ...destination('anna', { uri: undefined, user: 'anna' }), uri: 'sip:x7@192.168.1.20:5062' };
  const begun = reduceTransfer(newTransfer(plan({ type: 'dial', destinations: [anna] }), ''), { type: 'begin', at: 0 });
  const { effects } = reduceTransfer(begun.state, { ...deflected('p1', 'carl'), at: 1 } as TransferEvent);
  const dialled = effects.flatMap((effect) => (effect.type === 'dial' ? [effect.destination.divertedBy] : []));
  expect(dialled).toEqual(['anna']);
});

describe('a warm transfer', () => {
  it.each<[string, Plan, Said[], string[]]>([
    [
      'is briefed, taken by a key, joined, and ended by the caller',
      plan(dial('anna')),
      [...taken, callerLeft],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'wait off',
        'join p1',
        'finished answered',
        'bridged',
        'drop p1',
        'wait off',
        'over caller.left',
      ],
    ],
    [
      'is ended by the person',
      plan(dial('anna')),
      [...taken, left('p1')],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'wait off',
        'join p1',
        'finished answered',
        'bridged',
        'drop p1',
        'wait off',
        'over person.left',
      ],
    ],
    [
      'is sent elsewhere by a phone: to a target, once, then to the next',
      plan(dial('anna'), dial('bert')),
      [deflected('p1', 'carl'), deflected('p2', 'dora'), deflected('p3'), callerLeft],
      [
        ...['wait on', 'dial anna', 'dial carl', 'attempt anna deflected', 'drop p1'],
        ...['attempt carl deflected', 'drop p2', 'dial bert'],
        ...['attempt bert deflected', 'drop p3', 'wait off', 'finished deflected', 'over failed'],
      ],
    ],
    [
      'is sent by a phone to one that rings as well',
      plan(dial('anna', 'bert')),
      [deflected('p1', 'bert'), refused('p2', 486)],
      [
        ...['wait on', 'dial anna', 'dial bert', 'attempt anna deflected', 'drop p1'],
        ...['attempt bert busy', 'drop p2', 'wait off', 'finished busy', 'over failed'],
      ],
    ],
    [
      'finds the person busy, and the next one takes it in the middle of the briefing',
      plan(dial('anna'), dial('bert')),
      [refused('p1', 486), on('p2'), key('p2', '1')],
      [
        'wait on',
        'dial anna',
        'attempt anna busy',
        'drop p1',
        'dial bert',
        'brief p2',
        'wait off',
        'join p2',
        'finished answered',
        'bridged',
      ],
    ],
    [
      'finds nobody',
      plan(dial('anna')),
      [timer('ring:p1')],
      ['wait on', 'dial anna', 'attempt anna no-answer', 'drop p1', 'wait off', 'finished no-answer', 'over failed'],
    ],
    [
      'is declined by key',
      plan(dial('anna')),
      [on('p1'), key('p1', '5'), key('p1', '2')],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'attempt anna declined',
        'drop p1',
        'wait off',
        'finished declined',
        'over failed',
      ],
    ],
    [
      'loses the person in the middle of the briefing',
      plan(dial('anna'), dial('bert')),
      [on('p1'), left('p1')],
      ['wait on', 'dial anna', 'brief p1', 'attempt anna declined', 'drop p1', 'dial bert'],
    ],
    [
      'is not taken in time',
      plan(dial('anna')),
      [on('p1'), briefed('p1'), timer('ask:p1'), timer('accept:p1')],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'ask p1',
        'attempt anna no-answer',
        'drop p1',
        'wait off',
        'finished no-answer',
        'over failed',
      ],
    ],
    [
      'reaches a machine that no key tells apart from a person',
      plan(dial(['anna', { accept: 'voice' }])),
      [on('p1'), { type: 'voice', leg: 'p1', on: true }, timer('voice:p1')],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'attempt anna voicemail',
        'drop p1',
        'wait off',
        'finished voicemail',
        'over failed',
      ],
    ],
    [
      'reaches a machine that pauses between its sentences',
      plan(dial(['anna', { accept: 'voice' }])),
      [on('p1'), voice(true), voice(false), voice(true), timer('voice:p1')],
      [...FAILED_BY_MACHINE],
    ],
    [
      'reaches a machine that beeps',
      plan(dial(['anna', { accept: 'voice' }])),
      [on('p1'), beep, voice(true), voice(false), timer('pause:p1'), beep],
      [...FAILED_BY_MACHINE],
    ],
    [
      'gives who beeps a moment for the key',
      plan(dial('anna')),
      [on('p1'), voice(true), beep, timer('accept:p1')],
      [...FAILED_BY_MACHINE],
    ],
    [
      'names a machine that presses no key',
      plan(dial('anna')),
      [on('p1'), { type: 'voice', leg: 'p1', on: true }, timer('voice:p1'), briefed('p1'), timer('accept:p1')],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'attempt anna voicemail',
        'drop p1',
        'wait off',
        'finished voicemail',
        'over failed',
      ],
    ],
    [
      'is taken by voice, but not by a greeting',
      plan(dial(['anna', { accept: 'voice' }])),
      [on('p1'), words('p1', 'yes'), briefed('p1'), words('p1', undefined), words('p1', 'yes')],
      ['wait on', 'dial anna', 'brief p1', 'wait off', 'join p1', 'finished answered', 'bridged'],
    ],
    [
      'is declined by voice',
      plan(dial(['anna', { accept: 'voice' }])),
      [on('p1'), briefed('p1'), words('p1', 'no')],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'attempt anna declined',
        'drop p1',
        'wait off',
        'finished declined',
        'over failed',
      ],
    ],
    [
      'dials an extension first, and is introduced',
      plan(dial(['anna', { extension: ',12', accept: 'answer', briefing: false, introduction: 'hello' }])),
      [on('p1'), { type: 'keyed', leg: 'p1' }],
      ['wait on', 'dial anna', 'keys p1', 'wait off', 'join p1', 'finished answered', 'bridged', 'introduce p1'],
    ],
    [
      'rings several at once: who takes it first has it, and a late answer is hung up',
      plan(dial('anna', 'bert', 'carl')),
      [refused('p3', 603), on('p2'), key('p2', '1'), on('p1')],
      [
        'wait on',
        'dial anna',
        'dial bert',
        'dial carl',
        'attempt carl declined',
        'drop p3',
        'brief p2',
        'attempt anna answered-elsewhere',
        'drop p1',
        'wait off',
        'join p2',
        'finished answered',
        'bridged',
        'drop p1',
      ],
    ],
    [
      'passes over who is closed or not registered, and goes to another agent in the end',
      plan(
        { type: 'skip', target: 'night', disposition: 'closed', reason: '' },
        { type: 'skip', target: 'dora', disposition: 'unavailable', reason: '' },
        { type: 'agent', target: 'other', agent: 'clinic' },
      ),
      [],
      ['wait on', 'attempt night closed', 'attempt dora unavailable', 'wait off', 'finished agent', 'over agent'],
    ],
    [
      'ends with a call-back',
      plan(dial('anna'), { type: 'callback', target: 'later', message: 'noted' }),
      [refused('p1', 500)],
      [
        'wait on',
        'dial anna',
        'attempt anna failed',
        'drop p1',
        'call-back',
        'wait off',
        'finished call-back',
        'over callback',
      ],
    ],
  ])('%s', (_, given, events, did) => {
    expect(run(given, ...events).did).toEqual(did);
  });

  it.each<[string, Said[]]>([
    ['while it rings', []],
    ['while it is ringing, and told so', [{ type: 'ringing', leg: 'p1' }]],
    ['at the answer', [on('p1')]],
    ['after the briefing', [on('p1'), briefed('p1')]],
    ['after the first has failed', [refused('p1', 486)]],
    ['while a second is briefed', [refused('p1', 486), on('p2')]],
  ])('leaves nothing when the caller hangs up %s, whatever comes after', (_, events) => {
    const both: Said[] = [left('p1'), on('p1'), key('p1', '1'), refused('p2', 487), briefed('p2'), callerLeft];
    const { state, did } = run(plan(dial('anna'), dial('bert')), ...events, callerLeft, ...both);
    expect(state.phase).toBe('over');
    expect(did.filter((what) => what.startsWith('over'))).toEqual(['over caller.left']);
    expect(did).toContain('finished cancelled-by-caller');
    expect(did).not.toContain('bridged');
  });

  it.each<[string, Said[]]>([
    ['caller first', [callerLeft, left('p1')]],
    ['person first', [left('p1'), callerLeft]],
  ])('ends once when both hang up at once: %s', (_, events) => {
    const { did } = run(plan(dial('anna')), ...taken, ...events);
    expect(did.filter((what) => what.startsWith('over'))).toHaveLength(1);
    expect(did.filter((what) => what.startsWith('finished'))).toEqual(['finished answered']);
  });

  it('is stopped from outside', () => {
    expect(run(plan(dial('anna')), on('p1'), { type: 'stop', reason: 'shutdown', ending: true }).did.slice(-4)).toEqual(
      ['drop p1', 'wait off', 'finished failed', 'over stopped'],
    );
  });
});

describe('a transfer by REFER', () => {
  const told = (accepted: boolean, status?: number): Said => ({ type: 'reported', accepted, status, reason: '' });

  it.each<[string, Plan, Said[], string[]]>([
    [
      'succeeds',
      plan(refer('anna')),
      [told(true, 200)],
      ['wait on', 'refer', 'wait off', 'finished answered', 'over gone'],
    ],
    [
      'fails after 202, and the next is called',
      plan(refer('anna'), dial('bert')),
      [told(false, 486)],
      ['wait on', 'refer', 'attempt anna busy', 'dial bert'],
    ],
    [
      'is taken, and the caller gone',
      plan(refer('anna')),
      [{ type: 'caller.left', taken: true }, told(true)],
      ['wait on', 'refer', 'wait off', 'finished answered', 'over gone'],
    ],
    [
      'loses the caller before it is taken',
      plan(refer('anna')),
      [callerLeft],
      ['wait on', 'refer', 'wait off', 'finished cancelled-by-caller', 'over caller.left'],
    ],
    [
      'attended: the two are connected without us',
      plan(dial(['anna', { method: 'attended' }])),
      [...taken, left('p1'), told(true, 200)],
      ['wait on', 'dial anna', 'brief p1', 'attend p1', 'drop p1', 'wait off', 'finished answered', 'over gone'],
    ],
    [
      'attended, and refused: they are joined here',
      plan(dial(['anna', { method: 'attended' }])),
      [...taken, told(false, 501)],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'attend p1',
        'attempt anna failed',
        'wait off',
        'join p1',
        'finished answered',
        'bridged',
      ],
    ],
    [
      'attended, refused, and the person is gone meanwhile',
      plan(dial(['anna', { method: 'attended' }])),
      [...taken, left('p1'), told(false, 603)],
      [
        'wait on',
        'dial anna',
        'brief p1',
        'attend p1',
        'drop p1',
        'attempt anna declined',
        'wait off',
        'finished declined',
        'over failed',
      ],
    ],
  ])('%s', (_, given, events, did) => {
    expect(run(given, ...events).did).toEqual(did);
  });
});

describe('a queue', () => {
  const place = (n: number): Said => ({ type: 'place', place: n });

  it('tells the place, calls when it is the first, and again while all are busy', () => {
    const { did } = run(
      queued(dial('anna')),
      place(2),
      timer('announce'),
      place(1),
      refused('p1', 486),
      timer('retry'),
      on('p2'),
      key('p2', '1'),
    );
    expect(did).toEqual([
      'wait on',
      'queue on',
      'announce 2',
      'announce 2',
      'dial anna',
      'attempt anna busy',
      'drop p1',
      'announce 1',
      'dial anna',
      'brief p2',
      'queue off',
      'wait off',
      'join p2',
      'finished answered',
      'bridged',
    ]);
  });

  it('gives up after the longest wait', () => {
    expect(run(queued(dial('anna')), place(3), timer('queue')).did.slice(-4)).toEqual([
      'queue off',
      'wait off',
      'finished busy',
      'over failed',
    ]);
  });

  it('does not wait where everything is closed', () => {
    const { did } = run(queued({ type: 'skip', target: 'anna', disposition: 'closed', reason: '' }), place(1));
    expect(did.slice(-2)).toEqual(['finished closed', 'over failed']);
  });
});

describe('a person hands the caller on', () => {
  const on2: Said = { type: 'handed-on', leg: 'p1', plan: plan(dial('bert')) };
  const asked = ['unjoin p1', 'wait on', 'dial bert'];
  const joined = run(plan(dial('anna')), ...taken).did.length;
  const then = (...events: Said[]) => run(plan(dial('anna')), ...taken, ...events).did.slice(joined);

  it('to somebody who answers', () => {
    expect(then(on2, on('p2'))).toEqual([
      'report p1 202',
      ...asked,
      'report p1 200',
      'drop p1',
      'wait off',
      'join p2',
      'finished answered',
      'bridged',
    ]);
  });

  it('and goes before the answer', () => {
    expect(then(on2, left('p1'), on('p2')).slice(-4)).toEqual(['wait off', 'join p2', 'finished answered', 'bridged']);
  });

  it('to somebody busy, and has the caller back', () => {
    expect(then(on2, refused('p2', 486))).toEqual([
      'report p1 202',
      ...asked,
      'attempt bert busy',
      'drop p2',
      'report p1 486',
      'wait off',
      'join p1',
      'finished answered',
      'bridged',
    ]);
  });

  it('to somebody busy, and is gone: the agent has the caller back', () => {
    expect(then(on2, left('p1'), refused('p2', 486)).at(-1)).toBe('over failed');
  });

  it('to nobody known', () => {
    expect(then({ type: 'handed-on', leg: 'p1', plan: undefined })).toEqual(['report p1 403']);
  });

  it('twice at once', () => {
    expect(then(on2, on2).at(-1)).toBe('report p1 491');
  });

  it('and the caller hangs up meanwhile', () => {
    expect(then(on2, callerLeft).slice(-6)).toEqual([
      'report p1 487',
      'drop p1',
      'drop p2',
      'wait off',
      'finished cancelled-by-caller',
      'over caller.left',
    ]);
  });
});

it('reads refusals', () => {
  expect([302, 380, 486, 600, 603, 480, 408, 404, 503].map(dispositionOf)).toEqual([
    'deflected',
    'failed',
    'busy',
    'busy',
    'declined',
    'no-answer',
    'no-answer',
    'unavailable',
    'failed',
  ]);
});
