import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type Srf from 'drachtio-srf';
import { describe, expect, it, vi } from 'vitest';
import { createLogger } from '../telemetry/log.js';
import { sipConfig } from './config.js';
import { Dialog, type DialogEvents, type ReplacingInvite, type Taker } from './dialog.js';
import { ReplaceableDialogs } from './replaceable.js';
import { SessionInterval } from './session-interval.js';

/** A dialog of drachtio-srf's, and what was answered to the requests that come in it. */
function established() {
  const { sessionTimer } = sipConfig.parse({});
  const sip = { callId: 'c1', localTag: 'ours', remoteTag: 'theirs' };
  const destroy = (_: object, done: (error: unknown) => void) => done(undefined);
  const raw = Object.assign(new EventEmitter(), { sip, local: {}, remote: {}, destroy });
  const replaceable = new ReplaceableDialogs<Taker>();
  const interval = new SessionInterval(sessionTimer);
  const logger = createLogger('silent');
  const dialog = new Dialog(raw as unknown as Srf.Dialog, sessionTimer, interval, logger, replaceable);
  const answers: string[] = [];
  const comes = (method: string, headers: Record<string, string> = {}, body = '') => {
    const has = (name: string) => name in headers;
    const req = { method, body, has, get: (name: string) => headers[name] };
    const send = (status: number, { body: sdp }: { body?: string } = {}) =>
      void answers.push([method, status, sdp].filter(Boolean).join(' '));
    raw.emit(method === 'INVITE' ? 'modify' : method.toLowerCase(), req, { send });
  };
  const key = (digit: string) => comes('INFO', { 'Content-Type': 'application/dtmf-relay' }, `Signal=${digit}\r\n`);
  const taken = () => {
    const take = replaceable.find('c1;to-tag=ours;from-tag=theirs');
    const reject = (status: number) => answers.push(`Replaces ${status}`);
    if (typeof take === 'function') take({ reject } as unknown as ReplacingInvite);
  };
  return { dialog, raw, comes, key, taken, answers };
}

function listener() {
  const told: string[] = [];
  const events: DialogEvents = {
    ack: (answer) => told.push(`ack ${answer}`),
    ended: (reason) => told.push(`ended ${reason}`),
    offered: async (offer) => {
      told.push(`offered ${offer}`);
      return 'ours';
    },
    key: ({ digit }) => told.push(`key ${digit}`),
    json: (body) => told.push(`json ${body}`) > 0,
    referred: (request) => {
      told.push(`referred ${request.uri}`);
      request.refuse(486);
    },
    replaced: (invite) => {
      told.push('replaced');
      invite.reject(503);
    },
  };
  return { told, events };
}

const SDP = { 'Content-Type': 'application/sdp' };

describe('what comes right after the ACK, before anybody listens', () => {
  it('is held back, and told in order to who listens then', async () => {
    const { dialog, raw, comes, key, taken, answers } = established();
    raw.emit('ack', { body: 'answer' });
    key('4');
    comes('INVITE', SDP, 'theirs');
    comes('INFO', { 'Content-Type': 'application/json' }, '{"a":1}');
    comes('REFER', { 'Refer-To': '<sip:anna@pbx>' });
    taken();
    key('2');
    raw.emit('destroy', {}, 'BYE');
    expect(answers).toEqual([]);
    const { told, events } = listener();
    dialog.listen(events);
    expect(told).toEqual([
      'ack answer',
      'key 4',
      'offered theirs',
      'json {"a":1}',
      'referred sip:anna@pbx',
      'replaced',
      'key 2',
      'ended BYE',
    ]);
    await setImmediate();
    expect(answers.sort()).toEqual([
      'INFO 200',
      'INFO 200',
      'INFO 200',
      'INVITE 200 ours',
      'REFER 486',
      'Replaces 503',
    ]);
  });

  it('is told on, whatever one of those who are told makes of it', () => {
    const { dialog, raw, key } = established();
    key('4');
    raw.emit('destroy', {}, 'BYE');
    const { told, events } = listener();
    const broken = () => {
      throw new Error('broken');
    };
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    try {
      dialog.listen({ ...events, key: broken });
      expect(told).toEqual(['ended BYE']);
      expect(() => vi.runAllTimers(), 'for the log, and the call that it is of').toThrow('broken');
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([false, true])('is refused when nobody ever will, the peer gone first: %s', async (gone) => {
    const { dialog, raw, comes, key, taken, answers } = established();
    key('4');
    comes('INVITE', SDP, 'theirs');
    comes('REFER', { 'Refer-To': '<sip:anna@pbx>' });
    taken();
    if (gone) raw.emit('destroy', {}, 'BYE');
    await dialog.bye('no longer wanted');
    key('2');
    await setImmediate();
    expect(answers.sort()).toEqual(['INFO 200', 'INFO 200', 'INVITE 488', 'REFER 603', 'Replaces 481']);
  });
});
