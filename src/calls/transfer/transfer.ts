import type { VoiceEvent } from '../../conversation/voice.js';
import { reasonOf } from '../../errors.js';
import type { IncomingRefer, ReplacingInvite } from '../../sip/dialog.js';
import { monotonicMs } from '../../telemetry/clock.js';
import { yesNo } from '../../text/yes-no.js';
import { PersonLeg, type PersonLegServices } from '../legs/person-leg.js';
import type { TransferConfig } from '../targets/config.js';
import type { CallQueues } from '../targets/queues.js';
import type { Destination, Plan, Targets } from '../targets/targets.js';
import { briefingOf, type HandOver, handOverOf } from './briefing.js';
import { CallerSide, type TransferredCall, type TransferSide } from './caller-side.js';
import { contextFor } from './carried-context.js';
import { Referrals } from './referrals.js';
import { reduceTransfer } from './transfer-reducer.js';
import {
  newTransfer,
  type TransferEffect,
  type TransferEvent,
  type TransferOutcome,
  type TransferState,
  type TransferTimer,
} from './transfer-state.js';

/** What all transfers share. */
export interface TransferServices extends PersonLegServices {
  targets: Targets;
  queues: CallQueues;
  transfer: TransferConfig;
  /** Keeps the wish to be called back. */
  callBack(wish: CallBack): Promise<void>;
}

/** Somebody wants to be called back. */
export interface CallBack {
  call: string;
  number: string;
  target: string;
  topic: string | undefined;
  reason: string;
  facts: Readonly<Record<string, string>>;
}

/** Whom a transfer tells. */
export interface TransferListener {
  /** Caller and person hear each other. */
  bridged(): void;
  over(outcome: TransferOutcome): void;
}

type Timed = TransferEvent extends infer E ? (E extends TransferEvent ? Omit<E, 'at'> : never) : never;

/** Hands one call to people: carries out the effects of {@link reduceTransfer}. */
export class Transfer {
  private state: TransferState;
  private readonly legs = new Map<string, PersonLeg>();
  private readonly closing = new Set<Promise<void>>();
  private readonly timers = new Map<TransferTimer, NodeJS.Timeout>();
  private readonly waiting: TransferEvent[] = [];
  private readonly referrals = new Referrals();
  private readonly caller: TransferSide;
  private readonly handOver: HandOver;
  /** In a queue: of what led to the transfer. */
  private readonly priority: number;
  private leaveQueue = () => {};
  private over = false;

  /**
   * @param referMs longest wait for the result of a REFER
   * @param kind who is called for another side than a caller that is handed over, and how its legs are named
   */
  constructor(
    private readonly services: TransferServices,
    private readonly call: TransferredCall,
    plan: Plan,
    reason: string,
    private readonly referMs: number,
    private readonly listener: TransferListener,
    kind: { side?: TransferSide; prefix?: string } = {},
  ) {
    this.state = newTransfer(plan, reason, kind.prefix);
    const events = call.events();
    this.handOver = handOverOf(events, reason);
    this.priority = events.findLast((event) => event.type === 'escalation')?.priority ?? 0;
    this.caller = kind.side ?? new CallerSide(call, services.transfer);
  }

  /** Legs, clocks and changes under way, for leak tests. */
  get pending(): number {
    let pending = this.timers.size + this.closing.size;
    for (const leg of this.legs.values()) pending += 1 + leg.pending;
    return pending + this.caller.pending;
  }

  /** Who is joined with the caller. */
  get person(): PersonLeg | undefined {
    return this.state.phase === 'bridged' ? this.legs.get(this.state.joined ?? '') : undefined;
  }

  /** Number of the caller's last turn. */
  get lastTurn(): number {
    return this.caller.lastTurn;
  }

  begin(): void {
    this.dispatch({ type: 'begin' });
  }

  /** The caller is gone. @param taken they have gone to whom they were sent by REFER */
  callerLeft(taken: boolean): void {
    this.dispatch({ type: 'caller.left', taken });
  }

  /** Ends it from outside. @param ending the whole call ends; else the caller is with the agent again */
  stop(reason: string, ending: boolean): void {
    this.dispatch({ type: 'stop', reason, ending });
  }

  /** The media worker is lost, and the caller's leg stands again: so do the others, and who was joined is joined again. */
  async recover(): Promise<void> {
    await Promise.all([...this.legs.values()].map((leg) => leg.recover()));
    if (!this.over) this.caller.rejoin();
  }

  /** Resolves when no leg is left. To be called after the end, when the caller's last words are known. */
  async released(): Promise<void> {
    this.caller.endTurns('');
    await Promise.all(this.closing);
  }

