import { ParleyError } from '../errors.js';
import type { JournalEvent } from '../journal/events.js';
import type { Plan } from './targets/targets.js';
import type { TransferredCall } from './transfer/caller-side.js';
import { GuestSide } from './transfer/guest-side.js';
import { Transfer, type TransferServices } from './transfer/transfer.js';
import { dialsOnly } from './transfer/transfer-plan.js';

/** The call that people are added to. */
export interface ParticipatedCall {
  services: TransferServices;
  /** The call as it is now; undefined when it does not stand. */
  call(): TransferredCall | undefined;
  /** How a target is reached; undefined when it is none. */
  plan(target: string): Promise<Plan | undefined>;
  record(event: JournalEvent): void;
  /** Why nobody can be added. */
  notUp(): ParleyError;
}

/** Somebody who was added, or is being called for it. */
export interface Participant {
  id: string;
  target: string;
  /** Who is at the phone, once they take part. */
  person: string | undefined;
}

/** People who take part in a call while the agent, or whoever the caller was handed to, stays. */
export class Participants {
  private readonly present = new Map<string, { target: string; transfer: Transfer }>();
  private readonly leaving = new Set<Promise<void>>();
  private made = 0;

  constructor(private readonly options: ParticipatedCall) {}

  get list(): Participant[] {
    return [...this.present].map(([id, { target, transfer }]) => ({ id, target, person: transfer.person?.speaker }));
  }

  /** Legs and clocks, for leak tests. */
  get pending(): number {
    let pending = this.leaving.size;
    for (const { transfer } of this.present.values()) pending += transfer.pending;
    return pending;
  }

  /**
   * Calls a target, which takes part once they take the call; who that is, or why it came to nothing, is on record.
   *
   * @returns its id
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP, PARLEY_ERR_TARGET_UNKNOWN: nobody who can be called
   */
  async add(target: string, by: string): Promise<string> {
    const plan = await this.options.plan(target);
    const call = this.options.call();
    if (!call) throw this.options.notUp();
    const steps = plan ? dialsOnly(plan) : [];
    if (steps.length === 0) throw new ParleyError('PARLEY_ERR_TARGET_UNKNOWN', { target });
    const id = `g${++this.made}`;
    this.options.record({ type: 'participant.added', participant: id, target, by });
    const record = (event: JournalEvent) => {
      const told = asParticipant(id, event);
      if (told) this.options.record(told);
    };
    const own = { ...call, record };
    const reason = `added by ${by}`;
    const listener = { bridged: () => undefined, over: () => this.over(id) };
    const kind = { side: new GuestSide(own), prefix: `${id}-` };
    const transfer = new Transfer(
      this.options.services,
      own,
      { target, steps, queue: undefined },
      reason,
      0,
      listener,
      kind,
    );
    this.present.set(id, { target, transfer });
    transfer.begin();
    return id;
  }

  /** @throws ParleyError PARLEY_ERR_PARTICIPANT_UNKNOWN */
  remove(id: string, by: string): void {
    const one = this.present.get(id);
    if (!one) throw new ParleyError('PARLEY_ERR_PARTICIPANT_UNKNOWN', { participant: id });
    one.transfer.stop(`removed by ${by}`, true);
  }

  /** As `Transfer.recover`. */
  async recover(): Promise<void> {
    await Promise.all([...this.present.values()].map(({ transfer }) => transfer.recover()));
  }

  /** The call is over: nobody is left. */
  end(reason: string): void {
    for (const { transfer } of [...this.present.values()]) transfer.stop(reason, true);
  }

  /** Resolves when no leg is left. */
  async released(): Promise<void> {
    await Promise.all(this.leaving);
  }

  private over(id: string): void {
    const one = this.present.get(id);
    if (!one) return;
    this.present.delete(id);
    const gone: Promise<void> = one.transfer.released().finally(() => this.leaving.delete(gone));
    this.leaving.add(gone);
  }
}

/** Nobody is handed over here: what a transfer tells of itself, as what it is. */
function asParticipant(participant: string, event: JournalEvent): JournalEvent | undefined {
  switch (event.type) {
    case 'transfer.started':
      return undefined;
    case 'transfer.bridged': {
      const { target, person } = event;
      return { type: 'participant.joined', participant, target, person };
    }
    case 'transfer.unbridged':
      return { type: 'participant.left', participant, reason: event.reason };
    case 'transfer.finished': {
      const { target, disposition, reason } = event;
      if (event.outcome === 'accepted') return undefined;
      return { type: 'participant.failed', participant, target, disposition, reason };
    }
    default:
      return event;
  }
}
