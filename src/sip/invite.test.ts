import type Srf from 'drachtio-srf';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../telemetry/log.js';
import { sipConfig } from './config.js';
import { Invite } from './invite.js';
import { ReplaceableDialogs } from './replaceable.js';

/** An INVITE with these headers, names in lower case. */
function invite(headers: Record<string, string>, uri = 'sip:8001@parley'): Invite {
  const req = {
    uri,
    has: (name: string) => name.toLowerCase() in headers,
    get: (name: string) => headers[name.toLowerCase()],
    on: () => undefined,
  } as unknown as Srf.SrfRequest;
  const { sessionTimer } = sipConfig.parse({});
  const none = {} as Srf.SrfResponse;
  return new Invite({} as Srf, req, none, sessionTimer, createLogger('silent'), new ReplaceableDialogs());
}

describe('who calls whom', () => {
  it.each([
    ['<sip:+4930123@pbx>;tag=1', undefined, '+4930123'],
    ['"Zoë" <sip:zo%C3%AB@pbx>;tag=1', undefined, 'zoë'],
    // A display name says nothing of the number.
    ['"sip:+4930999@bank" <sip:+4930123@pbx>;tag=1', undefined, '+4930123'],
    ['<sip:anonymous@anonymous.invalid>;tag=1', '"sip:1@x" <sip:+4930123;npdi@ims>, <tel:+4930123>', '+4930123'],
    ['<sip:anonymous@anonymous.invalid>;tag=1', '<tel:+4930123>', '+4930123'],
    ['<sip:pbx.example.com>;tag=1', undefined, 'sip:pbx.example.com'],
    ['<sip:a%0D%0Ab@pbx>;tag=1', undefined, 'ab'],
  ])('%s, asserted %s', (from, asserted, who) => {
    expect(invite({ from, ...(asserted && { 'p-asserted-identity': asserted }) }).from).toBe(who);
  });

  it.each([
    ['"Zoë \\"Z\\" O\'Neil" <sip:1234@pbx>', {}, 'Zoë "Z" O\'Neil', false],
    ['Jane Doe <sip:1234@pbx>', { 'p-asserted-identity': '"Doe, J." <sip:1234@ims>' }, 'Doe, J.', false],
    // The caller's own word beside the network's number.
    ['"Your Bank" <sip:1234@pbx>', { 'p-asserted-identity': '<sip:1234@ims>' }, undefined, false],
    // Says no more than the number, or turns what is shown around.
    ['"+49 (30) 123" <sip:+4930123@pbx>', {}, undefined, false],
    ['"abc\u202ecba" <sip:1234@pbx>', {}, 'abccba', false],
    ['"Unknown Caller" <sip:1234@pbx>', {}, undefined, false],
    // RFC 3323 4.1.1.3 and RFC 3325 9.3.
    ['"Anonymous" <sip:anonymous@anonymous.invalid>', {}, undefined, true],
    ['"Anonymous" <sip:thisis@anonymous.invalid>', { privacy: 'none' }, undefined, false],
    ['"Zoë" <sip:1234@pbx>', { privacy: 'critical; id' }, 'Zoë', true],
    ['"Zoë" <sip:1234@pbx>', { 'remote-party-id': '<sip:1234@pbx>;party=calling;privacy=full' }, 'Zoë', true],
    ['"Zoë" <sip:1234@pbx>', { 'remote-party-id': '<sip:99@pbx>;party=called;privacy=full' }, 'Zoë', false],
    ['"Zoë" <sip:1234@pbx>', { privacy: 'session' }, 'Zoë', false],
  ])('%s, %o', (from, headers, name, withheld) => {
    expect(invite({ from, ...headers } as Record<string, string>).identity).toMatchObject({ name, withheld });
  });

  it('is no word of a user’s own telephone', () => {
    const call = invite({ from: '"Barbara" <sip:202@parley>', 'p-asserted-identity': '"Zoë" <sip:+4930123@ims>' });
    expect(call.from).toBe('+4930123');
    call.user = 'pbx';
    expect(call.from).toBe('+4930123');
    call.user = '202';
    expect(call.identity).toMatchObject({ from: '202', name: 'Barbara', asserted: false, withheld: false });
  });

  it.each([
    ['sip:8001@parley;transport=tcp', '8001'],
    ['sip:%2A21%23;phone-context=x@parley', '*21#'],
    ['tel:+4930123', '+4930123'],
    ['sip:parley', 'sip:parley'],
  ])('%s', (uri, number) => {
    expect(invite({ from: '<sip:1@x>' }, uri).to).toBe(number);
  });
});
