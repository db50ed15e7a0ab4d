import { describe, expect, it } from 'vitest';
import { Lexicon } from './lexicon.js';
import { normalise } from './normaliser.js';

const TABLE: readonly [written: string, spoken: string][] = [
  ['#482715', 'number four eight two, seven one five'],
  ['Your order number is 4827.', 'Your order number is four eight two seven.'],
  ['order 482715 shipped', 'order four eight two, seven one five shipped'],
  ['AB1234', 'ay bee one two three four'],
  ['A7X-93B', 'ay seven ex, nine three bee'],
  ['123-45-6789', 'one two three, four five, six seven eight nine'],
  ['#5', 'number five'],
  ['PIN 0042', 'PIN zero zero four two'],
  ['It costs $49.99 today.', 'It costs forty-nine dollars and ninety-nine cents today.'],
  ['$1.00, $0.50 or €1', 'one dollar, fifty cents or one euro'],
  ['$3.5 million', 'three point five million dollars'],
  ['-$1,234.50', 'minus one thousand two hundred thirty-four dollars and fifty cents'],
  ['$10-20', 'ten to twenty dollars'],
  ['3:30 PM', 'three thirty pee em'],
  ['at 9:00 AM.', 'at nine ay em.'],
  ['9:05', 'nine oh five'],
  ['9:00', "nine o'clock"],
  ['10am-5pm', 'ten ay em to five pee em'],
  ['9 a.m. to 5 p.m. Please call.', 'nine ay em to five pee em. Please call.'],
  ['2026-03-14', 'March fourteenth, twenty twenty-six'],
  ['11/03/2025', 'November third, twenty twenty-five'],
  ['25/12/2025', 'December twenty-fifth, twenty twenty-five'],
  ['2026-03-14T15:30:00Z', 'March fourteenth, twenty twenty-six, fifteen thirty'],
  ['March 14, 2026', 'March fourteenth, twenty twenty-six'],
  ['on 14 March', 'on the fourteenth of March'],
  ['Mon-Fri', 'Monday to Friday'],
  ['the 1990s', 'the nineteen nineties'],
  ['1984 and 2005', 'nineteen eighty-four and two thousand five'],
  ['1-800-555-0142', 'one, eight hundred, five five five, zero one four two'],
  ['(312) 555-0199', 'three one two, five five five, zero one nine nine'],
  ['+44 20 7946 0958', 'plus four four, two zero, seven nine four six, zero nine five eight'],
  ['jane.doe@example.com', 'jane dot doe at example dot com'],
  ['jd_42@mail.co.uk', 'jay dee underscore four two at mail dot see oh dot you kay'],
  ['https://www.example.com/orders/', 'double you double you double you dot example dot com slash orders'],
  ['4.75%', 'four point seven five percent'],
  ['1,234,567', 'one million two hundred thirty-four thousand five hundred sixty-seven'],
  ['482715', 'four eight two, seven one five'],
  ['1st, 22nd and 103rd', 'first, twenty-second and one hundred third'],
  ['-5 or .5', 'minus five or point five'],
  ['9-5', 'nine to five'],
  ['1/2', 'one half'],
  ['24/7', 'twenty-four seven'],
  ['5kg, 10 lbs. and 72°F', 'five kilograms, ten pounds and seventy-two degrees Fahrenheit'],
  ['v2.0.1', 'version two point zero point one'],
  ['UA 482', 'you ay four eight two'],
  ['the U.S.', 'the you ess.'],
  ["FBI's ATMs", "eff bee eye's ay tee em's"],
  ['NASA', 'NASA'],
  ['PLEASE CALL US NOW', 'PLEASE CALL US NOW'],
  ['COVID-19', 'COVID nineteen'],
  ['Apt. 5', 'apartment five'],
  ['Room 512', 'Room five twelve'],
  ['Dr. Nguyen on Main Dr. is', 'doctor Nguyen on Main drive is'],
  ["St. Mary's on Elm St.", "saint Mary's on Elm street."],
  ['No. 5', 'number five'],
  ["No. I can't.", "No. I can't."],
  ['rock & roll', 'rock and roll'],
  ['well—yes - and/or', 'well, yes, and or'],
  ['**bold** _and_ `code`', 'bold and code'],
  ['# Title\n- one\n- two', 'Title, one, two'],
  ['[our site](https://example.com/a)', 'our site'],
  ['<speak>Hi <break time="1s"/> you</speak>', 'Hi you'],
  ['Hello 👩‍👩‍👧, thanks! 🎉', 'Hello, thanks!'],
  ['He said “wait…”', 'He said wait.'],
  ['', ''],
  ['… 😀 $', ''],
  ['constructor toString #valueOf', 'constructor toString hashtag valueOf'],
];

