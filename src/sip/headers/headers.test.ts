import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAssertedIdentity } from './asserted-identity.js';
import { parseCallInfo } from './call-info.js';
import { parseDiversion } from './diversion.js';
import { parseHistoryInfo } from './history-info.js';
import { partsOf } from './multipart.js';
import { parseReferredBy } from './referred-by.js';
import { parseRemotePartyId } from './remote-party-id.js';
import { parseUserToUser } from './user-to-user.js';

const hex = (text: string) => Buffer.from(text).toString('hex');

describe('User-to-User', () => {
  it.each([
    ['hex by its parameter', `${hex('order=482715')};encoding=hex`, ['order=482715']],
    ['hex without it', hex('Größe 5').toUpperCase(), ['Größe 5']],
    ['ISDN with its protocol discriminator', `04${hex('A12')};encoding=hex;purpose=isdn-uui`, ['A12']],
    ['base64', `${Buffer.from('{"a":1}').toString('base64')};encoding=base64`, ['{"a":1}']],
    ['quoted text', '"a=1; b=\\"two\\""', ['a=1; b="two"']],
    ['text with escapes', 'name%3DZo%C3%AB;encoding=text', ['name=Zoë']],
    ['text with semicolons in it', 'order=1;step=2', ['order=1;step=2']],
    ['a list', `${hex('one')};encoding=hex, ${hex('two')};encoding=hex;content=x`, ['one', 'two']],
    ['bytes that are no text', 'c8ff01;encoding=hex', [undefined]],
    ['hex that is none beside one that is', `0x12;encoding=hex,${hex('ok')}`, ['ok']],
    ['nothing', '', []],
  ])('reads %s', (_, value, texts) => {
    expect(parseUserToUser(value).map(({ text }) => text)).toEqual(texts);
  });

  it('gives back any text in any encoding', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (text) => {
        fc.pre(!/\p{Cc}/u.test(text));
        const written = [
          `${hex(text)};encoding=hex`,
          `${Buffer.from(text).toString('base64')};encoding=base64`,
          `${encodeURIComponent(text)};encoding=text`,
        ];
        expect(parseUserToUser(written.join(', ')).map((one) => one.text)).toEqual([text, text, text]);
      }),
    );
  });
});

it('Diversion: latest first, with reason and counter', () => {
  const value =
    '"Sales, \\"Team\\"" <sip:+4930123;ext=5@pbx.example>;reason=no-answer;counter=2, <tel:+1-555-01>;reason="user-busy"';
  expect(parseDiversion(value)).toMatchObject([
    { user: '+4930123', display: 'Sales, "Team"', reason: 'no-answer', counter: 2 },
    { user: '+1-555-01', uri: 'tel:+1-555-01', reason: 'user-busy', counter: 1 },
  ]);
});

it('History-Info: by index, with the reason inside the URI', () => {
  const value =
    '<sip:8001@parley>;index=1.10;mp=1.2, <sip:ivr@pbx?Reason=SIP%3Bcause%3D302&Privacy=none>;index=1.2;rc=1, <sip:0800@pbx>;index=1';
  expect(parseHistoryInfo(value).map(({ user, index, reason, from }) => ({ user, index, reason, from }))).toEqual([
    { user: '0800', index: '1', reason: undefined, from: undefined },
    { user: 'ivr', index: '1.2', reason: 'SIP;cause=302', from: { how: 'rc', index: '1' } },
    { user: '8001', index: '1.10', reason: undefined, from: { how: 'mp', index: '1.2' } },
  ]);
});

it('P-Asserted-Identity, Remote-Party-ID, Referred-By, Call-Info', () => {
  expect(parseAssertedIdentity('"Zoë" <sip:%2B49301@ims.example>, tel:+49301')).toMatchObject([
    { user: '+49301', display: 'Zoë' },
    { user: '+49301', uri: 'tel:+49301' },
  ]);
  expect(parseRemotePartyId('<sip:12@pbx>;party=calling;screen=yes;privacy=full')).toMatchObject([
    { user: '12', party: 'calling', screened: true, private: true },
  ]);
  expect(parseReferredBy('<sip:ivr@pbx;user=phone>;cid="x@y"')).toMatchObject({ user: 'ivr' });
  expect(parseReferredBy('not an address')).toBeUndefined();
  expect(
    parseCallInfo('<https://ivr.example/c/1?a=b,c>;purpose=info, <http://x/y.png> ;purpose=icon, broken <'),
  ).toMatchObject([
    { uri: 'https://ivr.example/c/1?a=b,c', purpose: 'info' },
    { uri: 'http://x/y.png', purpose: 'icon' },
  ]);
});

describe('bodies of several parts', () => {
  const body = [
    'preamble',
    '--b 1',
    'Content-Type: application/sdp',
    '',
    'v=0\r\ns=-\r\n',
    '--b 1 ',
    'Content-Disposition: info',
    'content-type :',
    '  application/json;charset=utf-8',
    '',
    '{"a":\r\n1}',
    '--b 1--',
    'epilogue',
  ].join('\r\n');

  it('are taken apart', () => {
    expect(partsOf('multipart/mixed; boundary="b 1"', body)).toEqual([
      { type: 'application/sdp', contentType: 'application/sdp', body: 'v=0\r\ns=-\r\n' },
      { type: 'application/json', contentType: 'application/json;charset=utf-8', body: '{"a":\r\n1}' },
    ]);
    expect(partsOf('multipart/mixed', body)).toEqual([]);
    expect(partsOf('Application/SDP ;x=y', 'v=0')).toEqual([
      { type: 'application/sdp', contentType: 'Application/SDP ;x=y', body: 'v=0' },
    ]);
  });
});

describe('whatever a peer sends', () => {
  const all: [string, (value: string) => unknown][] = [
    ['User-to-User', parseUserToUser],
    ['Diversion', parseDiversion],
    ['History-Info', parseHistoryInfo],
    ['P-Asserted-Identity', parseAssertedIdentity],
    ['Remote-Party-ID', parseRemotePartyId],
    ['Referred-By', parseReferredBy],
    ['Call-Info', parseCallInfo],
    ['multipart', (value) => partsOf(`multipart/mixed;boundary=${value.slice(0, 5)}`, value)],
  ];

  it.each(all)('%s takes it, and hands out nothing that is not in it', (_, parse) => {
    const pieces = fc.constantFrom(
      '"',
      '\\',
      '<',
      '>',
      ',',
      ';',
      '=',
      '%',
      'sip:',
      '@',
      '\r\n',
      '--',
      'index=1',
      '\0',
      'é',
    );
    const text = fc.array(fc.oneof(pieces, fc.string({ maxLength: 5 })), { maxLength: 60 }).map((all) => all.join(''));
    fc.assert(fc.property(text, (value) => void parse(value)));
  });

  it.each(all)('%s takes time that grows with its length only', (_, parse) => {
    // Quadratic would be minutes: the test's own time limit is the measure.
    for (const unit of ['"', '<', ',', ';', '\\"', '%4', 'a', '\r\n--', '<sip:a@b>;', ' ']) parse(unit.repeat(400_000));
  });
});
