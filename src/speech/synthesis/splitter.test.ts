import { describe, expect, it } from 'vitest';
import { SentenceSplitter } from './splitter.js';

function split(text: string, portion = text.length): string[] {
  const splitter = new SentenceSplitter();
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += portion) pieces.push(...splitter.push(text.slice(at, at + portion)));
  return [...pieces, ...splitter.flush()];
}

const TABLE: readonly [text: string, pieces: string[]][] = [
  ['Thank you. How can I help?', ['Thank you.', 'How can I help?']],
  ['Dr. Nguyen costs $4.75 vs. 3.5. Fine!', ['Dr. Nguyen costs $4.75 vs. 3.5.', 'Fine!']],
  ['We open at 9 a.m. and close at 5 p.m. Please call.', ['We open at 9 a.m. and close at 5 p.m.', 'Please call.']],
  ['Write to jane.doe@example.com. Thanks', ['Write to jane.doe@example.com.', 'Thanks']],
  ['No. I mean No. 5. So do I. Yes', ['No.', 'I mean No. 5.', 'So do I.', 'Yes']],
  ['J. R. Smith lives in the U.S. now. "Really?" Yes.', ['J. R. Smith lives in the U.S. now.', '"Really?"', 'Yes.']],
  ['Well... maybe. Wait... No.', ['Well... maybe.', 'Wait...', 'No.']],
  [
    'Let me have a look at that, one moment please. It is here, on the way, and will be with you soon.',
    ['Let me have a look at that,', 'one moment please.', 'It is here, on the way, and will be with you soon.'],
  ],
  ['Yes, sure. All right', ['Yes, sure.', 'All right']],
  [
    'Your appointment is on Friday, March 14, 2026, at noon.',
    ['Your appointment is on Friday,', 'March 14, 2026, at noon.'],
  ],
  ['It comes on March 14, 2026, and not before.', ['It comes on March 14, 2026,', 'and not before.']],
  ['Items:\n1. First\n2. Second one', ['Items:', '1. First', '2. Second one']],
  ['a \n b', ['a', 'b']],
  ['  \n ', []],
];

describe('SentenceSplitter', () => {
  it.each(TABLE)('cuts %j', (text, pieces) => {
    expect(split(text)).toEqual(pieces);
  });

  const long = `${'word '.repeat(60)}and so on, ${'this goes on '.repeat(30)}${'x'.repeat(700)} end.   \n\n More. And. ${' '.repeat(300)}tail`;

  it.each([...TABLE.map(([text]) => text), TABLE.map(([text]) => text).join(' '), long])(
    'gives the same for any portions of %j',
    (text) => {
      for (const portion of [1, 2, 3, 7, 50]) expect(split(text, portion)).toEqual(split(text));
      expect(split(text).join(' ').replace(/\s+/g, '')).toBe(text.replace(/\s+/g, ''));
      for (const piece of split(text)) expect(piece.length).toBeLessThanOrEqual(241);
    },
  );

  it('gives a sentence out as soon as it is certain', () => {
    const splitter = new SentenceSplitter();
    expect(splitter.push('One moment.')).toEqual([]);
    expect(splitter.push(' ')).toEqual(['One moment.']);
    expect(splitter.push('At 5 p.m. ')).toEqual([]);
    expect(splitter.push('T')).toEqual(['At 5 p.m.']);
    expect(splitter.flush()).toEqual(['T']);
    expect(splitter.push('I will look that up for you, ')).toEqual(['I will look that up for you,']);
  });
});
