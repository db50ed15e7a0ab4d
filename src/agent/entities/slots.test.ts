import { describe, expect, it } from 'vitest';
import type { Slot } from '../file/topics.js';
import { dateIn } from './dates.js';
import { readDigits } from './digits-answer.js';
import { emailIn, spelledIn } from './letters.js';
import { introducedName, nameIn } from './names.js';
import { findSlot, readSlot } from './slots.js';

/** A Thursday. */
const NOW = new Date(2025, 4, 15, 10, 0, 0);

describe('dates', () => {
  it.each([
    ['today', '2025-05-15'],
    ['tomorrow morning', '2025-05-16'],
    ['the day after tomorrow', '2025-05-17'],
    ['on monday', '2025-05-19'],
    ['next Monday please', '2025-05-19'],
    ['this friday', '2025-05-16'],
    ['thursday', '2025-05-22'],
    ['monday next week', '2025-05-19'],
    ['friday next week', '2025-05-23'],
    ['a week from monday', '2025-05-26'],
    ['in two weeks', '2025-05-29'],
    ['in 3 days', '2025-05-18'],
    ['the fifteenth of june', '2025-06-15'],
    ['june fifteenth', '2025-06-15'],
    ['june 15', '2025-06-15'],
    ['15 June', '2025-06-15'],
    ['may the twenty first', '2025-05-21'],
    ['twenty first of May', '2025-05-21'],
    ['May 3rd', '2026-05-03'],
    ['on the 3rd', '2025-06-03'],
    ['the thirty first', '2025-05-31'],
    ['2025-07-01', '2025-07-01'],
    ['february thirtieth', undefined],
    ['may I come later', undefined],
    ['the first time I called', '2025-06-01'],
    ['next week', undefined],
    ['hello', undefined],
  ])('%s is %s', (text, expected) => {
    expect(dateIn(text, NOW)).toBe(expected);
  });
});

describe('numbers in parts', () => {
  it.each([
    ['four eight two', '', { kind: 'part', value: '482' }],
    ['seven one five', '482', { kind: 'value', value: '482715' }],
    ['four eight two seven one five', '482', { kind: 'value', value: '482715' }],
    ['four eight two sorry four eight three seven one five', '', { kind: 'value', value: '483715' }],
    ['four eight two seven one five no six', '', { kind: 'value', value: '482716' }],
    ['for', '48271', { kind: 'value', value: '482714' }],
    ['one two three four five six seven', '', { kind: 'wrong', value: '1234567' }],
    ['seven one five nine', '482', { kind: 'wrong', value: '4827159' }],
    ['I am not sure', '', { kind: 'none' }],
  ])('%s after %j', (text, partial, expected) => {
    expect(readDigits(text, partial, 6)).toEqual(expected);
  });
});

describe('letters, addresses and names', () => {
  it.each([
    ['s m i t h', 'smith'],
    ['S. M. I. T. H.', 'smith'],
    ['it is s as in sugar m i double t', 'smitt'],
    ['sierra mike india', 'smi'],
    ['m for mike a r y', 'mary'],
    ['a b one two', 'ab12'],
    ['how are you', undefined],
  ])('%s spells %s', (text, expected) => {
    expect(spelledIn(text)).toBe(expected);
  });

  it.each([
    ['john dot smith at gmail dot com', 'john.smith@gmail.com'],
    ['my email is j smith twenty two at mail dot co dot uk', 'jsmith22@mail.co.uk'],
    ["it's John.Smith@Example.com.", 'john.smith@example.com'],
    ['anna underscore b at web minus shop dot de', 'anna_b@web-shop.de'],
    ['I am at home', undefined],
  ])('%s is %s', (text, expected) => {
    expect(emailIn(text)).toBe(expected);
  });

  it.each([
    ['Anna Miller', 'Anna Miller'],
    ['my name is anna miller', 'Anna Miller'],
    ["um it's anna o'neill please", "Anna O'Neill"],
    ['anna miller m u e l l e r', 'Anna Mueller'],
    ['john s m i t h', 'John Smith'],
    ['what are your opening hours', undefined],
    ['I want to cancel', undefined],
    ['', undefined],
  ])('%s is %s', (text, expected) => {
    expect(nameIn(text)).toBe(expected);
  });

  it('hears a name that was given unasked', () => {
    expect(introducedName('hello this is anna miller and I need an appointment')).toBe('Anna Miller');
    expect(introducedName('this is about my order')).toBeUndefined();
  });
});

describe('slots', () => {
  const slot = (more: Partial<Slot> & Pick<Slot, 'kind'>): Slot => ({
    name: 's',
    ask: ['?'],
    sensitive: false,
    confirm: false,
    remember: true,
    retries: 2,
    ...more,
  });

  it('finds a whole number in a request, and no other', () => {
    const digits = slot({ kind: 'digits', length: 6 });
    expect(findSlot(digits, 'where is my order 482715 from may 3rd', NOW)).toBe('482715');
    expect(findSlot(digits, 'I ordered two chairs', NOW)).toBeUndefined();
  });

  it('reads one of several choices', () => {
    const time = slot({ kind: 'choice', choices: { morning: ['early', 'a.m.'], afternoon: ['late'] } });
    expect(readSlot(time, 'early please', '', NOW)).toEqual({ kind: 'value', value: 'morning' });
    expect(readSlot(time, 'ten a.m.', '', NOW)).toEqual({ kind: 'value', value: 'morning' });
    expect(readSlot(time, 'morning or afternoon', '', NOW)).toEqual({ kind: 'none' });
  });
});
