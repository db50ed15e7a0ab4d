import { randomBytes } from 'node:crypto';
import { rtpHeader } from './rtp-peer.js';

/** Something wrong to send, and what is wrong with it. */
export interface Wrong {
  name: string;
  bytes: Buffer;
}

/** Placeholders that a good INVITE is made from; each case spoils one of them. */
interface Parts {
  start: string;
  headers: Record<string, string>;
  body: string;
}

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 39990 RTP/AVP 0',
  'a=rtpmap:0 PCMU/8000',
  '',
].join('\r\n');

function good(port: number): Parts {
  return {
    start: 'OPTIONS sip:8001@127.0.0.1 SIP/2.0',
    headers: {
      Via: `SIP/2.0/UDP 127.0.0.1:${port};rport;branch=z9hG4bK${random()}`,
      'Max-Forwards': '70',
      From: `<sip:wrong@127.0.0.1>;tag=${random()}`,
      To: '<sip:8001@127.0.0.1>',
      'Call-ID': `${random()}@wrong`,
      CSeq: '1 OPTIONS',
      Contact: `<sip:wrong@127.0.0.1:${port}>`,
    },
    body: '',
  };
}

function invite(port: number, sdp = SDP): Parts {
  const parts = good(port);
  parts.start = 'INVITE sip:8001@127.0.0.1 SIP/2.0';
  parts.headers.CSeq = '1 INVITE';
  parts.headers['Content-Type'] = 'application/sdp';
  parts.body = sdp;
  return parts;
}

