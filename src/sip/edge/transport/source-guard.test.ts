import { describe, expect, it } from 'vitest';
import { parseMessage } from '../message/parse.js';
import { admit, type ReceivedRequest } from './received.js';
import { DEFENCE, SourceGuard } from './source-guard.js';

const HOST = '192.0.2.7';

function request(method: string, user: string, options: { host?: string; tcp?: boolean; extra?: string } = {}) {
  const text = [
    `${method} sip:${user}@192.0.2.1 SIP/2.0`,
    'Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1',
    'From: <sip:a@192.0.2.7>;tag=1',
    `To: <sip:${user}@192.0.2.1>`,
    'Call-ID: c',
    `CSeq: 1 ${method}`,
    ...(options.extra === undefined ? [] : [options.extra]),
  ];
  const { message } = parseMessage(`${text.join('\r\n')}\r\n\r\n`);
  const protocol = options.tcp ? 'tcp' : 'udp';
  const received = message && admit(message, { protocol, host: options.host ?? HOST, port: 5060 }, 300);
  if (!received || 'status' in received || received.message.kind !== 'request') throw new Error('unusable');
  return { ...received, message: received.message } satisfies ReceivedRequest;
}

function guardAt(clock: { now: number }): SourceGuard {
  return new SourceGuard(DEFENCE, () => clock.now);
}

const times = <T>(count: number, action: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => action(i));

describe('what one source may ask for', () => {
  it('is bounded by its rate, and comes back with time; loopback is exempt', () => {
    const clock = { now: 1e6 };
    const guard = guardAt(clock);
    const send = (host: string) => guard.admit(request('OPTIONS', 'x', { host }), 0);
    expect(new Set(times(DEFENCE.burst, () => send(HOST)))).toEqual(new Set(['take']));
    expect(send(HOST)).toBe('rate');
    expect(guard.mayAnswer(HOST)).toBe(false);
    expect(send('192.0.2.8')).toBe('take');
    clock.now += 1000;
    expect(times(DEFENCE.requestsPerSecond + 1, () => send(HOST)).at(-1)).toBe('rate');
    expect(new Set(times(5000, () => send('127.0.0.1')))).toEqual(new Set(['take']));
  });

  it('counts an IPv6 network as one source', () => {
    const guard = guardAt({ now: 1e6 });
    times(DEFENCE.burst, (i) => guard.admit(request('OPTIONS', 'x', { host: `2001:db8:1:2::${i}` }), 0));
    expect(guard.admit(request('OPTIONS', 'x', { host: '2001:db8:1:2::ffff' }), 0)).toBe('rate');
    expect(guard.admit(request('OPTIONS', 'x', { host: '2001:db8:1:3::1' }), 0)).toBe('take');
  });

  it('is few INVITEs over UDP until it has shown that it gets the answers', () => {
    const guard = guardAt({ now: 1e6 });
    const invite = (tcp = false) => guard.admit(request('INVITE', 'x', { tcp }), 0);
    times(DEFENCE.unconfirmed, () => expect(invite()).toBe('take'));
    expect(invite()).toBe('unconfirmed');
    expect(invite(true)).toBe('take');
    guard.confirm(HOST);
    expect(invite()).toBe('take');
  });

  it('ends when all transactions together are too many', () => {
    const guard = guardAt({ now: 1e6 });
    const host = '127.0.0.1';
    expect(guard.admit(request('INVITE', 'x', { host }), DEFENCE.transactions)).toBe('overload');
  });
});

describe('a scanner', () => {
  it('is known by many refused targets, and unanswered for a while', () => {
    const clock = { now: 1e6 };
    const guard = guardAt(clock);
    const marks = times(DEFENCE.scannerTargets, (i) => guard.answered(request('REGISTER', `${100 + i}`), 404));
    expect(marks.filter(Boolean)).toHaveLength(1);
    expect(guard.admit(request('INVITE', '8001'), 0)).toBe('blocked');
    expect(guard.mayAnswer(HOST)).toBe(false);
    clock.now += DEFENCE.blockMs;
    expect(guard.admit(request('INVITE', '8001'), 0)).toBe('take');
  });

  it('is not the trunk with some wrong numbers, nor phones that answer their challenge, nor slow', () => {
    const clock = { now: 1e6 };
    const guard = guardAt(clock);
    const trunk = times(200, (i) => guard.answered(request('INVITE', `${i}`), i % 4 === 0 ? 404 : 200));
    expect(trunk.some(Boolean)).toBe(false);
    clock.now += 60_000;
    for (let i = 0; i < 100; i++) {
      expect(guard.answered(request('REGISTER', `p${i}`), 401)).toBe(false);
      guard.admit(request('REGISTER', `p${i}`, { extra: 'Authorization: Digest username="p"' }), 0);
      expect(guard.answered(request('REGISTER', `p${i}`), 200)).toBe(false);
    }
    for (let i = 0; i < 100; i++) {
      clock.now += 1000;
      expect(guard.answered(request('INVITE', `w${i}`), 404)).toBe(false);
    }
  });
});
