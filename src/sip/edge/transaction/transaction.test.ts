import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { header, type SipRequest, type SipResponse } from '../message/message.js';
import { DEFAULT_TIMINGS, Timers } from '../timers.js';
import {
  type ClientFailure,
  InviteClientTransaction,
  NonInviteClientTransaction,
  type TransactionSetup,
} from './client-transaction.js';
import { InviteServerTransaction, NonInviteServerTransaction } from './server-transaction.js';

/** Times at which something was sent, in ms since the start. */
let sent: number[];
let sentMessages: (SipRequest | SipResponse)[];
let heard: (number | ClientFailure)[];
let ended: number | undefined;
let timers: Timers;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  sent = [];
  sentMessages = [];
  heard = [];
  ended = undefined;
  timers = new Timers((error) => {
    throw error;
  });
});

afterEach(() => {
  expect(timers.count).toBe(0);
  vi.useRealTimers();
});

function setup(reliable: boolean): TransactionSetup & { send: (message: SipRequest | SipResponse) => void } {
  return {
    timers,
    timings: DEFAULT_TIMINGS,
    reliable,
    send: (message) => {
      sent.push(Date.now());
      sentMessages.push(message);
    },
  };
}

function request(method: string): SipRequest {
  const headers = [
    header('Via', 'SIP/2.0/UDP h;branch=z9hG4bK1'),
    header('Route', '<sip:p;lr>'),
    header('To', '<sip:b>'),
    header('CSeq', `7 ${method}`),
  ];
  return { kind: 'request', method, uri: 'sip:b', headers, body: '' };
}

function response(status: number): SipResponse {
  return { kind: 'response', status, reason: '', headers: [header('To', '<sip:b>;tag=t')], body: '' };
}

/** `never`: the two kinds take the same setup, which a generic constructor cannot say. */
function client<T>(make: new (setup: never) => T, method: string, reliable: boolean): T {
  const options = {
    ...setup(reliable),
    request: request(method),
    owner: {
      response: (message: SipResponse) => heard.push(message.status),
      failed: (failure: ClientFailure) => heard.push(failure),
    },
    ended: () => {
      ended = Date.now();
    },
  };
  return new make(options as never);
}

function server<T>(make: new (setup: never) => T, reliable: boolean): T {
  const finish = () => {
    ended = Date.now();
  };
  return new make({ ...setup(reliable), ended: finish } as never);
}

describe('INVITE client transaction', () => {
  it('repeats by timer A and gives up by timer B', () => {
    client(InviteClientTransaction, 'INVITE', false).start();
    vi.advanceTimersByTime(40_000);
    expect(sent).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect([heard, ended]).toEqual([['timeout'], 32_000]);
  });

  it('stops repeating on 1xx, acknowledges each 486 with its To and route, and ends by timer D', () => {
    const transaction = client(InviteClientTransaction, 'INVITE', false);
    transaction.start();
    transaction.receive(response(180));
    vi.advanceTimersByTime(100_000);
    transaction.receive(response(486));
    transaction.receive(response(486));
    expect(sent).toEqual([0, 100_000, 100_000]);
    const ack = sentMessages[2]!;
    expect(ack).toMatchObject({ method: 'ACK', uri: 'sip:b' });
    expect(ack.headers.map((line) => `${line.name}: ${line.value}`)).toEqual([
      'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
      'Route: <sip:p;lr>',
      'Max-Forwards: 70',
      'To: <sip:b>;tag=t',
      'CSeq: 7 ACK',
    ]);
    vi.advanceTimersByTime(32_000);
    expect([heard, ended]).toEqual([[180, 486], 132_000]);
  });

  it('hands every repeated 2xx up for 64*T1 (RFC 6026)', () => {
    const transaction = client(InviteClientTransaction, 'INVITE', true);
    transaction.start();
    transaction.receive(response(200));
    transaction.receive(response(200));
    transaction.receive(response(486));
    vi.advanceTimersByTime(32_000);
    transaction.receive(response(200));
    expect([heard, ended, sent.length]).toEqual([[200, 200], 32_000, 1]);
  });

  it('gives a cancelled peer 64*T1 to answer', () => {
    const transaction = client(InviteClientTransaction, 'INVITE', true);
    transaction.start();
    transaction.receive(response(180));
    transaction.cancelled();
    vi.advanceTimersByTime(32_000);
    expect(heard).toEqual([180, 'timeout']);
  });
});

