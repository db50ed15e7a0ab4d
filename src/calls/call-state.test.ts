import { describe, expect, it } from 'vitest';
import { type CallEvent, type CallState, initialCall, reduceCall } from './call-state.js';

const ANSWER = {
  type: 'answer',
  agent: 'orders',
  notice: undefined,
  earlyMedia: false,
  record: false,
  variables: {},
} as const;
const HANGUP = {
  type: 'finished',
  afterwards: { type: 'hangup', reason: 'done', by: 'agent' },
  target: undefined,
} as const;
const TRANSFER = {
  type: 'finished',
  afterwards: { type: 'transfer', target: 'desk', reason: 'asked' },
  target: 'sip:desk@127.0.0.1',
} as const;
const FAILED = {
  type: 'transfer.over',
  outcome: { type: 'failed', disposition: 'busy', reason: '486' },
} as const;
const LEFT = (afterwards: 'hangup' | 'agent') =>
  ({ type: 'transfer.over', outcome: { type: 'person.left', afterwards, reason: 'BYE' } }) as const;

/** Effects of a sequence of events, as `type` or `type:detail`. */
function run(...events: CallEvent[]): { effects: string[]; state: CallState } {
  let state = initialCall;
  const effects: string[] = [];
  for (const event of events) {
    const step = reduceCall(state, event);
    state = step.state;
    effects.push(
      ...step.effects.map((e) => {
        if (e.type === 'release') return `release:${e.by}`;
        if (e.type === 'reject') return `reject:${e.status}`;
        return e.type;
      }),
    );
  }
  return { effects, state };
}

const UP: CallEvent[] = [
  { type: 'routed', action: ANSWER },
  { type: 'prepared', early: false },
  { type: 'answered' },
  { type: 'confirmed' },
];

