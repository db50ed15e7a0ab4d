import { describe, expect, it } from 'vitest';
import { Lexicon } from './candidates.js';
import { buildVocabulary } from './vocabulary.js';

const lexicon = new Lexicon(
  buildVocabulary(['I want a refund', 'credit card', 'Oakwood Bank', 'overdraft fee', 'cancel my order', 'is it open']),
);
const of = (heard: string) => lexicon.candidates(heard);
const texts = (heard: string) => of(heard).map(({ text }) => text);

describe('Lexicon', () => {
  it('has phrases that sound like all that was heard, written as a sentence', () => {
    expect(of('I want to respond.')).toContainEqual(
      expect.objectContaining({ text: 'I want a refund.', kind: 'phrase' }),
    );
    expect(texts('Is it olden?')).toContain('Is it open?');
    expect(texts('A young spleen.')).toContain('Agent, please.');
  });

  it('puts names and words in place of a part', () => {
    expect(of('Where is the oak wood bang?')).toContainEqual(
      expect.objectContaining({ text: 'Where is the Oakwood Bank?', kind: 'part' }),
    );
    expect(of('I lost my credits cord.')).toContainEqual(expect.objectContaining({ text: 'I lost my credit card.' }));
  });

  it('has none for what is expected as it is, and for nothing', () => {
    expect(of('Cancel my order.')).toEqual([]);
    expect(of('')).toEqual([]);
  });

  it('never takes a denial, a number or words at an end away, nor changes the form of a word only', () => {
    expect(texts("I don't want a refund.")).not.toContain('I want a refund.');
    expect(texts('Never cancel my order.')).not.toContain('Cancel my order.');
    expect(texts('Is it open on Monday?')).not.toContain('Is it open?');
    expect(texts('So I want a refund.')).not.toContain('I want a refund.');
    expect(texts('Credit card 4.')).not.toContain('Credit card.');
    expect(texts('Do you take credit cards?')).not.toContain('Do you take credit card?');
  });

  it('knows everyday phrases without a vocabulary', () => {
    expect(new Lexicon(undefined).candidates('Told on.').map(({ text }) => text)).toContain('Hold on.');
  });
});