describe('non-INVITE client transaction', () => {
  it('repeats by timer E up to T2 and gives up by timer F', () => {
    client(NonInviteClientTransaction, 'OPTIONS', false).start();
    vi.advanceTimersByTime(40_000);
    expect(sent).toEqual([0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    expect([heard, ended]).toEqual([['timeout'], 32_000]);
  });

  it('repeats every T2 after 1xx, hands one final response up and ends by timer K', () => {
    const transaction = client(NonInviteClientTransaction, 'OPTIONS', false);
    transaction.start();
    transaction.receive(response(100));
    vi.advanceTimersByTime(8000);
    transaction.receive(response(200));
    transaction.receive(response(200));
    vi.advanceTimersByTime(5000);
    expect(sent).toEqual([0, 4000, 8000]);
    expect([heard, ended]).toEqual([[100, 200], 13_000]);
  });

  it('fails when its transport does, and ends at once over TCP', () => {
    client(NonInviteClientTransaction, 'OPTIONS', true).transportFailed();
    expect(heard).toEqual(['transport']);
    const other = client(NonInviteClientTransaction, 'OPTIONS', true);
    other.start();
    other.receive(response(200));
    vi.advanceTimersByTime(0);
    expect(timers.count).toBe(0);
  });
});

describe('INVITE server transaction', () => {
  it('repeats its last provisional response for a repeated request', () => {
    const transaction = server(InviteServerTransaction, false);
    transaction.repeated();
    transaction.respond(response(100));
    transaction.respond(response(180));
    transaction.repeated();
    expect(sentMessages.map((m) => (m.kind === 'response' ? m.status : 0))).toEqual([100, 180, 180]);
    transaction.end();
  });

  it('repeats a 486 by timer G until its ACK, and lingers by timer I', () => {
    const transaction = server(InviteServerTransaction, false);
    transaction.respond(response(486));
    vi.advanceTimersByTime(4000);
    transaction.acknowledged();
    transaction.respond(response(200));
    vi.advanceTimersByTime(10_000);
    expect(sent).toEqual([0, 500, 1500, 3500]);
    expect(ended).toBe(9000);
  });

  it('gives up waiting for an ACK by timer H', () => {
    server(InviteServerTransaction, true).respond(response(486));
    vi.advanceTimersByTime(40_000);
    expect([sent, ended]).toEqual([[0], 32_000]);
  });

  it('absorbs repeated requests after a 2xx (RFC 6026), and ends when nobody ever answers', () => {
    const transaction = server(InviteServerTransaction, false);
    transaction.respond(response(200));
    transaction.repeated();
    vi.advanceTimersByTime(32_000);
    expect([sent, ended]).toEqual([[0], 32_000]);
    server(InviteServerTransaction, false);
    vi.advanceTimersByTime(300_000);
    expect(ended).toBe(332_000);
  });
});

describe('non-INVITE server transaction', () => {
  it('repeats its response for repeated requests until timer J', () => {
    const transaction = server(NonInviteServerTransaction, false);
    transaction.respond(response(200));
    transaction.repeated();
    vi.advanceTimersByTime(32_000);
    expect([sent, ended]).toEqual([[0, 0], 32_000]);
  });

  it('is dropped without an answer when the application has none', () => {
    server(NonInviteServerTransaction, false);
    vi.advanceTimersByTime(32_000);
    expect([sent, ended]).toEqual([[], 32_000]);
  });
});
