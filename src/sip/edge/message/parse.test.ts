import { describe, expect, it } from 'vitest';
import { admit, cutBody, markSource } from '../transport/received.js';
import type { Peer } from '../transport/transport.js';
import { listOf, parseCSeq, parseHostPort, parseNameAddress, parseVia, split } from './headers.js';
import { fieldOf, fieldsOf } from './message.js';
import { LIMITS, parseMessage } from './parse.js';
import { serialise, wireLength } from './serialise.js';
import { parseUri } from './uri.js';

const SOURCE: Peer = { protocol: 'udp', host: '127.0.0.1', port: 5062 };

function request(lines: string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const PLAIN = [
  'INVITE sip:8001@127.0.0.1 SIP/2.0',
  'v: SIP / 2.0 / UDP  [2001:db8::9:1]:5060;branch=z9hG4bKkdjuw, SIP/2.0/TCP b ; branch=z9hG4bK1',
  'f: "Bell, \\"A\\" <sip>" <sip:a;user=x@example.com;lr>;tag=1928',
  ' ;other="a;b"',
  't:sip:8001@example.com;x=1',
  'i: a84b4c76e66710@pc33',
  'CSeq: 0009 INVITE',
  'm: <sip:a@10.0.0.1>, "x, y" <sip:b@10.0.0.2>',
  'X-Odd-Header:',
];

function admitted(text: string) {
  const { message, fault } = parseMessage(text);
  if (!message || fault) return fault;
  const whole = cutBody(message);
  return 'kind' in whole ? admit(whole, SOURCE, text.length) : whole;
}

/** Why a request made of these lines, changed, is refused. */
function refusal(change: (lines: string[]) => string[], body = ''): unknown {
  const result = admitted(request(change(PLAIN), body));
  return result && 'status' in result ? result.status : undefined;
}

describe('parseMessage', () => {
  it('reads compact names, folded lines, quoted strings, comma lists and IPv6 references', () => {
    const { message, fault } = parseMessage(`\r\n\r\n${request(PLAIN, 'body')}`);
    expect(fault).toBeUndefined();
    if (message?.kind !== 'request') throw new Error('no request');
    expect([message.method, message.uri, message.body]).toEqual(['INVITE', 'sip:8001@127.0.0.1', 'body']);
    expect(message.headers.map((line) => line.name)).toEqual([
      'Via',
      'From',
      'To',
      'Call-ID',
      'CSeq',
      'Contact',
      'X-Odd-Header',
    ]);
    const from = parseNameAddress(fieldOf(message, 'from') ?? '');
    expect(from).toMatchObject({ display: '"Bell, \\"A\\" <sip>"', uri: 'sip:a;user=x@example.com;lr' });
    expect([...(from?.params ?? [])]).toEqual([
      ['tag', '1928'],
      ['other', '"a;b"'],
    ]);
    expect(parseNameAddress(fieldOf(message, 'to') ?? '')?.uri).toBe('sip:8001@example.com');
    expect(listOf(message, 'contact')).toHaveLength(2);
    expect(parseVia(split(fieldOf(message, 'via') ?? '', ',')[0] ?? '')).toMatchObject({
      transport: 'UDP',
      host: '2001:db8::9:1',
      port: 5060,
    });
    expect(admitted(request(PLAIN))).toMatchObject({ fromTag: '1928', cseq: { number: 9, method: 'INVITE' } });
  });

  it('gives back, serialised, what it read', () => {
    const text = request([...PLAIN.filter((line) => !line.startsWith(' ')), 'Content-Length: 3'], 'a\xffb');
    const once = serialise(parseMessage(text).message!);
    expect(serialise(parseMessage(once).message!)).toBe(once);
    expect(once.endsWith('Content-Length: 3\r\n\r\na\xffb')).toBe(true);
    expect(wireLength(parseMessage(text).message!)).toBe(once.length);
  });

  it('answers what is wrong by its kind', () => {
    const replace = (from: RegExp, to: string) => refusal((lines) => lines.map((line) => line.replace(from, to)));
    const add = (line: string, body = '') => refusal((lines) => [...lines, line], body);
    expect(refusal((lines) => lines)).toBeUndefined();
    for (const drop of ['v:', 'f:', 't:', 'i:', 'CSeq']) {
      expect(refusal((lines) => lines.filter((line) => !line.startsWith(drop)))).toBe(400);
    }
    expect(replace(/SIP\/2.0$/, 'SIP/7.0')).toBe(505);
    expect(replace(/^INVITE sip:/, 'INVITE isbn:')).toBe(416);
    expect(replace(/^INVITE sip:8001@127.0.0.1/, 'INVITE <sip:8001@127.0.0.1>')).toBe(400);
    expect(replace(/^INVITE sip:8001@127.0.0.1/, 'INVITE sip:a b@c')).toBe(400);
    expect(replace(/0009 INVITE/, '0009 OPTIONS')).toBe(400);
    expect(replace(/0009/, '36893488147419103232')).toBe(400);
    expect(replace(/^f: "Bell, \\"A\\" <sip>"/, 'f: "Bell')).toBe(400);
    expect(replace(/tag=1928/, 'tag=a|b')).toBe(400);
    expect(replace(/a84b4c76e66710/, 'a|b')).toBe(400);
    expect(replace(/^f:.*/, 'f: "bell \\\x07 null \\\0" <sip:a@b>;tag=1')).toBeUndefined();
    expect(replace(/^f:.*/, 'f: Bell, A <sip:a@b>;tag=1')).toBe(400);
    expect(replace(/^f:.*/, 'f: <sip:a@b>;;tag=1')).toBe(400);
    expect(replace(/^f:.*/, 'f: sip:a@b?x=y;tag=1')).toBe(400);
    expect(replace(/^t:.*/, 't: "A" < sip:a@b >')).toBe(400);
    expect(replace(/^m:.*/, 'm: "A" <sip:a@b>;;;;')).toBe(400);
    expect(replace(/^INVITE|INVITE$/g, 'REGISTER')).toBeUndefined();
    expect(refusal((lines) => lines.map((l) => l.replace(/INVITE/, 'REGISTER').replace('t:sip:', 't:isbn:')))).toBe(
      400,
    );
    expect(add('Max-Forwards: 0068')).toBeUndefined();
    expect(add('Record-Route: <sip:a')).toBe(400);
    expect(replace(/^m:.*/, 'm: *')).toBe(400);
    expect(add('no colon here')).toBe(400);
    expect(add('Bad\x00: x')).toBe(400);
    expect(add('X: a\nEvil: b')).toBe(400);
    expect(add('From: <sip:b@c>;tag=2')).toBe(400);
    expect(add('Max-Forwards: 300')).toBe(400);
    expect(add('Content-Length: 9', 'short')).toBe(400);
    expect(add('Content-Length: -9')).toBe(400);
    expect(refusal((lines) => [...lines, 'l: 1', 'Content-Length: 2'], 'xx')).toBe(400);
    expect(add('Content-Length: 2', 'longer')).toBeUndefined();
    expect(parseMessage('hello').message).toBeUndefined();
    expect(parseMessage('SIP/2.0 4294967301 big\r\n\r\n').message).toBeUndefined();
    expect(parseMessage('SIP/2.0 100 \r\n\r\n').message).toMatchObject({ status: 100, reason: '' });
  });

  it('keeps to its limits, and to linear time, whatever the filler', () => {
    const many = Array.from({ length: LIMITS.headers }, (_, i) => `X-${i}: y`);
    expect(refusal((lines) => [...lines, ...many])).toBe(400);
    expect(refusal((lines) => [...lines, `X: ${'y'.repeat(LIMITS.line)}`])).toBe(400);
    const room = 60_000;
    for (const filler of [' ', '\t', '"', '<', '\\', ',', ';', '\r\n ', '\r\n', ':', '/', '=', '@', '[', '%', '\xff']) {
      const fill = filler.repeat(room / filler.length);
      for (const name of ['Via', 'From', 'To', 'Contact', 'CSeq', 'Record-Route', 'X']) {
        admitted(request([...PLAIN.filter((line) => !/^[vftCm]/.test(line)), `${name}: ${fill}x`]));
      }
      admitted(request([`INVITE sip:${fill} SIP/2.0`, ...PLAIN.slice(1)]));
      split(fill, ',');
      parseNameAddress(fill);
      parseVia(`SIP/2.0/UDP${fill}h`);
      parseUri(`sip:${fill}`);
      parseHostPort(fill);
      parseCSeq(fill);
    }
  });
});

describe('markSource', () => {
  it('adds received and rport to the top Via only, whatever the client claimed (RFC 3581)', () => {
    const { message } = parseMessage(
      request(['OPTIONS sip:a SIP/2.0', 'Via: SIP/2.0/UDP h;rport;received=1.2.3.4;branch=z9hG4bK1, SIP/2.0/UDP i']),
    );
    if (message?.kind !== 'request') throw new Error('no request');
    const via = parseVia('SIP/2.0/UDP h;rport')!;
    expect(fieldsOf(markSource(message, via, SOURCE), 'via')).toEqual([
      'SIP/2.0/UDP h;branch=z9hG4bK1;received=127.0.0.1;rport=5062, SIP/2.0/UDP i',
    ]);
  });
});

describe('parseUri', () => {
  it('takes user, host, port, parameters and headers apart', () => {
    expect(parseUri('sip:a;b?c:pw@[::1]:5070;transport=TCP;lr?x=y')).toMatchObject({
      user: 'a;b?c:pw',
      host: '::1',
      port: 5070,
      headers: 'x=y',
    });
    expect(parseUri('sips:example.com')?.secure).toBe(true);
    for (const bad of ['sip:', 'http://a', 'sip:a:b', 'sip:a:0', 'sip:[::1', 'sip:a@b c']) {
      expect(parseUri(bad), bad).toBeUndefined();
    }
  });
});
