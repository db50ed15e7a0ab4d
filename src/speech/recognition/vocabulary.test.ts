import { describe, expect, it } from 'vitest';
import { buildVocabulary } from './vocabulary.js';

describe('buildVocabulary', () => {
  it('takes phrases as authors write them', () => {
    const { phrases } = buildVocabulary([
      'Where is my order?',
      'order_status',
      'Hillside Clinic',
      'i want a refund',
      'a.m.',
    ]);
    expect(phrases).toEqual(['where is my order', 'order status', 'Hillside Clinic', 'I want a refund', 'a.m.']);
  });

  it('leaves out doubles and what can not be heard, and has an end', () => {
    expect(buildVocabulary(['refund', 'Refund!', '...', '']).phrases).toEqual(['refund']);
    expect(buildVocabulary(Array.from({ length: 2000 }, (_, n) => `phrase ${n}`)).phrases).toHaveLength(600);
  });

  it('has one id for the same phrases', () => {
    const [a, b, c] = [['refund', 'order'], ['refund!', 'order'], ['refund']].map((some) => buildVocabulary(some).id);
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });
});
