import { type ChatEndpoint, streamChat, warmChat } from '../inference/chat/chat.js';

/** Verdicts kept; a call has a few dozen bursts at most. */
const REMEMBERED = 2000;
/** After so many failures in a row it is not asked for a while, ms. */
const BREAK = { failures: 3, ms: 30_000 };
/** Of what the agent says, characters: its end is what the caller reacts to. */
const AGENT_CHARACTERS = 300;

const TASK = `On a phone call the caller makes a sound while the agent is speaking. Decide what it is.
FLOOR: the caller wants to speak now: a question, a request, a correction, an objection, or an answer that should be heard.
LISTEN: the caller only shows that they listen ("mhm", "I see"), talks to somebody else, or the words make no sense.
Answer with one word: FLOOR or LISTEN.`;

/**
 * A language model that is asked who goes on where the local judge is uncertain. It is a second opinion: whoever asks does
 * not wait for it with what is certain, and when it is late, silent or broken there is none.
 */
export class LlmJudge {
  private readonly verdicts = new Map<string, boolean>();
  private failures = 0;
  private brokenUntil = 0;

  /** @param endpoint its `timeoutMs` is the time limit of a verdict */
  constructor(private readonly endpoint: ChatEndpoint) {
    void warmChat(endpoint);
  }

  /**
   * Whether the caller takes the floor; undefined when there is no verdict in time.
   *
   * @param words of the caller so far
   * @param agent what the agent is saying
   */
  async takesFloor(words: string, agent: string, now: number): Promise<boolean | undefined> {
    const said = agent.slice(-AGENT_CHARACTERS);
    const key = `${plain(words)}|${plain(said)}`;
    const known = this.verdicts.get(key);
    if (known !== undefined || now < this.brokenUntil) return known;
    try {
      const verdict = await this.ask(words, said);
      this.failures = 0;
      if (verdict !== undefined) this.remember(key, verdict);
      return verdict;
    } catch {
      if (++this.failures >= BREAK.failures) this.brokenUntil = now + BREAK.ms;
      return undefined;
    }
  }

  private async ask(words: string, agent: string): Promise<boolean | undefined> {
    const content = `Agent: ${JSON.stringify(agent)}\nCaller, meanwhile: ${JSON.stringify(words)}`;
    const messages = [{ role: 'system', content: TASK } as const, { role: 'user', content } as const];
    const signal = AbortSignal.timeout(this.endpoint.timeoutMs);
    let said = '';
    for await (const part of streamChat(this.endpoint, { messages, temperature: 0, maxTokens: 4 }, signal)) {
      if (part.type === 'text') said += part.text;
      // The first word is the verdict; the rest, and the end of the stream, are not waited for.
      const verdict = /floor|listen/i.exec(said)?.[0].toLowerCase();
      if (verdict) return verdict === 'floor';
    }
    return undefined;
  }

  private remember(key: string, verdict: boolean): void {
    const [oldest] = this.verdicts.keys();
    if (this.verdicts.size >= REMEMBERED && oldest !== undefined) this.verdicts.delete(oldest);
    this.verdicts.set(key, verdict);
  }
}

function plain(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []).join(' ');
}