describe('legs', () => {
  it.each<[string, CallEvent[], string[]]>([
    [
      'is answered, talks, and the caller hangs up',
      [...UP, { type: 'peer.ended', reason: 'BYE' }],
      ['prepare', 'answer', 'begin', 'release:caller'],
    ],
    [
      'can not be prepared, and goes to its fallback',
      [
        { type: 'routed', action: ANSWER },
        { type: 'unprepared', status: 503, reason: 'no port', redirect: { target: 'desk' } },
      ],
      ['prepare', 'redirect', 'release:error'],
    ],
    ['begins once for ACK and first RTP', [...UP, { type: 'confirmed' }], ['prepare', 'answer', 'begin']],
    ['the agent hangs up', [...UP, HANGUP], ['prepare', 'answer', 'begin', 'bye', 'release:agent']],
    [
      'is cancelled while being prepared',
      [{ type: 'routed', action: ANSWER }, { type: 'cancelled' }, { type: 'prepared', early: false }],
      ['prepare', 'release:cancelled'],
    ],
    [
      'is cancelled while 200 is on its way',
      [
        { type: 'routed', action: ANSWER },
        { type: 'prepared', early: false },
        { type: 'cancelled' },
        { type: 'answered' },
      ],
      ['prepare', 'answer', 'release:cancelled', 'bye'],
    ],
    [
      'loses its media while being prepared',
      [
        { type: 'routed', action: ANSWER },
        { type: 'lost', reason: 'media worker lost' },
      ],
      ['prepare', 'reject:500', 'release:error'],
    ],
    [
      'cannot be answered',
      [
        { type: 'routed', action: ANSWER },
        { type: 'prepared', early: false },
        { type: 'answer.failed', reason: 'too long' },
      ],
      ['prepare', 'answer', 'reject:500', 'release:error'],
    ],
    ['has no entry', [{ type: 'routed', action: undefined }], ['reject:404', 'release:rejected']],
    [
      'is redirected',
      [{ type: 'routed', action: { type: 'redirect', to: { uri: 'sip:x@y' } } }],
      ['redirect', 'release:transfer'],
    ],
    [
      'finds no port',
      [
        { type: 'routed', action: ANSWER },
        { type: 'unprepared', status: 503, reason: 'no port' },
      ],
      ['prepare', 'reject:503', 'release:error'],
    ],
    [
      'is handed over',
      [...UP, TRANSFER, { type: 'transfer.over', outcome: { type: 'gone' } }],
      ['prepare', 'answer', 'begin', 'transfer', 'bye', 'release:transfer'],
    ],
    [
      'goes on when handing over fails',
      [...UP, TRANSFER, FAILED, HANGUP],
      ['prepare', 'answer', 'begin', 'transfer', 'go-on', 'bye', 'release:agent'],
    ],
    [
      'has nobody to be handed to',
      [...UP, { ...TRANSFER, target: undefined }],
      ['prepare', 'answer', 'begin', 'go-on'],
    ],
    [
      'the peer hangs up after taking the REFER',
      [...UP, TRANSFER, { type: 'peer.ended', reason: 'BYE', transferred: true }],
      ['prepare', 'answer', 'begin', 'transfer', 'release:transfer'],
    ],
    [
      'the caller hangs up while somebody is called',
      [
        ...UP,
        TRANSFER,
        { type: 'peer.ended', reason: 'BYE' },
        { type: 'transfer.over', outcome: { type: 'caller.left' } },
      ],
      ['prepare', 'answer', 'begin', 'transfer', 'release:caller'],
    ],
    [
      'is joined with a person, who hangs up',
      [...UP, TRANSFER, { type: 'bridged' }, LEFT('hangup')],
      ['prepare', 'answer', 'begin', 'transfer', 'bye', 'release:person'],
    ],
    [
      'is with the agent again after the person',
      [...UP, TRANSFER, { type: 'bridged' }, LEFT('agent'), HANGUP],
      ['prepare', 'answer', 'begin', 'transfer', 'go-on', 'bye', 'release:agent'],
    ],
    [
      'goes on with another agent, or with a word about the call-back',
      [
        ...UP,
        TRANSFER,
        { type: 'transfer.over', outcome: { type: 'agent', agent: 'clinic', target: 'x' } },
        TRANSFER,
        { type: 'transfer.over', outcome: { type: 'callback', message: 'noted' } },
      ],
      ['prepare', 'answer', 'begin', 'transfer', 'switch', 'transfer', 'go-on'],
    ],
    [
      'is ended from outside while joined with a person',
      [...UP, TRANSFER, { type: 'bridged' }, { type: 'hang-up', reason: 'API' }],
      ['prepare', 'answer', 'begin', 'transfer', 'bye', 'release:agent'],
    ],
    [
      'is shut down before the answer',
      [{ type: 'routed', action: ANSWER }, { type: 'shutdown' }],
      ['prepare', 'reject:503', 'release:shutdown'],
    ],
    [
      'has its notice heard before the answer',
      [
        { type: 'routed', action: ANSWER },
        { type: 'prepared', early: true },
        { type: 'noticed' },
        { type: 'answered' },
        { type: 'confirmed' },
      ],
      ['prepare', 'progress', 'answer', 'begin'],
    ],
    [
      'is cancelled during its notice',
      [
        { type: 'routed', action: ANSWER },
        { type: 'prepared', early: true },
        { type: 'cancelled' },
        { type: 'noticed' },
      ],
      ['prepare', 'progress', 'release:cancelled'],
    ],
    [
      'is silent and hung up',
      [...UP, { type: 'silent', action: 'hangup', target: 'sip:desk@127.0.0.1', reason: 'no RTP' }],
      ['prepare', 'answer', 'begin', 'bye', 'release:error'],
    ],
    [
      'is silent and handed to people, who may not be reached',
      [
        ...UP,
        { type: 'silent', action: 'fallback', target: 'sip:desk@127.0.0.1', reason: 'no RTP' },
        { type: 'silent', action: 'fallback', target: 'sip:desk@127.0.0.1', reason: 'no RTP' },
        FAILED,
      ],
      ['prepare', 'answer', 'begin', 'transfer', 'go-on'],
    ],
    [
      'is silent and there is nobody to hand it to',
      [...UP, { type: 'silent', action: 'fallback', target: undefined, reason: 'no RTP' }],
      ['prepare', 'answer', 'begin', 'bye', 'release:error'],
    ],
    [
      'is silent before there is a dialog',
      [
        { type: 'routed', action: ANSWER },
        { type: 'silent', action: 'hangup', target: undefined, reason: 'no RTP' },
      ],
      ['prepare'],
    ],
    [
      'is shut down while talking',
      [...UP, { type: 'shutdown' }],
      ['prepare', 'answer', 'begin', 'bye', 'release:shutdown'],
    ],
  ])('%s', (_, events, effects) => {
    expect(run(...events).effects).toEqual(effects);
  });
});
