import type { Afterwards } from '../conversation/state.js';
import type { Consent, Fallback } from '../dialplan/dialplan.js';
import type { JournalEvent } from '../journal/events.js';
import { sentencesOf } from '../speech/synthesis/splitter.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Prepared } from './prepare.js';
import type { CallVoice } from './voice/call-voice.js';
import { ConsentQuestion } from './voice/consent.js';
import { sayNotice } from './voice/notice.js';

/** Who is told what comes of it. */
export interface BeginningHost {
  record(event: JournalEvent): void;
  /** The agent begins. @param agreed the caller said yes */
  go(agreed: boolean): void;
  /** It does not. @param parting said when nobody takes the call */
  leave(afterwards: Afterwards, parting?: string): void;
}

/** A call that begins with a question: notice, consent, and what follows from the answer. */
export class Beginning {
  private readonly question: ConsentQuestion;

  constructor(
    private readonly prepared: Prepared,
    private readonly consent: Consent,
    private readonly host: BeginningHost,
  ) {
    this.question = new ConsentQuestion(prepared.voice, consent, (event) => host.record(event), monotonicMs);
  }

  /** Timers that run, for leak tests. */
  get pending(): number {
    return this.question.pending;
  }

  async run(): Promise<void> {
    const { prepared, consent, host } = this;
    await sayNotice(prepared.voice, prepared.opening.notice, (event) => host.record(event));
    prepared.opening = { ...prepared.opening, notice: [] };
    const agreed = await this.question.ask();
    if (agreed === undefined) return;
    const { refused } = consent;
    if (agreed || refused === 'unrecorded') return host.go(agreed);
    if ('transfer' in refused) {
      return host.leave({ type: 'transfer', target: refused.transfer, reason: 'consent refused' }, refused.otherwise);
    }
    await sayNotice(prepared.voice, sentencesOf(refused.hangUp), (event) => host.record(event));
    host.leave({ type: 'hangup', reason: 'consent refused', by: 'agent' });
  }

  /** The call is over, or somebody else has it. */
  stop(): void {
    this.question.stop();
  }
}

/** The entry's fallback has the call: its words, then whoever takes it. */
export async function standIn(
  { say, target, redirect, otherwise }: Fallback,
  reason: string,
  voice: CallVoice,
  host: Pick<BeginningHost, 'record' | 'leave'>,
): Promise<void> {
  const to = target ?? redirect;
  host.record({ type: 'fallback', reason, to });
  voice.divert(() => undefined);
  await sayNotice(voice, sentencesOf(say ?? ''), (event) => host.record(event));
  if (to === undefined) return host.leave({ type: 'hangup', reason, by: 'error' });
  host.leave({ type: 'transfer', target: to, reason: 'failure' }, otherwise);
}
