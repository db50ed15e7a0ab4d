import { describe, expect, it } from 'vitest';
import type { CallerIdentity } from '../../sip/caller-identity.js';
import { plainTarget } from '../targets/config.js';
import { handOverOf } from './briefing.js';
import { contextFor } from './carried-context.js';

const WITHHELD: CallerIdentity = { from: '+4930123', name: 'Zoë', ownName: undefined, asserted: true, withheld: true };
const GIVEN = {
  ...{ number: '+4930123', bare: 4930123, dialled: '0049 30 123', who: 'Zoë', tier: 'gold', order: '14930123' },
  ...{ uri: '"Z" <sip:+4930123;npdi@ims>', escaped: 'sip:zo%C3%AB@ims', deep: { ani: 'tel:+4930123' } },
};

/** What goes to a trunk whose headers tell all variables. */
function carried(trusted: boolean, identity = WITHHELD) {
  const headers = Object.fromEntries([...Object.keys(GIVEN), 'caller'].map((name) => [`X-${name}`, `{{${name}}}`]));
  const route = { name: 'carrier', host: 'c.example', trusted, headers };
  const settings = plainTarget('sip:x@c.example');
  const handOver = { ...handOverOf([], ''), ivr: GIVEN };
  const call = { id: 'c1', identity, to: '8001', calledUri: 'sip:8001@p', secrets: {}, given: GIVEN };
  return contextFor({ target: 't', name: 't', uri: 'sip:x@c.example', route, settings }, call, handOver, undefined);
}

describe('what a trunk is told of the caller', () => {
  it('is nothing that tells who is withheld, by whatever variable', () => {
    const { headers, data, name, assertedName } = carried(false);
    expect(headers).toEqual({ 'X-tier': 'gold', 'X-order': '14930123', 'X-caller': 'anonymous' });
    expect(data.ivr).toEqual({ tier: 'gold', order: '14930123' });
    expect([name, assertedName]).toEqual([undefined, undefined]);
  });

  it('is all, in headers, where it keeps that to itself', () => {
    const { headers, data, assertedName } = carried(true);
    expect(headers).toMatchObject({ 'X-number': '+4930123', 'X-who': 'Zoë', 'X-caller': '+4930123' });
    expect(data.ivr).toEqual({ tier: 'gold', order: '14930123' });
    expect(assertedName).toBe('Zoë');
  });

  it('is a name as asserted only when it was', () => {
    const open = { ...WITHHELD, withheld: false };
    expect(carried(false, { ...open, asserted: false })).toMatchObject({ name: 'Zoë', assertedName: undefined });
    const own = carried(false, { ...open, name: undefined, ownName: 'Your Bank' });
    expect(own).toMatchObject({ name: 'Your Bank', assertedName: undefined, data: { name: undefined } });
  });
});
