import { monotonicMs } from '../../telemetry/clock.js';
import type { PreparedLine } from './lines.js';
import type { PhoneCall } from './phone-call.js';
import type { CallScript, HangUpMoment, Step } from './script.js';
import type { PlayedLine } from './turns.js';

/** How long into the greeting or the reply a script hangs up that says so, ms. */
const INTO_SPEECH_MS = 500;
/** How long after its own last word a script hangs up that says `thinking`, ms. */
const THINKING_MS = 150;

/** Told as the call goes; for the human reader. */
export interface Narrator {
  /** A line begins to be said. */
  saying(turn: number, said: string): void;
  /** The agent has been quiet long enough to have finished; turn 0 is the greeting. */
  agentFinished(turn: number): void;
}

/** Runs a script on an answered call, and hangs up at its end unless the agent is expected to. */
export class Conductor {
  /** Lines said, and silences kept, so far. */
  readonly lines: PlayedLine[] = [];
  /** From here on an answer of the agent is waited for. */
  private since: number;
  private awaitsAnswer = true;

  constructor(
    private readonly call: PhoneCall,
    private readonly script: Pick<CallScript, 'steps' | 'quietMs' | 'timeoutMs' | 'limitMs' | 'expectEnd'>,
    /** By the index of the step. */
    private readonly prepared: ReadonlyMap<number, PreparedLine>,
    private readonly narrator: Narrator,
  ) {
    this.since = call.answeredAt ?? 0;
  }

  async run(): Promise<void> {
    for (const [index, step] of this.script.steps.entries()) {
      if (this.call.end) return;
      await this.step(index, step);
    }
    if (this.call.end) return;
    await this.agentFinished();
    if (this.script.expectEnd === 'agent' || this.script.expectEnd === 'transfer') {
      await this.call.until(() => false, this.script.timeoutMs);
    }
    await this.call.hangUp();
  }

  private async step(index: number, step: Step): Promise<void> {
    if (step.hangUp === 'greeting') return this.hangUpIntoSpeech();
    await this.moment(step);
    if (this.call.end) return;
    if (step.action.kind === 'say') await this.say(index, step.hangUp);
    else if (step.action.kind === 'press') await this.press(index, step.action.keys);
    else if (step.action.kind === 'wait') await this.keepSilent(index, step.action.ms);
    if (step.hangUp === 'now') await this.call.hangUp();
  }

  private async moment({ after }: Step): Promise<void> {
    if (after.kind === 'agent') return this.agentFinished();
    const from = this.since;
    if (after.kind === 'time') {
      await this.reach(from + after.ms);
      return;
    }
    const begun = await this.speechSince(from);
    if (begun !== undefined) await this.reach(begun + after.ms);
  }

  /** Waits until the agent has spoken since our last line, and has been quiet since. */
  private async agentFinished(): Promise<void> {
    const { heard } = this.call;
    const from = this.since;
    const silent = () => {
      const last = heard.lastSpurt(from);
      if (!last) return !this.awaitsAnswer;
      return monotonicMs() - last.endedAt >= this.script.quietMs;
    };
    // A long answer is not cut short by the time that is allowed until it begins.
    if (this.awaitsAnswer) await this.call.until(() => heard.lastSpurt(from) !== undefined, this.script.timeoutMs);
    if (heard.lastSpurt(from)) await this.call.until(silent, this.script.limitMs);
    if (!this.call.end) this.narrator.agentFinished(this.lines.length);
  }

  /** When the agent began to speak after `from`; `from` itself when it was speaking then. */
  private async speechSince(from: number): Promise<number | undefined> {
    const { heard } = this.call;
    await this.call.until(() => heard.lastSpurt(from) !== undefined, this.script.timeoutMs);
    const first = heard.spurts().find((spurt) => spurt.endedAt >= from);
    return first && Math.max(first.startedAt, from);
  }

  private reach(at: number): Promise<boolean> {
    return this.call.until(() => monotonicMs() >= at, this.script.limitMs);
  }

  private async say(index: number, hangUp: HangUpMoment | undefined): Promise<void> {
    const line = this.prepared.get(index);
    if (!line) return;
    const turn = this.lines.length + 1;
    const at = await this.call.play(line.pcm);
    if (at === undefined) return;
    const wire = (sample: number) => at + packetOf(sample, this.call.sampleRate);
    const played = { said: line.said, step: index, startedAt: wire(line.span.start), endedAt: wire(line.span.end - 1) };
    this.lines.push(played);
    this.since = played.endedAt;
    this.awaitsAnswer = true;
    this.narrator.saying(turn, line.said);
    if (hangUp === 'speech') {
      await this.reach((played.startedAt + played.endedAt) / 2);
      await this.call.hangUp();
      return;
    }
    await this.reach(played.endedAt);
    if (hangUp === 'thinking') {
      await this.reach(played.endedAt + THINKING_MS);
      await this.call.hangUp();
    } else if (hangUp === 'reply') await this.hangUpIntoSpeech();
  }

  /** Keys are a turn of the caller's like words are. */
  private async press(index: number, keys: string): Promise<void> {
    const startedAt = monotonicMs();
    await this.call.press(keys);
    const played = { said: `[${keys}]`, step: index, startedAt, endedAt: monotonicMs() };
    this.lines.push(played);
    this.since = played.endedAt;
    this.awaitsAnswer = true;
    this.narrator.saying(this.lines.length, played.said);
  }

  private async keepSilent(index: number, ms: number): Promise<void> {
    const at = monotonicMs();
    this.lines.push({ said: '', step: index, startedAt: at, endedAt: at });
    this.since = at;
    this.awaitsAnswer = false;
    await this.reach(at + ms);
  }

  private async hangUpIntoSpeech(): Promise<void> {
    const begun = await this.speechSince(this.since);
    if (begun !== undefined) await this.reach(begun + INTO_SPEECH_MS);
    await this.call.hangUp();
  }
}

/** Packets of 20 ms: a sample goes out with the others of its packet. @returns ms after the first packet */
function packetOf(sample: number, sampleRate: number): number {
  const perPacket = (sampleRate * 20) / 1000;
  return Math.floor(sample / perPacket) * 20;
}
