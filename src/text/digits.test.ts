import { describe, expect, it } from 'vitest';
import { type DigitOptions, digitRuns, digitsIn } from './digits.js';
import { yesNo } from './yes-no.js';

describe('digits', () => {
  it.each<[text: string, digits: string, options?: DigitOptions]>([
    ['four eight two seven one five', '482715'],
    ['4 8 2 7 1 5', '482715'],
    ['482715', '482715'],
    ['48-27-15', '482715'],
    ['482,715.', '482715'],
    ['forty eight twenty seven fifteen', '482715'],
    ['forty-eight, twenty-seven, fifteen', '482715'],
    ['Four eight two, seven one five.', '482715'],
    ["it's four eight two um seven one five", '482715'],
    ['four eight two and then seven one five', '482715'],
    ['my order number is 482 715 please', '482715'],
    ['double five', '55'],
    ['double five triple nine', '55999'],
    ['triple oh seven', '0007'],
    ['treble two one', '2221'],
    ['double 4 eight', '448'],
    ['quadruple zero', '0000'],
    ['double trouble', ''],
    ['oh four eight', '048'],
    ['four oh eight', '408'],
    ['four o eight', '408'],
    ['oh four eight two seven one five', '482715', { lengths: [6] }],
    ['oh four eight two seven one', '048271', { lengths: [6] }],
    ['for eight two seven one five', '482715', { lengths: [6] }],
    ['for eight too seven won five', '482715'],
    ['four ate to seven one five', '482715'],
    ['four eight two seven one for', '482714', { lengths: [6] }],
    ['it is for 48271', '48271'],
    ['it is for 48271', '448271', { lengths: [6] }],
    ['I want to go', ''],
    ['to', ''],
    ['to', '2', { asked: true }],
    ['for for to', '442', { asked: true }],
    ['I need it for two people', '2'],
    ['ten', '10'],
    ['nineteen eighty four', '1984'],
    ['twenty twenty five', '2025'],
    ['four hundred and twelve', '412'],
    ['four hundred', '400'],
    ['two thousand twenty five', '2025'],
    ['three thousand four hundred and five', '3405'],
    ['one twenty three', '123'],
    ['seventy', '70'],
    ['nought seven niner', '079'],
    ['the first one', ''],
    ['one moment please', ''],
    ['no one told me', ''],
    ['one two three', '123'],
    ['that one', ''],
    ['the 3rd of may', ''],
    ["ten o'clock", '10'],
    ['', ''],
    ['hello there', ''],
    ['four eight two something seven one five', '482715'],
  ])('%j is %j', (text, digits, options) => {
    expect(digitsIn(text, options)).toBe(digits);
  });

  it('tells where each run stands', () => {
    const text = 'order 482715 was for 2 people';
    expect(digitRuns(text).map((run) => [run.digits, text.slice(run.start, run.end)])).toEqual([
      ['482715', '482715'],
      ['2', '2'],
    ]);
  });
});

describe('yes and no', () => {
  it.each([
    ['yes', 'yes', ''],
    ['Yeah.', 'yes', ''],
    ['yes please', 'yes', ''],
    ["Yes, that's right.", 'yes', ''],
    ["that's correct", 'yes', ''],
    ['um yeah sure', 'yes', ''],
    ['okay', 'yes', ''],
    ['ok go ahead', 'yes', ''],
    ['no problem', 'yes', ''],
    ['sure', 'yes', ''],
    ['uh huh', 'yes', ''],
    ['no', 'no', ''],
    ['No, thank you.', 'no', ''],
    ["no it's four eight three", 'no', "it's four eight three"],
    ["that's not right", 'no', ''],
    ["that's wrong", 'no', ''],
    ["It isn't.", 'no', ''],
    ['not really', 'no', ''],
    ['nope', 'no', ''],
    ['Please.', 'yes', ''],
    ["I don't think so", 'no', ''],
    ['yes and what are your opening hours', 'yes', 'and what are your opening hours'],
  ])('%j is %s', (text, answer, rest) => {
    expect(yesNo(text)).toEqual({ answer, rest });
  });

  it.each([
    "I don't know",
    'where is my order',
    'nobody told me',
    'four eight two',
    'not sure',
    'noon',
    'Please leave a message.',
    '',
  ])('%j is neither', (text) => {
    expect(yesNo(text)).toBeUndefined();
  });
});
