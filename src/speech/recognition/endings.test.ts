import { describe, expect, it } from 'vitest';
import { unfinishedEndings } from './endings.js';

describe('unfinishedEndings', () => {
  it('puts words that more must follow in place of the last one or two', () => {
    const endings = unfinishedEndings('What are you are?');
    expect(endings).toContain('What are you our?');
    expect(endings).toContain('What are your?');
    expect(endings).not.toContain('What are you are?');
  });

  it('leaves a word that sounds the same', () => {
    expect(unfinishedEndings('Nine zero two.')).not.toContain('Nine zero to.');
    expect(unfinishedEndings('Nine zero four.')).not.toContain('Nine zero for.');
  });

  it('leaves one word alone', () => {
    for (const text of ['Yes.', '', '?']) expect(unfinishedEndings(text)).toEqual([]);
  });
});
