import type { Conversation } from '../conversation/conversation.js';
import type { Afterwards } from '../conversation/state.js';
import type { JournalEvent } from '../journal/events.js';
import { sentencesOf } from '../speech/synthesis/splitter.js';
import { Beginning, type BeginningHost, standIn } from './beginning.js';
import type { Prepared } from './prepare.js';
import { sayNotice } from './voice/notice.js';

/** So many sentences in a row that nobody heard, and the agent is given up. */
const VOICELESS = 3;

/** What it needs of the call. */
export interface CallTalkHost {
  /** While it is the caller's turn to hear somebody: the call stands, and no person has it. */
  prepared(): Prepared | undefined;
  /** Number of the caller's last turn in a transfer. */
  lastTurn(): number | undefined;
  record(event: JournalEvent): void;
  finish(afterwards: Afterwards): void;
}

/** Who talks with the caller: the dialplan's question first, then the agent; the dialplan's fallback when that fails. */
export class CallTalk {
  /** Why there is no agent. */
  failure: string | undefined;
  /** The call is recorded. */
  recorded = false;
  private beginning: Beginning | undefined;
  private agent: Conversation | undefined;
  /** Said when nobody takes the call, by whoever has it in the agent's place. */
  private parting: string | undefined;

  constructor(private readonly host: CallTalkHost) {}

  /** The agent's side, once it has the call. */
  get conversation(): Conversation | undefined {
    return this.parting === undefined ? this.agent : undefined;
  }

  /** Timers that run, for leak tests. */
  get pending(): number {
    return this.beginning?.pending ?? 0;
  }

  /** The caller hears us, or has another agent. */
  begin(): void {
    const prepared = this.host.prepared();
    if (!prepared) return;
    if (this.failure !== undefined && this.parting === undefined) return void this.fallBack(this.failure);
    const { consent } = prepared.action;
    if (!consent) return this.converse(true);
    this.beginning = new Beginning(prepared, consent, this.others);
    void this.beginning.run();
  }

  /** Somebody else has the call, or it is over. */
  stop(): void {
    this.beginning?.stop();
  }

  /** The agent has said its last word, or failed. */
  finished(afterwards: Afterwards): void {
    const failed = afterwards.type === 'transfer' ? afterwards.reason === 'failure' : afterwards.by === 'error';
    if (!failed || !this.fallBack(afterwards.reason)) this.host.finish(afterwards);
  }

  /** So many sentences in a row could not be synthesised. */
  voiceless(inARow: number): void {
    if (inARow >= VOICELESS) this.fallBack('its voice failed');
  }

  /** Nobody took the call, or who did has left. @param say instead of what the agent says about it */
  goOn(reason: string, say?: string): void {
    if (this.parting !== undefined) return void this.part(say ?? this.parting);
    this.host.prepared()?.conversation.transferFailed(reason, this.host.lastTurn(), say);
  }

  /** @param agreed nobody said no to a recording */
  private converse(agreed: boolean): void {
    const prepared = this.host.prepared();
    if (!prepared) return;
    const { action, control, conversation, opening } = prepared;
    if (agreed && action.record !== false && control) {
      this.recorded = true;
      const beep = typeof action.record === 'object' && action.record.beep === true;
      control.record('start', beep);
      this.host.record({ type: 'recording.started', reason: 'dialplan', ...(beep && { beep }) });
    }
    this.agent = conversation;
    this.parting = undefined;
    conversation.begin(opening);
  }

  /** @returns false when there is no fallback, or it had its turn */
  private fallBack(reason: string): boolean {
    const prepared = this.host.prepared();
    const fallback = prepared?.action.fallback;
    if (!fallback || this.parting !== undefined) return false;
    this.parting = fallback.otherwise;
    void standIn(fallback, reason, prepared.voice, this.others);
    return true;
  }

  /** These words, and the end. */
  private async part(words: string): Promise<void> {
    const voice = this.host.prepared()?.voice;
    if (!voice) return;
    voice.divert(() => undefined);
    await sayNotice(voice, sentencesOf(words), (event) => this.host.record(event));
    this.host.finish({ type: 'hangup', reason: 'nobody took the call', by: this.failure ? 'error' : 'agent' });
  }

  /** Those who have the call besides the agent. */
  private get others(): BeginningHost {
    return {
      record: (event) => this.host.record(event),
      go: (agreed) => this.converse(agreed),
      leave: (afterwards, parting) => {
        this.parting = parting;
        this.host.finish(afterwards);
      },
    };
  }
}
