import { describe, expect, it } from 'vitest';
import type { HeardSpurt } from './heard.js';
import { splitTurns } from './turns.js';

const line = (startedAt: number, endedAt: number) => ({ said: 'words', step: 0, startedAt, endedAt });
const spurt = (startedAt: number, endedAt: number): HeardSpurt => ({
  from: startedAt * 8,
  to: endedAt * 8,
  startedAt,
  endedAt,
});

function timings(lines: ReturnType<typeof line>[], spurts: HeardSpurt[]) {
  const { greeting, turns } = splitTurns(lines, spurts, 700);
  return {
    greeting: greeting.map((s) => s.startedAt),
    turns: turns.map((t) => ({ ...t, spurts: t.spurts.map((s) => s.startedAt) })),
  };
}

describe('splitTurns', () => {
  it('gives the greeting to nobody and each answer to the line before it', () => {
    const heard = [spurt(100, 2000), spurt(4400, 5000), spurt(5400, 6000), spurt(8900, 9500)];
    expect(timings([line(3000, 4000), line(7000, 8000)], heard)).toEqual({
      greeting: [100],
      turns: [
        { spurts: [4400, 5400], voiceToVoiceMs: 400, cutOff: false, stoppedMs: undefined },
        { spurts: [8900], voiceToVoiceMs: 900, cutOff: false, stoppedMs: undefined },
      ],
    });
  });

  it('says when the agent cut in, and still measures the answer after the line', () => {
    expect(timings([line(3000, 5000)], [spurt(4000, 4600), spurt(5800, 7000)]).turns).toEqual([
      { spurts: [4000, 5800], voiceToVoiceMs: 800, cutOff: true, stoppedMs: undefined },
    ]);
  });

  it('measures how soon an interrupted agent stops, its next sentence included', () => {
    const heard = [spurt(2000, 4000), spurt(4350, 4500), spurt(5900, 7000)];
    expect(timings([line(1000, 1500), line(3900, 5200)], heard).turns).toEqual([
      { spurts: [2000, 4350], voiceToVoiceMs: 500, cutOff: false, stoppedMs: undefined },
      { spurts: [5900], voiceToVoiceMs: 700, cutOff: false, stoppedMs: 600 },
    ]);
  });

  it('takes the gap between two sentences for speaking, and a silence that is kept for no line', () => {
    const heard = [spurt(2000, 3000), spurt(3600, 4000), spurt(9000, 9500)];
    const silence = { ...line(5000, 5000), said: '' };
    expect(timings([line(1000, 1500), line(3300, 3800), silence], heard).turns).toEqual([
      { spurts: [2000, 3600], voiceToVoiceMs: 500, cutOff: false, stoppedMs: undefined },
      { spurts: [], voiceToVoiceMs: undefined, cutOff: false, stoppedMs: 700 },
      { spurts: [9000], voiceToVoiceMs: undefined, cutOff: false, stoppedMs: undefined },
    ]);
  });

  it('has no figure where no answer came', () => {
    expect(timings([line(1000, 1500)], []).turns).toEqual([
      { spurts: [], voiceToVoiceMs: undefined, cutOff: false, stoppedMs: undefined },
    ]);
  });
});
