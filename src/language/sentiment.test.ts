import { describe, expect, it } from 'vitest';
import { moodOf, sentimentOf } from './sentiment.js';

describe('sentiment of caller turns', () => {
  it.each([
    'this is ridiculous',
    'I have been waiting for three weeks and nobody calls me back',
    "that's not what I asked",
    "this is the third time I'm calling about this",
    "you're not helping me at all",
    'Are you kidding me?',
    "it still doesn't work",
    'I want my money back right now',
    "I'm fed up",
    'it arrived broken again',
    'I am not happy with your service',
  ])('negative: %s', (text) => {
    expect(moodOf(sentimentOf(text))).toBe('negative');
  });

  it.each([
    'no',
    "No, that's wrong, it's five five.",
    'I lost my card',
    'I want to cancel my order',
    'the death certificate department please',
    'my order arrived broken',
    'is there a late fee',
    'sorry, the number is 48 69 86',
    'can I speak to an agent',
    '',
  ])('neutral: %s', (text) => {
    expect(moodOf(sentimentOf(text))).toBe('neutral');
  });

  it.each([
    "thank you so much, that's great",
    'You have been very helpful.',
    'no problem at all, thank you',
    'not bad',
  ])('positive: %s', (text) => {
    expect(moodOf(sentimentOf(text))).toBe('positive');
  });

  it('grows with degree, and is turned by negation', () => {
    expect(sentimentOf('I am very very upset')).toBeLessThan(sentimentOf('I am a bit upset'));
    expect(sentimentOf('I am not happy')).toBeLessThan(0);
    expect(Math.abs(sentimentOf('terrible '.repeat(200)))).toBeLessThanOrEqual(1);
  });
});
