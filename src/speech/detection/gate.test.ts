import { describe, expect, it } from 'vitest';
import { type GateMark, SpeechGate } from './gate.js';

const OPTIONS = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 160, windowMs: 32 } as const;

function marks(probabilities: readonly number[], level = -20): (GateMark & { window: number })[] {
  const gate = new SpeechGate(OPTIONS);
  return probabilities.flatMap((probability, window) => {
    const mark = gate.push(probability, level);
    return mark ? [{ ...mark, window }] : [];
  });
}

describe('SpeechGate', () => {
  it('marks where speech began and where the last voiced window ended', () => {
    const speech = [0, 0.1, 0.9, 0.9, 0.9, 0.8, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0];
    expect(marks(speech)).toEqual([
      { type: 'onset', windowsAgo: 3, window: 4 },
      { type: 'pause', windowsAgo: 3, window: 9 },
      { type: 'offset', windowsAgo: 5, window: 11 },
    ]);
  });

  it('takes a click for nothing and a stop consonant for a pause at most', () => {
    expect(marks([0, 0.9, 0.9, 0.1, 0, 0.9, 0.2])).toEqual([]);
    expect(marks([0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9]).map((mark) => mark.type)).toEqual(['onset', 'pause']);
  });

  it('keeps an onset through a window between release and threshold without counting it', () => {
    expect(marks([0.9, 0.4, 0.9, 0.9])).toEqual([{ type: 'onset', windowsAgo: 4, window: 3 }]);
  });

  it('ends with the sound, however long the detector goes on believing in it', () => {
    const gate = new SpeechGate(OPTIONS);
    const types = (levels: readonly number[]) => levels.map((level) => gate.push(0.9, level)?.type);
    expect(types([-20, -20, -20, -30, -60, -60, -60, -60, -60])).toEqual([
      ...[undefined, undefined, 'onset', undefined],
      ...[undefined, undefined, 'pause', undefined, 'offset'],
    ]);
  });

  it('hears the end above the noise of a line, but takes no soft voice for one', () => {
    const gate = new SpeechGate(OPTIONS);
    for (let n = 0; n < 50; n++) gate.push(0.01, -50);
    for (let n = 0; n < 5; n++) gate.push(0.9, -15);
    expect(Array.from({ length: 9 }, () => gate.push(0.9, -46)?.type)).not.toContain('pause');
    for (let n = 0; n < 5; n++) gate.push(0.9, -50);
    expect(gate.speaking).toBe(false);
    // After a bang a voice far below it is still one.
    for (const level of [-2, -2, -2]) gate.push(0.9, level);
    for (let n = 0; n < 9; n++) gate.push(0.9, -40);
    expect(gate.speaking).toBe(true);
  });

  it('never opens on sound below the minimal level', () => {
    expect(marks(Array(20).fill(0.99), -60)).toEqual([]);
  });

  it('wants more evidence while an echo is likely, and none of an echo', () => {
    const opensAfter = (echo: number) => {
      const gate = new SpeechGate(OPTIONS);
      return Array.from({ length: 40 }, () => gate.push(0.9, -20, echo)).findIndex((mark) => mark !== undefined);
    };
    expect([0, 0.5, 1].map(opensAfter)).toEqual([2, 5, -1]);
  });

  it('takes an echo after the caller for silence', () => {
    const gate = new SpeechGate(OPTIONS);
    for (let n = 0; n < 5; n++) gate.push(0.9, -20);
    expect(gate.speaking).toBe(true);
    for (let n = 0; n < 5; n++) gate.push(0.9, -20, 1);
    expect(gate.speaking).toBe(false);
  });

  it('opens again after an offset', () => {
    const word = [0.9, 0.9, 0.9, 0, 0, 0, 0, 0];
    const types = marks([...word, ...word]).map((mark) => mark.type);
    expect(types).toEqual(['onset', 'pause', 'offset', 'onset', 'pause', 'offset']);
  });
});
