import { describe, expect, it, vi } from 'vitest';
import type { StreamEntry } from '../../store/store.js';
import { createLogger } from '../../telemetry/log.js';
import { messageOf } from './control-tap.js';
import { renderLadder } from './ladder.js';
import { maskMessage } from './masking.js';
import { readTrace, SipTraces } from './traces.js';
import type { WireMessage } from './wire.js';

const SDP = ['v=0', 'c=IN IP4 192.0.2.7', 'm=audio 4000 RTP/AVP 0 101', 'a=crypto:1 AES inline:c2VjcmV0', ''].join(
  '\r\n',
);

function message(first: string, method: string, callId: string, headers: string[] = [], body = ''): string {
  return [first, `CSeq: 1 ${method}`, `i: ${callId}`, ...headers, '', body].join('\r\n');
}

function wire(out: boolean, text: string, at = 0): WireMessage {
  return { at, out, protocol: 'udp', host: '192.0.2.7', port: 5060, text };
}

function traces(messages = 100) {
  const kept = new Map<string, StreamEntry[]>();
  const streams = {
    append: async (stream: string, entries: readonly StreamEntry[]) => void kept.set(stream, [...entries]),
    read: async (stream: string) => kept.get(stream) ?? [],
    expire: vi.fn(async () => undefined),
  };
  const options = { messages, maskedHeaders: ['X-*', 'User-to-User'], retentionMs: 5000 };
  const made = new SipTraces(streams as never, options, createLogger('silent'));
  return { traces: made, streams };
}

describe('SIP traces', () => {
  it('keeps all legs of a call, in order, also what came before anybody knew whose it was', async () => {
    const { traces: own, streams } = traces();
    own.seen(wire(false, message('INVITE sip:8001@h SIP/2.0', 'INVITE', 'a'), 1000));
    own.seen(wire(false, message('REGISTER sip:h SIP/2.0', 'REGISTER', 'r')));
    own.claim('a', 'c1', 'caller');
    own.claim('b', 'c1', 'desk');
    own.seen(wire(true, message('SIP/2.0 200 OK', 'INVITE', 'a'), 1010));
    own.seen(wire(true, message('INVITE sip:desk@h SIP/2.0', 'INVITE', 'b'), 1005));
    own.seen(wire(true, message('INVITE sip:other@h SIP/2.0', 'INVITE', 'z'), 1006));
    const seen = await own.read('c1');
    expect(seen.map(({ leg, at }) => [leg, at])).toEqual([
      ['caller', 1000],
      ['desk', 1005],
      ['caller', 1010],
    ]);
    await own.close();
    expect(await readTrace(streams, 'c1')).toEqual(seen);
    expect(streams.expire).toHaveBeenCalledWith('sip-c1', 5000);
  });

  it('is bounded: the beginning and the end stay', async () => {
    const { traces: own } = traces(50);
    own.claim('a', 'c1', 'caller');
    for (let n = 0; n < 200; n++) own.seen(wire(true, message(`INFO sip:${n} SIP/2.0`, 'INFO', 'a'), n));
    const times = (await own.read('c1')).map(({ at }) => at);
    expect(times).toHaveLength(50);
    expect([times[0], times[39], times[40], times.at(-1)]).toEqual([0, 39, 190, 199]);
    await own.close();
  });

  it('holds no credentials, keys, masked headers, or bodies that are no SDP', () => {
    const text = message(
      'INVITE sip:8001@h SIP/2.0',
      'INVITE',
      'a',
      ['Authorization: Digest username="u",\r\n response="s3cret"', 'X-Account: 4711', 'c: application/sdp'],
      SDP,
    );
    const masked = maskMessage(text, ['x-*']);
    expect(masked).not.toMatch(/s3cret|4711|c2VjcmV0/);
    expect(masked).toContain('m=audio 4000');
    expect(masked).toContain('Authorization: ***');
    const keys = maskMessage(
      message('INFO sip:h SIP/2.0', 'INFO', 'a', ['Content-Type: application/dtmf-relay'], 'Signal=7'),
      [],
    );
    expect(keys).not.toContain('Signal');
    expect(keys).toContain('[8 bytes of application/dtmf-relay: not kept]');
  });

  it('reads the frames of a drachtio-server both ways', () => {
    const invite = message('INVITE sip:8001@h SIP/2.0', 'INVITE', 'a');
    const came = messageOf(`1|sip|network|300|udp|192.0.2.7|5060|10:00:00.1|txn|\r\n${invite}`);
    expect(came).toMatchObject({ out: false, host: '192.0.2.7', port: 5060, text: invite });
    const sent = messageOf(`1|response|7|OK|network|300|tcp|192.0.2.8|5070|10:00:00.1|txn|d||Msg sent:|\r\n${invite}`);
    expect(sent).toMatchObject({ out: true, protocol: 'tcp', host: '192.0.2.8', port: 5070 });
    expect(messageOf('1|response|7|OK|pong')).toBeUndefined();
  });

  it('is drawn with Parley between the caller and whom it calls', () => {
    const row = (leg: string, out: boolean, text: string, at: number) => {
      return { at, leg, out, protocol: 'udp', peer: leg === 'caller' ? '192.0.2.7:5060' : '192.0.2.9:5060', text };
    };
    const lines = renderLadder(
      [
        row('caller', false, message('INVITE sip:8001@h SIP/2.0', 'INVITE', 'a', ['c: application/sdp'], SDP), 1000),
        row('caller', true, message('SIP/2.0 200 OK', 'INVITE', 'a'), 1100),
        row('caller', true, message('SIP/2.0 200 OK', 'INVITE', 'a'), 1600),
        row('desk', true, message('INVITE sip:desk@h SIP/2.0', 'INVITE', 'b'), 2000),
        row('desk', false, message('SIP/2.0 180 Ringing', 'INVITE', 'b'), 2100),
      ],
      1000,
      [{ at: 1100, text: 'answered' }],
    );
    expect(lines[0]).toMatch(/caller +Parley +desk/);
    expect(lines[1]).toMatch(/udp 192.0.2.7:5060 +udp 192.0.2.9:5060/);
    expect(lines[2]).toMatch(/^ +0\.000 {2}\|-+ INVITE \[PCMU\+1 192\.0\.2\.7:4000\] -+>\| +\|$/);
    expect(lines[3]).toMatch(/^ +0\.100 {2}\|<-+ 200 OK -+\| +\|$/);
    expect(lines[4]).toMatch(/answered$/);
    expect(lines[5]).toContain('200 OK (again)');
    expect(lines[6]).toMatch(/^ +1\.000 {2}\| +\|-+ INVITE -+>\|$/);
    expect(lines[7]).toMatch(/\| +\|<-+ 180 Ringing -+\|$/);
  });
});
