import { describe, expect, it } from 'vitest';
import { type HandedContext, handedContext } from './handed-context.js';
import { partyOf } from './headers/address.js';
import { parseDiversion } from './headers/diversion.js';
import { sdpOf } from './offer.js';
import { readReferTo, readReplaces, referToReplacing, statusOf } from './refer.js';

const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

function context(more: Partial<HandedContext> = {}): HandedContext {
  return {
    call: 'c1',
    caller: '+4930123',
    name: undefined,
    assertedName: undefined,
    withheld: false,
    shown: undefined,
    called: 'sip:8001@parley.example.com',
    subject: 'refund, order number 482715',
    url: 'https://console.example.com/c1',
    data: { call: 'c1', facts: { orderNumber: '482715' } },
    json: true,
    replaces: undefined,
    ...more,
  };
}

describe('what an INVITE to a person says', () => {
  it('is in headers and body', () => {
    const { headers, body } = handedContext(context(), 'sip:desk@pbx', SDP);
    expect(headers).toMatchObject({
      From: '<sip:+4930123@localhost>',
      'P-Asserted-Identity': '<sip:+4930123@localhost>',
      Subject: 'refund, order number 482715',
      'Call-Info': '<https://console.example.com/c1>;purpose=info',
      Diversion: '<sip:8001@parley.example.com>;reason=unknown;counter=1',
      'History-Info': '<sip:8001@parley.example.com>;index=1, <sip:desk@pbx>;index=1.1;mp=1',
    });
    const [hex = ''] = (headers['User-to-User'] ?? '').split(';');
    expect(JSON.parse(Buffer.from(hex, 'hex').toString())).toEqual({ call: 'c1', facts: { orderNumber: '482715' } });
    expect(sdpOf(headers['Content-Type'] ?? '', body)).toBe(SDP);
    expect(body).toContain('{"call":"c1"');
  });

  it('tells whose phone has sent the call on, and not where that is', () => {
    const { headers } = handedContext(context({ divertedBy: 'anna' }), 'sip:bert@pbx', SDP);
    expect(parseDiversion(headers.Diversion ?? '').map(({ user, params }) => [user, params.get('reason')])).toEqual([
      ['anna', 'deflection'],
      ['8001', 'unknown'],
    ]);
    expect(headers['History-Info']).toBe(
      '<sip:8001@parley.example.com>;index=1, <sip:anna@parley.example.com>;index=1.1;mp=1, <sip:bert@pbx>;index=1.1.1;mp=1.1',
    );
    const called = 'sip:8001;phone-context=+49@parley:5070;transport=tcp';
    expect(handedContext(context({ called, divertedBy: 'a b' }), 'sip:x@y', SDP).headers.Diversion).toBe(
      '<sip:a%20b@parley:5070>;reason=deflection;counter=1, <sip:8001;phone-context=+49@parley:5070>;reason=unknown;counter=1',
    );
  });

  it('lets nothing out of its header', () => {
    const evil = '1\r\nRoute: <sip:evil@example.com>\r\n"<>;@';
    const { headers, body } = handedContext(
      context({ caller: evil, shown: '8001', subject: evil, called: evil, json: false }),
      'sip:x@y',
      SDP,
    );
    expect(Object.values(headers).join('')).not.toMatch(/[\r\n]/);
    expect(headers.From).toBe('"1 Route:  sip:evil@example.com  \\"  ;@" <sip:8001@localhost>');
    expect(headers['P-Asserted-Identity']).toMatch(/^<sip:[^<>@;"]*@localhost>$/);
    expect(headers.Diversion).toBeUndefined();
    expect(body).toBe(SDP);
  });

  it('is in any script, cut where a character ends', () => {
    const caller = `a${'😀'.repeat(80)}`;
    const more = {
      caller,
      name: caller,
      assertedName: caller,
      shown: 'Zoë\ud83d',
      subject: `Zürich, ${caller.repeat(4)}`,
      data: { said: 'Grüße, 王' },
    };
    const { headers } = handedContext(context(more), 'sip:x@y', SDP);
    const [whole, half] = [63, 31].map((count) => `a${'😀'.repeat(count)}`);
    expect(headers['P-Asserted-Identity']).toBe(`"${whole}" <sip:${encodeURIComponent(whole ?? '')}@localhost>`);
    expect(headers.From?.startsWith(`"${half} (a😀`)).toBe(true);
    expect(headers.From?.endsWith('" <sip:Zo%C3%AB@localhost>')).toBe(true);
    expect(headers.Subject).toMatch(/^Zürich, a(?:😀)+/u);
    expect(headers.Subject).not.toMatch(/\p{Surrogate}/u);
    const [hex = ''] = (headers['User-to-User'] ?? '').split(';');
    expect(JSON.parse(Buffer.from(hex, 'hex').toString())).toEqual(more.data);
  });

  it('names the caller as a quoted string, which ends where it should', () => {
    const name = 'Zoë "the \\ best", O\'Neil" <sip:evil@a.test>;x=';
    const { headers } = handedContext(context({ name, assertedName: name }), 'sip:x@y', SDP);
    for (const header of [headers.From, headers['P-Asserted-Identity']]) {
      expect(partyOf(header ?? '')).toMatchObject({
        display: name.replace(/[<>]/g, ' '),
        user: '+4930123',
        uri: 'sip:+4930123@localhost',
      });
    }
    const own = handedContext(context({ name: 'Zoë', shown: '8001' }), 'sip:x@y', SDP).headers;
    expect(own.From).toBe('"Zoë (+4930123)" <sip:8001@localhost>');
    expect(own['P-Asserted-Identity'], 'a name that nobody asserted').toBe('<sip:+4930123@localhost>');
    const nameless = handedContext(context({ shown: '8001' }), 'sip:x@y', SDP).headers;
    expect(nameless.From).toBe('"+4930123" <sip:8001@localhost>');
  });

  it('keeps who is withheld from all but a network that keeps it to itself', () => {
    const withheld = { caller: undefined, withheld: true } as const;
    const { headers } = handedContext(context(withheld), 'sip:x@y', SDP);
    expect(headers.From).toBe('"Anonymous" <sip:anonymous@anonymous.invalid>');
    expect([headers.Privacy, headers['P-Asserted-Identity']]).toEqual(['id', undefined]);
    expect(JSON.stringify(headers)).not.toContain('4930123');
    const told = { ...withheld, caller: '+4930123', assertedName: 'Zoë', shown: '8001' };
    expect(handedContext(context(told), 'sip:x@y', SDP).headers).toMatchObject({
      From: '"Anonymous" <sip:8001@localhost>',
      Privacy: 'id',
      'P-Asserted-Identity': '"Zoë" <sip:+4930123@localhost>',
    });
  });

  it('leaves out what is too much, and takes the call all the same', () => {
    const long = { a: 'x'.repeat(400), b: 'y'.repeat(2000), c: 'z'.repeat(3000) };
    const { headers, body } = handedContext(context({ data: long }), 'sip:x@y', `${SDP}${'a=x\r\n'.repeat(900)}`);
    expect(Buffer.byteLength(Object.values(headers).join('') + body)).toBeLessThan(7500);
    expect(body.startsWith('v=0')).toBe(true);
    expect(headers.Subject).toBeDefined();
  });
});

describe('REFER', () => {
  it('names a target and the dialog that is to be taken over', () => {
    const replaces = { callId: 'a@b', toTag: 'to', fromTag: 'from' };
    const value = referToReplacing('sip:desk@pbx', replaces);
    expect(value).toBe('<sip:desk@pbx?Replaces=a%40b%3Bto-tag%3Dto%3Bfrom-tag%3Dfrom>');
    const read = readReferTo(value);
    expect(read?.uri).toBe('sip:desk@pbx');
    expect(readReplaces(read?.replaces)).toEqual(replaces);
  });

  it.each([undefined, '', 'tel:123', '<sip:a@b?Replaces=x>', '<sip:a@b?Replaces=%ZZ>', '<sip:a@b;method=BYE>'])(
    'is refused when it says %s',
    (value) => {
      expect(readReferTo(value)).toBeUndefined();
    },
  );

  it('is told how it went', () => {
    expect(statusOf('SIP/2.0 486 Busy Here\r\n')).toEqual({ status: 486, reason: 'Busy Here' });
    expect(statusOf('nothing')).toEqual({ status: 0, reason: '' });
  });
});
