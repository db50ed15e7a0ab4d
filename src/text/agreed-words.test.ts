import { expect, it } from 'vitest';
import { agreedWords } from './agreed-words.js';

it.each([
  ['Where is', 'where is my', 'where is'],
  ['Where is my oar', 'Where is my order?', 'Where is my'],
  ['Where is my order?', 'Where is my order, please?', 'Where is my order,'],
  ['Wear', 'Where is', ''],
  ['', 'Where', ''],
])('%s, %s: "%s"', (before, text, agreed) => {
  expect(agreedWords(before, text)).toBe(agreed);
});