  private dispatch(event: Timed): void {
    this.waiting.push({ ...event, at: monotonicMs() } as TransferEvent);
    if (this.waiting.length > 1) return;
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      const { state, effects } = reduceTransfer(this.state, next);
      this.state = state;
      for (const effect of effects) this.attempt(effect);
      this.waiting.shift();
    }
  }

  private attempt(effect: TransferEffect): void {
    try {
      this.carryOut(effect);
    } catch (error) {
      this.services.logger.error({ err: error, effect: effect.type, call: this.call.id }, 'a transfer failed');
      if (effect.type === 'dial')
        this.dispatch({ type: 'refused', leg: effect.leg, status: 0, reason: reasonOf(error) });
    }
  }

  private carryOut(effect: TransferEffect): void {
    switch (effect.type) {
      case 'dial':
        return this.dial(effect.leg, effect.destination);
      case 'keys':
        return void this.legs
          .get(effect.leg)
          ?.keys(effect.digits)
          .then(() => this.dispatch({ type: 'keyed', leg: effect.leg }));
      case 'brief':
        return void this.brief(effect.leg, effect.question);
      case 'ask':
        return void this.say(effect.leg, [this.question(effect.leg, effect.question)]);
      case 'drop':
        return this.drop(effect.leg, effect.reason);
      case 'join':
        return this.withLeg(effect.leg, (leg) => this.caller.join(leg));
      case 'unjoin':
        return this.withLeg(effect.leg, (leg) => this.caller.unjoin(leg));
      case 'rename':
        return this.withLeg(effect.leg, (leg) => {
          leg.speaker = effect.person;
          this.caller.takeDown(leg);
        });
      case 'introduce':
        return this.withLeg(effect.leg, (leg) => void this.caller.introduce(leg));
      case 'refer':
        return void this.refer(effect.destination.uri);
      case 'attend':
        return void this.refer(this.legs.get(effect.leg)?.destination.uri ?? '', this.legs.get(effect.leg));
      case 'queue':
        return this.queue(effect.on);
      case 'announce':
        return void this.announce(effect.place);
      case 'wait':
        return this.caller.wait(effect.on, this.state.made === 0);
      case 'call-back':
        return void this.callBack(effect.step.target);
      case 'report':
        return this.referrals.report(effect.leg, effect.status, effect.reason);
      case 'timer':
        return this.setTimer(effect.name, effect.ms);
      case 'clear':
        return this.clearTimer(effect.name);
      case 'journal':
        return this.call.record(effect.event);
      case 'bridged':
        return this.listener.bridged();
      case 'over':
        return this.end(effect.outcome);
    }
  }

  private withLeg(name: string, act: (leg: PersonLeg) => void): void {
    const leg = this.legs.get(name);
    if (leg) act(leg);
  }

  private dial(name: string, destination: Destination): void {
    const { id, settings, lexicon } = this.call;
    const context = contextFor(destination, this.call, this.handOver, this.services.transfer.contextUrl);
    const options = { call: id, name, destination, context, voice: settings, lexicon };
    const leg = new PersonLeg(this.services, options, {
      ringing: () => this.dispatch({ type: 'ringing', leg: name }),
      answered: () => this.dispatch({ type: 'answered', leg: name }),
      refused: (status, why, contacts) => void this.refused(name, status, why, contacts),
      left: (why) => this.dispatch({ type: 'left', leg: name, reason: why }),
      beeped: () => this.dispatch({ type: 'beep', leg: name }),
      heard: (event) => this.heard(name, event),
      replaced: (invite) => {
        const { sipCallId } = invite;
        this.dispatch({ type: 'replaced', leg: name, person: this.nameOf(invite), sipCallId });
      },
      referred: (request) => void this.handedOn(name, request),
      record: (event) => this.call.record(event),
    });
    this.legs.set(name, leg);
  }

  /** A phone that sends the call elsewhere (302) can mean a target: nothing of what it says is dialled. */
  private async refused(leg: string, status: number, why: string, contacts: readonly string[]): Promise<void> {
    const refusal = { type: 'refused', leg, status } as const;
    if (contacts.length === 0) return this.dispatch({ ...refusal, reason: why });
    const plans = contacts.map((uri) => this.services.targets.planFor(uri).catch(() => undefined));
    const elsewhere = (await Promise.all(plans)).find((plan) => plan !== undefined);
    const named = elsewhere?.target ?? `${contacts[0]?.replace(/\p{Cc}+/gu, '').slice(0, 200)}, which is no target`;
    this.dispatch({ ...refusal, reason: `sent elsewhere, to ${named}`, elsewhere });
  }

  /** A target's name, else what the phone says of itself. */
  private nameOf({ caller: { name, uri } }: ReplacingInvite): string {
    return this.services.targets.nameOf(uri) ?? name.replace(/[\p{Cc}<>]+/gu, ' ').slice(0, 64);
  }

  private drop(name: string, reason: string): void {
    const leg = this.legs.get(name);
    if (!leg) return;
    this.legs.delete(name);
    this.referrals.drop(name);
    this.call.joined.leave(leg);
    const done = leg.close(reason).then(() => this.caller.endTurns(name));
    const settled = done
      .catch((error) =>
        this.services.logger.error({ err: error, call: this.call.id, leg: name }, 'a leg was not closed cleanly'),
      )
      .then(() => void this.closing.delete(settled));
    this.closing.add(settled);
  }

  /** What a person says and presses. */
  private heard(name: string, event: VoiceEvent): void {
    if (this.caller.said(name, event)) return;
    switch (event.type) {
      case 'dtmf':
        return this.dispatch({ type: 'key', leg: name, digit: event.digit });
      case 'onset':
      case 'offset':
        return this.dispatch({ type: 'voice', leg: name, on: event.type === 'onset' });
      case 'final':
        if (!event.text) return;
        this.dispatch({ type: 'words', leg: name, answer: yesNo(event.text)?.answer });
        return this.legs.get(name)?.voice?.commit(event.position);
    }
  }

  private async brief(name: string, question: 'key' | 'voice' | undefined): Promise<void> {
    const leg = this.legs.get(name);
    if (!leg) return;
    const { briefing } = leg.destination.settings;
    const told = briefing ? briefingOf(this.handOver, this.call.identity) : [];
    const sentences = question === undefined ? told : [...told, this.question(name, question)];
    if (question === 'voice') leg.voice?.expect({ kind: 'yes-no' });
    const text = await this.say(name, sentences);
    if (text) this.call.record({ type: 'transfer.briefing', target: leg.destination.target, leg: name, text });
    this.dispatch({ type: 'briefed', leg: name });
  }

  private question(name: string, kind: 'key' | 'voice'): string {
    const { acceptKey = '', declineKey = '' } = this.legs.get(name)?.destination.settings ?? {};
    const text = this.services.transfer.question[kind];
    return text.replaceAll('{{accept}}', acceptKey).replaceAll('{{decline}}', declineKey);
  }

  /** Resolves with what was heard of it. */
  private async say(name: string, sentences: readonly string[]): Promise<string> {
    const leg = this.legs.get(name);
    const spoken = await leg?.voice?.announce(sentences, leg.destination.settings.acceptMs, { deaf: false });
    return spoken?.heard ?? '';
  }

  private async refer(uri: string, joined?: PersonLeg): Promise<void> {
    try {
      const outcome = await this.call.dialog().refer(uri, this.referMs, joined?.sip?.replaces);
      const { accepted, status, reason = '' } = outcome;
      this.dispatch({ type: 'reported', accepted, status, reason });
    } catch (error) {
      this.dispatch({ type: 'reported', accepted: false, status: undefined, reason: reasonOf(error) });
    }
  }

  private async handedOn(name: string, request: IncomingRefer): Promise<void> {
    if (!this.referrals.begin(name, request)) return;
    const plan = await this.services.targets.planFor(request.uri).catch(() => undefined);
    if (!this.legs.has(name)) return request.refuse(481);
    this.dispatch({ type: 'handed-on', leg: name, plan: plan && withReplaces(plan, request.replaces) });
  }

  private queue(on: boolean): void {
    this.leaveQueue();
    this.leaveQueue = () => {};
    if (!on || this.over) return;
    let left = false;
    const tell = (place: number) => left || this.dispatch({ type: 'place', place });
    const leave = this.services.queues.join(this.state.plan.target, tell, this.priority);
    this.leaveQueue = () => {
      left = true;
      leave();
    };
  }

  private async announce(place: number): Promise<void> {
    const text = this.state.plan.queue?.announcement.replaceAll('{{place}}', String(place));
    if (text) await this.caller.tell(text);
  }

  private async callBack(target: string): Promise<void> {
    const { id: call } = this.call;
    const { from: number } = this.call.identity;
    const { topics, facts, reason } = this.handOver;
    const topic = topics.at(-1);
    this.call.record({ type: 'callback.requested', target, number, topic, reason });
    try {
      await this.services.callBack({ call, number, target, topic, reason, facts });
    } catch (error) {
      this.services.logger.error({ err: error, call }, 'a wish to be called back is in the journal only');
    }
  }

  private end(outcome: TransferOutcome): void {
    this.over = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    // Where the call ends, the caller's last words are still to come.
    this.caller.end(outcome.type !== 'caller.left' && outcome.type !== 'gone' && outcome.type !== 'stopped');
    this.listener.over(outcome);
  }

  private setTimer(name: TransferTimer, ms: number): void {
    this.clearTimer(name);
    this.timers.set(
      name,
      setTimeout(() => {
        this.timers.delete(name);
        this.dispatch({ type: 'timer', name });
      }, ms),
    );
  }

  private clearTimer(name: TransferTimer): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }
}

/** The phone that is called takes over the dialog that the REFER names. */
function withReplaces(plan: Plan, replaces: string | undefined): Plan {
  if (replaces === undefined) return plan;
  const steps = plan.steps.map((step) =>
    step.type === 'dial'
      ? { ...step, destinations: step.destinations.map((one) => ({ ...one, replaces })) }
      : step.type === 'refer'
        ? { ...step, destination: { ...step.destination, replaces } }
        : step,
  );
  return { ...plan, steps };
}
