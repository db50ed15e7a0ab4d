import type { CallReport, ExpectationReport } from './report.js';
import type { CallScript, Expectation, Step } from './script.js';

/** What the agent did about a step, as far as an expectation can speak of it. */
interface Answer {
  heard: string;
  /** voice-to-voice, or ACK to greeting for the greeting. */
  withinMs: number | null;
  cutOff: boolean;
  stoppedMs: number | undefined;
}

/** The call as far as expectations look at it. */
type Facts = Pick<CallReport, 'answered' | 'greeting' | 'greetingMs' | 'turns' | 'ended'>;

/**
 * Holds a finished call to its script.
 *
 * @param stepOfTurn the script's step (index) of each turn; a step that was not reached has failed
 */
export function checkExpectations(
  script: CallScript,
  facts: Facts,
  stepOfTurn: readonly number[],
): ExpectationReport[] {
  const reports = script.steps.flatMap((step, index): ExpectationReport[] => {
    const { expect } = step;
    if (!expect) return [];
    const answer = facts.answered ? answerTo(index, step, facts, stepOfTurn) : undefined;
    return checkAnswer(expect, answer).map((report) => ({ step: index + 1, ...report }));
  });
  if (script.expectEnd !== undefined) {
    const { by, reason } = facts.ended;
    const actual = `ended by ${by}${reason ? ` (${reason})` : ''}`;
    reports.push({ expect: `ended by ${script.expectEnd}`, ok: by === script.expectEnd, actual });
  }
  return reports;
}

/** The answer to a step's own line; a step that only listens is about what was said last. */
function answerTo(index: number, step: Step, facts: Facts, stepOfTurn: readonly number[]): Answer | undefined {
  const turn = stepOfTurn.findLastIndex((owner) => owner <= index);
  if (step.action.kind !== 'listen' && stepOfTurn[turn] !== index) return undefined;
  const report = facts.turns[turn];
  if (!report) return { heard: facts.greeting, withinMs: facts.greetingMs, cutOff: false, stoppedMs: undefined };
  const { heard, voiceToVoiceMs, cutOff, stoppedMs } = report;
  return { heard, withinMs: voiceToVoiceMs, cutOff, stoppedMs };
}

type Check = Omit<ExpectationReport, 'step'>;

function checkAnswer(expected: Expectation, answer: Answer | undefined): Check[] {
  const check = (expect: string, ok: (answer: Answer) => boolean, actual: (answer: Answer) => string): Check =>
    answer
      ? { expect, ok: ok(answer), actual: actual(answer) }
      : { expect, ok: false, actual: 'the call ended before' };
  const heard = (answer: Answer) => `heard "${answer.heard}"`;
  const checks: Check[] = [
    ...expected.heard.map((p) => check(`heard ${shown(p.source)}`, (a) => p.matches(a.heard), heard)),
    ...expected.notHeard.map((p) => check(`not heard ${shown(p.source)}`, (a) => !p.matches(a.heard), heard)),
  ];
  const { withinMs, cutOff, stopsMs } = expected;
  if (withinMs !== undefined) {
    const ok = (a: Answer) => a.withinMs !== null && a.withinMs <= withinMs;
    checks.push(
      check(`answer within ${withinMs} ms`, ok, (a) => (a.withinMs === null ? 'no answer' : `${a.withinMs} ms`)),
    );
  }
  if (cutOff !== undefined) {
    const words = (is: boolean) => (is ? 'cut off' : 'not cut off');
    checks.push(
      check(
        words(cutOff),
        (a) => a.cutOff === cutOff,
        (a) => words(a.cutOff),
      ),
    );
  }
  if (stopsMs !== undefined) {
    const ok = (a: Answer) => a.stoppedMs !== undefined && a.stoppedMs <= stopsMs;
    const actual = (a: Answer) => (a.stoppedMs === undefined ? 'the agent was not speaking' : `${a.stoppedMs} ms`);
    checks.push(check(`agent stops within ${stopsMs} ms`, ok, actual));
  }
  return checks;
}

function shown(source: string): string {
  return source.startsWith('/') ? source : `"${source}"`;
}
