import type { Conversation } from '../conversation/conversation.js';
import { ParleyError } from '../errors.js';
import type { JournalEvent, StoredEvent } from '../journal/events.js';
import type { Invite } from '../sip/invite.js';
import type { LimitsConfig } from './config.js';
import type { CallerLeg } from './legs/caller-leg.js';
import type { PersonLeg } from './legs/person-leg.js';
import { Participants } from './participants.js';
import type { Prepared } from './prepare.js';
import type { SupervisedCall } from './supervision.js';
import type { Plan } from './targets/targets.js';
import type { TransferredCall } from './transfer/caller-side.js';
import { Transfer, type TransferListener, type TransferServices } from './transfer/transfer.js';
import type { VoiceAgent } from './voice-agent.js';

/** Events with words in them. */
const SAID = new Set([
  'caller.turn',
  'caller.partial',
  'person.turn',
  'person.partial',
  'agent.turn',
  'transfer.briefing',
]);

/** The caller, and the agent that has the call, or had it. */
type Talking = Pick<Prepared, 'voice' | 'media' | 'joined' | 'secrets' | 'given'> & {
  agent: Pick<VoiceAgent, 'voice' | 'lexicon'>;
  conversation: Pick<Conversation, 'masked' | 'overhear'>;
};

/** The call that people are brought into. */
export interface PeopleHost extends Pick<SupervisedCall, 'notUp'>, TransferListener {
  id: string;
  services: TransferServices & { limits: Pick<LimitsConfig, 'referMs'> };
  invite: Pick<Invite, 'identity' | 'to' | 'uri'>;
  /** monotonicMs() of the INVITE. */
  origin: number;
  events(): readonly StoredEvent[];
  /** Whether it is not over. */
  up(): boolean;
  /** Until nothing of it is left. */
  prepared(): Talking | undefined;
  leg(): Pick<CallerLeg, 'dialog'> | undefined;
  record(event: JournalEvent, at?: number): void;
}

/** The people of a call: who it is handed to, and who takes part beside them. */
export class CallPeople {
  /** Who was added to it. */
  readonly participants: Participants;
  private transfer: Transfer | undefined;
  private transfers = 0;
  /** How the target is reached that the call goes to next, while it is looked up. */
  private looked: Promise<Plan | ParleyError> | undefined;

  constructor(private readonly host: PeopleHost) {
    this.participants = new Participants({
      services: host.services,
      call: () => this.call,
      plan: (target) => host.services.targets.plan(target),
      record: (event) => this.record(event),
      notUp: () => host.notUp(),
    });
  }

  /** Who is joined with the caller. */
  get person(): PersonLeg | undefined {
    return this.transfer?.person;
  }

  /** Number of the caller's last turn in the last transfer. */
  get lastTurn(): number | undefined {
    return this.transfer?.lastTurn;
  }

  /** Legs and clocks, for leak tests. */
  get pending(): number {
    return (this.transfer?.pending ?? 0) + this.participants.pending;
  }

  /** Hands the call over once it is known how the target is reached, unless it is taken back or ended before that. */
  async handOver(looked: Promise<Plan | ParleyError>, reason: string): Promise<void> {
    this.looked = looked;
    const plan = await looked;
    if (this.looked !== looked) return;
    this.looked = undefined;
    const { host, call } = this;
    if (!call) return;
    if (plan instanceof ParleyError) {
      this.record({ type: 'error', code: plan.code, message: plan.message });
      return host.over({ type: 'failed', disposition: 'failed', reason: plan.message });
    }
    this.transfers += 1;
    const prefix = this.transfers === 1 ? 'p' : `p${this.transfers}-`;
    this.transfer = new Transfer(host.services, call, plan, reason, host.services.limits.referMs, host, { prefix });
    this.transfer.begin();
  }

  /** The caller is with the agent again. */
  takeBack(reason: string): void {
    if (!this.looked) return this.transfer?.stop(reason, false);
    this.looked = undefined;
    this.host.over({ type: 'failed', disposition: 'failed', reason });
  }

  /** The caller is gone. @param taken they have gone to whom they were sent by REFER */
  callerLeft(taken: boolean): void {
    this.transfer?.callerLeft(taken);
  }

  /** As `Transfer.recover`. */
  async recover(): Promise<void> {
    await Promise.all([this.transfer?.recover(), this.participants.recover()]);
  }

  /** The call is over. */
  end(reason: string): void {
    this.looked = undefined;
    this.transfer?.stop(reason, true);
    this.participants.end(reason);
  }

  /** Resolves when no leg is left. */
  async released(): Promise<void> {
    await Promise.all([this.transfer?.released(), this.participants.released()]);
  }

  private get call(): TransferredCall | undefined {
    const { host } = this;
    const [prepared, leg] = [host.prepared(), host.leg()];
    if (!prepared || !leg || !host.up()) return undefined;
    const { voice, media, agent, joined, secrets, given } = prepared;
    const { identity, to, uri: calledUri } = host.invite;
    return {
      ...{ id: host.id, identity, to, calledUri, voice, media, joined, secrets, given, origin: host.origin },
      settings: agent.voice,
      lexicon: agent.lexicon,
      dialog: () => leg.dialog,
      events: () => host.events(),
      record: (event, at) => this.record(event, at),
    };
  }

  /** What is said to others than the agent: masked as the rest is, and known to the agent, should it have the caller again. */
  private record(event: JournalEvent, at?: number): void {
    const conversation = this.host.prepared()?.conversation;
    const said = conversation && SAID.has(event.type) ? conversation.masked(event) : event;
    this.host.record(said, at);
    if (said.type === 'person.turn') conversation?.overhear(said.text, said.person);
    else if (said.type === 'caller.turn') conversation?.overhear(said.text, 'The caller');
  }
}
