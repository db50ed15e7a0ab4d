import { expect, it } from 'vitest';
import { addedWords } from './added-words.js';

it.each([
  ['What are your opening hours?', 'What are your opening hours on Saturday?', 'on Saturday?'],
  ['No.', 'No, thank you.', 'thank you.'],
  ['What are you are?', 'What are your office hours?', 'hours?'],
  ['where is my order', 'Where is my order?', ''],
  ['Where is my order?', 'Where is the order I made?', 'I made?'],
  ['where is my order', 'okay', 'okay'],
  ['', 'okay', 'okay'],
  ['No.', 'yes', 'yes'],
])('%s: %s adds "%s"', (before, text, added) => {
  expect(addedWords(before, text)).toBe(added);
});
