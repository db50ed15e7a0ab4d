import { Conductor, type Narrator } from './conduct.js';
import { checkExpectations } from './expectations.js';
import type { PreparedLine } from './lines.js';
import type { Phone } from './phone.js';
import type { PhoneCall } from './phone-call.js';
import type { CallReport, TurnReport } from './report.js';
import type { CallScript } from './script.js';
import type { Transcriber } from './speech-tools.js';
import { Transcripts } from './transcripts.js';
import { type PlayedLine, splitTurns, type TurnTiming } from './turns.js';

/** What a call is made with. */
export interface CallTools {
  phone: Phone;
  /** The script's lines, by the index of the step. */
  lines: ReadonlyMap<number, PreparedLine>;
  /** Writes down what was heard; without one `heard` stays empty. */
  transcriber?: Transcriber | undefined;
}

/** Told as the call goes. */
export interface CallWatcher {
  answered?(answerMs: number): void;
  greeted?(text: string, ms: number | undefined): void;
  said?(text: string): void;
  heard?(text: string, timing: TurnTiming): void;
}

/** A finished call: its report, and its sound for a recording. */
export interface PlacedCall {
  report: CallReport;
  call: PhoneCall;
}

/**
 * Makes one scripted call from beginning to end.
 *
 * @param uri SIP address
 */
export async function placeCall(
  uri: string,
  script: CallScript,
  tools: CallTools,
  watcher: CallWatcher = {},
): Promise<PlacedCall> {
  const { phone, lines, transcriber } = tools;
  const cancel = script.steps[0]?.hangUp === 'invite';
  const call = await phone.dial(uri, { ...script, cancel });
  const transcripts = new Transcripts(call.heard, transcriber);
  const played: PlayedLine[] = [];
  if (call.answeredAt !== undefined) {
    watcher.answered?.(Math.round(call.answeredAt - call.inviteAt));
    const story = new Story(call, script.quietMs, transcripts, watcher);
    const conductor = new Conductor(call, script, lines, story);
    story.lines = conductor.lines;
    await conductor.run();
    await call.hangUp();
    await story.told();
    played.push(...conductor.lines);
  }
  await call.over;
  return { call, report: await reportOf(uri, script, call, played, transcripts) };
}

/** Tells the watcher the conversation in order: an answer is told when it is over, and before the next line at the latest. */
class Story implements Narrator {
  lines: readonly PlayedLine[] = [];
  /** Turns whose answer has been told. */
  private toldTurns = 0;
  /** Lines said over the answer before, by turn. */
  private readonly pending = new Map<number, string>();
  private telling: Promise<void> = Promise.resolve();

  constructor(
    private readonly call: PhoneCall,
    private readonly quietMs: number,
    private readonly transcripts: Transcripts,
    private readonly watcher: CallWatcher,
  ) {}

  saying(turn: number, said: string): void {
    // Said over the answer before: that one is told first, when its end is known.
    if (this.toldTurns >= turn) this.watcherSaid(said);
    else this.pending.set(turn, said);
  }

  agentFinished(turn: number): void {
    for (let next = this.toldTurns; next <= turn; next++) this.tell(next);
  }

  /** Tells what is left; resolves when all is told. */
  async told(): Promise<void> {
    this.agentFinished(this.lines.length);
    await this.telling;
  }

  private tell(turn: number): void {
    this.toldTurns = turn + 1;
    const { greeting, turns } = splitTurns(this.lines, this.call.heard.spurts(), this.quietMs);
    const timing = turns[turn - 1];
    const spurts = timing?.spurts ?? greeting;
    const said = this.pending.get(turn + 1);
    this.telling = this.telling.then(async () => {
      const text = await this.transcripts.of(spurts);
      if (timing) this.watcher.heard?.(text, timing);
      else this.watcher.greeted?.(text, greetingMs(this.call, greeting[0]?.startedAt));
      if (said !== undefined) this.watcher.said?.(said);
    });
  }

  private watcherSaid(said: string): void {
    this.telling = this.telling.then(() => this.watcher.said?.(said));
  }
}

async function reportOf(
  uri: string,
  script: CallScript,
  call: PhoneCall,
  lines: readonly PlayedLine[],
  transcripts: Transcripts,
): Promise<CallReport> {
  const { answeredAt = 0 } = call;
  const answered = call.answeredAt !== undefined;
  const { greeting, turns } = splitTurns(lines, call.heard.spurts(), script.quietMs);
  const reports: TurnReport[] = [];
  for (const [index, turn] of turns.entries()) {
    const line = lines[index];
    reports.push({
      said: line?.said ?? '',
      heard: await transcripts.of(turn.spurts),
      voiceToVoiceMs: rounded(turn.voiceToVoiceMs),
      cutOff: turn.cutOff,
      ...(turn.stoppedMs === undefined ? {} : { stoppedMs: Math.round(turn.stoppedMs) }),
      atMs: Math.round((line?.startedAt ?? 0) - answeredAt),
    });
  }
  const facts = {
    answered,
    answerMs: answered ? Math.round(answeredAt - call.inviteAt) : null,
    greetingMs: rounded(greetingMs(call, greeting[0]?.startedAt)),
    greeting: await transcripts.of(greeting),
    turns: reports,
    ended: call.end ?? { by: 'error' as const },
    durationMs: answered ? Math.round(call.endedAt - answeredAt) : 0,
  };
  const steps = lines.map((line) => line.step);
  const expectations = checkExpectations(script, facts, steps);
  const cancelled = facts.ended.by === 'cancelled' && script.steps[0]?.hangUp === 'invite';
  const wanted = answered || cancelled || script.expectEnd === facts.ended.by;
  return {
    uri,
    ok: wanted && facts.ended.by !== 'error' && expectations.every((expectation) => expectation.ok),
    ...(call.status === undefined ? {} : { status: call.status }),
    ...(call.reason === undefined ? {} : { reason: call.reason }),
    ...facts,
    expectations,
  };
}

function greetingMs(call: PhoneCall, startedAt: number | undefined): number | undefined {
  return startedAt === undefined || call.answeredAt === undefined ? undefined : startedAt - call.answeredAt;
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms);
}
