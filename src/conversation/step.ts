import type { JournalEvent } from '../journal/events.js';
import type { Reply, TimerName, TurnEffect, TurnState } from './state.js';

/** One step of the reducer: the draft of the next state, and the effects so far. */
export class Step {
  readonly effects: TurnEffect[] = [];

  constructor(
    readonly state: TurnState,
    readonly at: number,
  ) {}

  do(effect: TurnEffect): void {
    this.effects.push(effect);
  }

  journal(event: JournalEvent, at = this.at): void {
    this.do({ type: 'journal', event, at });
  }

  timer(name: TimerName, ms: number): void {
    this.do({ type: 'timer', name, ms: Math.max(0, ms) });
  }

  clear(...names: TimerName[]): void {
    for (const name of names) this.do({ type: 'clear', name });
  }

  /** The current reply, if some of it is in the playout queue or being played. */
  get talking(): Reply | undefined {
    const { current } = this.state;
    return current?.utterances.some((u) => u.status === 'started') ? current : undefined;
  }
}

/** Words without case and punctuation: whether two results of the recogniser say the same. */
export function sameWords(a: string, b: string): boolean {
  return words(a) === words(b);
}

/** Whether newer words of the same stretch go on from the older: of those, the last may have been heard in part only. */
export function goesOn(before: string, text: string): boolean {
  const older = words(before).split(' ');
  const newer = words(text).split(' ');
  if (older[0] === '' || older[0] !== newer[0]) return false;
  return older.slice(0, -1).every((word, n) => word === newer[n]);
}

function words(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s]/gu, '')
    .split(/\s+/)
    .filter(Boolean)
    .join(' ');
}