describe('normalise', () => {
  it.each(TABLE)('says %j', (written, spoken) => {
    expect(normalise(written).spoken).toBe(spoken);
  });

  it('tells which written word each spoken word comes from', () => {
    const { spoken, origin, words } = normalise('Order #12 costs 😀 $5.50 by 3:30 PM');
    expect(words).toEqual(['Order', '#12', 'costs', '😀', '$5.50', 'by', '3:30', 'PM']);
    expect(spoken.split(' ').map((word, index) => `${words[origin[index]!]}:${word}`)).toEqual(
      [
        ['Order:Order', '#12:number', '#12:twelve', 'costs:costs'],
        ['$5.50:five', '$5.50:dollars', '$5.50:and', '$5.50:fifty', '$5.50:cents'],
        ['by:by', '3:30:three', '3:30:thirty', 'PM:pee', 'PM:em'],
      ].flat(),
    );
  });

  it('keeps one origin for each spoken word, in order, and leaves no digit, whatever the text', () => {
    const pieces = TABLE.flatMap(([written]) => written.split(' ')).concat(
      '\n',
      'a\u0000b',
      '日本語',
      '\uD800',
      '٣',
      '²',
      '9'.repeat(400),
    );
    let seed = 7;
    const pick = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return pieces[seed % pieces.length]!;
    };
    for (let round = 0; round < 300; round++) {
      const text = Array.from({ length: 1 + (round % 12) }, pick).join(round % 3 ? ' ' : '');
      const { spoken, origin, words } = normalise(text);
      const tokens = spoken === '' ? [] : spoken.split(' ');
      expect(origin, text).toHaveLength(tokens.length);
      expect(spoken, text).not.toMatch(/\d/);
      expect(
        tokens.every((token) => /[\p{L}\p{N}]/u.test(token)),
        text,
      ).toBe(true);
      expect(words, text).toEqual(text.split(/\s+/).filter(Boolean));
      origin.forEach((index, at) => {
        expect(index, text).toBeGreaterThanOrEqual(origin[at - 1] ?? 0);
        expect(index, text).toBeLessThan(words.length);
      });
    }
  });

  it('takes long and hostile text in its stride', () => {
    for (const text of [
      'a-'.repeat(5000),
      '<'.repeat(5000),
      '1,'.repeat(5000),
      '['.repeat(5000),
      '+1 '.repeat(2000),
      '_'.repeat(5000),
    ]) {
      const { spoken, origin } = normalise(text);
      expect(origin).toHaveLength(spoken === '' ? 0 : spoken.split(' ').length);
    }
  });
});

describe('normalise with a pronunciation dictionary', () => {
  const lexicon = new Lexicon([
    { word: 'Nguyen', say: 'win' },
    { word: 'SQL', say: 'sequel' },
    { word: 'acme', say: 'ack me' },
    { word: 'San Jose', say: 'san ho zay' },
    { word: 'apartment', say: 'a partment' },
    { word: 'polish', say: 'pollish' },
    { word: 'Polish', say: 'pole ish' },
    { word: ' ', say: 'nothing' },
  ]);

  it.each([
    ["Dr. Nguyen's SQL.", "doctor win's sequel."],
    ['ACME, Acme and acmes', 'ack me, ack me and acmes'],
    ['In San Jose, now', 'In san ho zay, now'],
    ['San Francisco', 'San Francisco'],
    ['Apt. 5', 'a partment five'],
    ['Polish polish', 'pole ish pollish'],
  ])('says %j', (written, spoken) => {
    expect(normalise(written, lexicon).spoken).toBe(spoken);
  });

  it('spreads an entry of several words over them', () => {
    expect(normalise('In San Jose now', lexicon).origin).toEqual([0, 1, 1, 2, 3]);
  });
});
