import { describe, expect, it } from 'vitest';
import { bestFit, sounding, soundsOf } from './sounds.js';

const place = (heard: string, piece: string, most = 99) =>
  bestFit(sounding(heard.split(' ')), sounding(piece.split(' ')).sounds, most);
const cost = (heard: string, piece: string) => place(heard, piece)?.cost ?? Number.NaN;

describe('soundsOf', () => {
  it.each([
    ['knight', 'nite'],
    ['phone', 'fone'],
    ['see', 'sea'],
    ['through', 'threw'],
    ['Wait', 'weight'],
  ])('writes %s as %s', (word, other) => {
    expect(soundsOf(word)).toEqual(soundsOf(other));
  });

  it('knows a sound for everything it writes', () => {
    const words = 'again okay the schedule doctor receipt a.m p.m 4x uh-huh mm-hmm measure jalapeños über'.split(' ');
    for (const word of words) expect([...soundsOf(word)].every((sound) => sound < 31)).toBe(true);
  });
});

describe('bestFit', () => {
  it('finds the words that sound like a piece among others', () => {
    expect(place('i have an over left feet to pay', 'overdraft fee')).toMatchObject({ from: 3, to: 6 });
    expect(place('please refund it', 'refund')).toEqual({ from: 1, to: 2, cost: 0 });
  });

  it('is the cheaper the more alike they sound', () => {
    expect(cost('a young spleen', 'agent please')).toBeLessThan(cost('my grandmother', 'agent please'));
    expect(cost('pack', 'back')).toBeLessThan(cost('rack', 'back'));
    expect(cost('hold on', 'hold on')).toBe(0);
  });

  it('gives up beyond the most that it may cost', () => {
    expect(place('my grandmother', 'agent please', 2)).toBeUndefined();
  });
});
