import type { ChatMessage } from '../../../inference/chat/chat.js';

/** One turn of the caller and all that came of it. */
export interface Exchange {
  turn: number;
  user: string;
  /** Calls and their results, in order. */
  steps: ChatMessage[];
  planned: string;
  /** What the caller heard of it; undefined until it is known. */
  heard: string | undefined;
  interrupted: boolean;
}

/** Exchanges that the model is shown; a call is seldom longer. */
const REMEMBERED = 40;
/** How the model is told that the caller did not hear the rest. */
const CUT = ' [the caller interrupted here]';

/** The conversation as the model sees it: what was heard, not what was planned. */
export class History {
  private exchanges: Exchange[] = [];
  private greeting = '';

  greet(words: string): void {
    this.greeting = words;
  }

  /** Begins a turn; one that comes again with other words replaces its first try. */
  begin(turn: number, user: string): Exchange {
    const exchange: Exchange = { turn, user, steps: [], planned: '', heard: undefined, interrupted: false };
    this.exchanges = [...this.exchanges.filter((other) => other.turn !== turn), exchange].slice(-REMEMBERED);
    return exchange;
  }

  /** Something the model is to know that belongs to no turn. */
  note(content: string): void {
    const steps: ChatMessage[] = [{ role: 'system', content }];
    this.exchanges.push({ turn: Number.NaN, user: '', steps, planned: '', heard: undefined, interrupted: false });
  }

  forget(exchange: Exchange): void {
    this.exchanges = this.exchanges.filter((other) => other !== exchange);
  }

  heard(turn: number, words: string, interrupted: boolean): void {
    // Idle prompts and notices answer no turn either.
    const greeted = words !== '' && this.greeting.startsWith(words.slice(0, 20));
    if (turn === 0 && greeted) this.greeting = words + (interrupted ? CUT : '');
    const exchange = this.exchanges.find((candidate) => candidate.turn === turn);
    if (exchange) Object.assign(exchange, { heard: words.trim(), interrupted });
  }

  messages(system: string): ChatMessage[] {
    const messages: ChatMessage[] = [{ role: 'system', content: system }];
    if (this.greeting) messages.push({ role: 'assistant', content: this.greeting });
    for (const { user, steps, planned, heard, interrupted } of this.exchanges) {
      if (user !== '') messages.push({ role: 'user', content: user });
      messages.push(...steps);
      const said = (heard ?? planned) + (interrupted ? CUT : '');
      if (said !== '') messages.push({ role: 'assistant', content: said });
    }
    return messages;
  }
}