function written({ start, headers, body }: Parts): Buffer {
  const all = { 'Content-Length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${start}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** SIP datagrams that no server should fall over, none of which may begin a call that stays. */
export function wrongSip(port: number): Wrong[] {
  return [
    ...rubbish(),
    ...truncated(port),
    ...spoiltHeaders(port),
    ...oversized(port),
    ...outOfOrder(port),
    ...badSdp(port),
  ];
}

function rubbish(): Wrong[] {
  return [
    { name: 'one byte', bytes: Buffer.from([0]) },
    { name: 'keep-alive', bytes: Buffer.from('\r\n\r\n') },
    { name: 'only a start line', bytes: Buffer.from('INVITE sip:8001@127.0.0.1 SIP/2.0') },
    { name: 'only line breaks', bytes: Buffer.from('\r\n'.repeat(2000)) },
    { name: 'random bytes', bytes: randomBytes(1400) },
    { name: 'HTTP', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n') },
    { name: 'RTP on the SIP port', bytes: Buffer.concat([rtpHeader(1, 1, 1), randomBytes(160)]) },
  ];
}

function truncated(port: number): Wrong[] {
  const whole = written(invite(port));
  const cuts = Array.from({ length: 12 }, (_, i) => Math.floor(((i + 1) * whole.length) / 13));
  return cuts.map((length) => ({ name: `INVITE cut after ${length} bytes`, bytes: whole.subarray(0, length) }));
}

function spoiltHeaders(port: number): Wrong[] {
  const cases: [string, (parts: Parts) => void][] = [
    ...['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards'].map((name): [string, (parts: Parts) => void] => [
      `without ${name}`,
      ({ headers }) => {
        delete headers[name];
      },
    ]),
    ['SIP/3.0', (parts) => Object.assign(parts, { start: parts.start.replace('2.0', '3.0') })],
    ['no request URI', (parts) => Object.assign(parts, { start: 'OPTIONS  SIP/2.0' })],
    ['unknown scheme', (parts) => Object.assign(parts, { start: 'OPTIONS gopher:x SIP/2.0' })],
    ['status out of range', (parts) => Object.assign(parts, { start: 'SIP/2.0 9999999999 Much' })],
    ['response to nothing', (parts) => Object.assign(parts, { start: 'SIP/2.0 200 OK' })],
    ['CSeq without a number', ({ headers }) => Object.assign(headers, { CSeq: 'OPTIONS' })],
    ['CSeq of 2^40', ({ headers }) => Object.assign(headers, { CSeq: '1099511627776 OPTIONS' })],
    ['CSeq of another method', ({ headers }) => Object.assign(headers, { CSeq: '1 BYE' })],
    ['negative Content-Length', ({ headers }) => Object.assign(headers, { 'Content-Length': '-5' })],
    ['Content-Length beyond the datagram', ({ headers }) => Object.assign(headers, { 'Content-Length': '9999' })],
    ['Content-Length in words', ({ headers }) => Object.assign(headers, { 'Content-Length': 'many' })],
    ['Via of 4 colons', ({ headers }) => Object.assign(headers, { Via: '::::' })],
    ['open quote', ({ headers }) => Object.assign(headers, { From: '"Mallory <sip:m@x>;tag=1' })],
    ['open bracket', ({ headers }) => Object.assign(headers, { To: '<sip:8001@127.0.0.1' })],
    ['NUL and invalid UTF-8', ({ headers }) => Object.assign(headers, { Subject: '\u0000\ufffd\u0001' })],
    ['Max-Forwards 0', ({ headers }) => Object.assign(headers, { 'Max-Forwards': '0' })],
    ['Max-Forwards of letters', ({ headers }) => Object.assign(headers, { 'Max-Forwards': 'seventy' })],
    ['unknown required extension', ({ headers }) => Object.assign(headers, { Require: 'telepathy' })],
    ['header names of objects', ({ headers }) => Object.assign(headers, { constructor: 'x', toString: 'y' })],
  ];
  return cases.map(([name, spoil]) => {
    const parts = good(port);
    spoil(parts);
    return { name, bytes: written(parts) };
  });
}

function oversized(port: number): Wrong[] {
  const withHeader = (name: string, value: string): Wrong => {
    const parts = good(port);
    parts.headers[name] = value;
    return { name: `${name} of ${value.length} characters`, bytes: written(parts) };
  };
  const many = good(port);
  for (let i = 0; i < 2500; i++) many.headers[`X-${i}`] = 'x';
  return [
    withHeader('Subject', 'A'.repeat(60_000)),
    withHeader('Subject', ' \t'.repeat(30_000)),
    withHeader('Subject', '\r\n '.repeat(20_000)),
    withHeader('From', `${'"\\"'.repeat(20_000)}<sip:x@x>;tag=1`),
    withHeader('Via', Array.from({ length: 1200 }, () => 'SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx').join(', ')),
    withHeader('Contact', Array.from({ length: 3000 }, (_, i) => `<sip:${i}@x>`).join(',')),
    { name: '2500 headers', bytes: written(many) },
  ];
}

function outOfOrder(port: number): Wrong[] {
  return ['ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE', 'INFO', 'NOTIFY', 'REFER', 'NONSENSE'].map((method) => {
    const parts = good(port);
    parts.start = `${method} sip:8001@127.0.0.1 SIP/2.0`;
    parts.headers.CSeq = `7 ${method}`;
    parts.headers.To = '<sip:8001@127.0.0.1>;tag=neverseen';
    return { name: `${method} of no dialog`, bytes: written(parts) };
  });
}

function badSdp(port: number): Wrong[] {
  const cases: [string, string][] = [
    ['not SDP', 'hello, is this SDP?'],
    ['without media', SDP.split('\r\n').slice(0, 5).join('\r\n')],
    ['video only', SDP.replace('m=audio', 'm=video')],
    ['port 99999', SDP.replace('39990', '99999')],
    ['negative port', SDP.replace('39990', '-1')],
    ['no codec in common', SDP.replace('RTP/AVP 0', 'RTP/AVP 18').replace('0 PCMU', '18 G729')],
    ['address of letters', SDP.replaceAll('127.0.0.1', 'not.an.address.')],
    ['10,000 attributes', `${SDP}${'a=x\r\n'.repeat(10_000)}`],
    ['no line breaks', SDP.replaceAll('\r\n', ' ')],
  ];
  return cases.map(([name, sdp]) => ({ name: `INVITE with SDP: ${name}`, bytes: written(invite(port, sdp)) }));
}

/** RTP packets that must change nothing in a call. */
export function wrongRtp(): Wrong[] {
  const header = rtpHeader(1000, 160_000, 0xbad);
  const noise = randomBytes(160);
  const changed = (name: string, index: number, value: number): Wrong => {
    const bytes = Buffer.concat([header, noise]);
    bytes[index] = value;
    return { name, bytes };
  };
  return [
    { name: 'empty', bytes: Buffer.alloc(0) },
    { name: '11 bytes', bytes: header.subarray(0, 11) },
    { name: 'header alone', bytes: header },
    changed('version 0', 0, 0x00),
    changed('version 3', 0, 0xc0),
    changed('15 contributing sources it has no room for', 0, 0x8f),
    changed('an extension that runs past the end', 0, 0x90),
    { ...changed('padding longer than the packet', 0, 0xa0) },
    changed('unknown payload type', 1, 77),
    changed('RTCP', 1, 200),
    { name: '60,000 bytes', bytes: Buffer.concat([header, randomBytes(59_988)]) },
    { name: 'STUN', bytes: Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12)]) },
    { name: 'telephone-event of 1 byte', bytes: Buffer.concat([rtpHeader(1, 1, 1, 101), Buffer.from([5])]) },
    {
      name: 'telephone-event 255',
      bytes: Buffer.concat([rtpHeader(1, 1, 1, 101), Buffer.from([255, 0x80, 255, 255])]),
    },
    { name: 'random bytes', bytes: randomBytes(200) },
  ];
}

/** A noise packet of a stream of its own: good RTP of somebody else. */
export function foreignRtp(index: number): Buffer {
  return Buffer.concat([rtpHeader(index & 0xffff, index * 160, 0xf00d), randomBytes(160)]);
}

function random(): string {
  return randomBytes(6).toString('hex');
}
