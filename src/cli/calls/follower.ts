import { setTimeout as delay } from 'node:timers/promises';
import type { StoredEvent } from '../../journal/events.js';
import type { JournalBook } from '../../journal/journal.js';
import { renderTranscript, transcript } from '../../journal/transcript.js';
import { print } from '../output.js';

/** How often new calls are looked for, ms. */
const LOOK_MS = 300;
/** Newest calls looked at each time. */
const NEWEST = 50;
/** Letters of an id that tell calls apart on the screen. */
const TAG_LETTERS = 6;

/** Shows calls while they happen, until the signal. */
export class Follower {
  constructor(
    private readonly book: JournalBook,
    private readonly signal: AbortSignal,
    private readonly json: boolean,
  ) {}

  /** Shows one call from its beginning to its end. @param tag stands before each line */
  async call(id: string, tag = ''): Promise<void> {
    const started: StoredEvent[] = [];
    for await (const event of this.book.follow(id, 0, this.signal)) {
      if (this.json) print(JSON.stringify(event));
      else if (event.type === 'agent.started') started.push(event);
      else
        for (const line of renderTranscript(transcript([...started, event])).split('\n')) if (line) print(tag + line);
    }
  }

  /** Shows every call that begins from now on. */
  async everyNewCall(): Promise<void> {
    const known = new Set(await this.newest());
    const following = new Set<Promise<void>>();
    while (!this.signal.aborted) {
      for (const id of await this.newest()) {
        if (known.has(id)) continue;
        known.add(id);
        const shown = this.call(id, `${id.slice(-TAG_LETTERS)}  `).finally(() => following.delete(shown));
        following.add(shown);
      }
      await delay(LOOK_MS, undefined, { signal: this.signal }).catch(() => undefined);
    }
    await Promise.all(following);
  }

  private async newest(): Promise<string[]> {
    return (await this.book.list(NEWEST)).map(({ call }) => call);
  }
}
