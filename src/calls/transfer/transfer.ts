import type { VoiceEvent } from '../../conversation/voice.js';
import { reasonOf } from '../../errors.js';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import type { Dialog, IncomingRefer } from '../../sip/dialog.js';
import type { Lexicon } from '../../speech/synthesis/lexicon.js';
import type { VoiceSettings } from '../../speech/synthesis/synthesiser.js';
import { monotonicMs } from '../../telemetry/clock.js';
import { yesNo } from '../../text/yes-no.js';
import type { CallVoice } from '../call-voice.js';
import type { LegMedia } from '../leg-media.js';
import { PersonLeg, type PersonLegServices } from '../person-leg.js';
import { SpeakerTurns } from '../speaker-turns.js';
import type { TransferConfig } from '../targets/config.js';
import type { CallQueues } from '../targets/queues.js';
import type { Destination, Plan, Targets } from '../targets/targets.js';
import { briefingOf, type HandOver, handOverOf, subjectOf } from './briefing.js';
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

/** The call that is handed over. */
export interface TransferredCall {
  id: string;
  /** The caller's number or name. */
  from: string;
  /** What the caller dialled, and the URI of it. */
  to: string;
  calledUri: string;
  dialog: Dialog;
  media: LegMedia;
  voice: CallVoice;
  /** How the agent sounds. */
  settings: VoiceSettings;
  lexicon: Lexicon | undefined;
  /** monotonicMs() of the INVITE. */
  origin: number;
  events(): readonly StoredEvent[];
  record(event: JournalEvent, at?: number): void;
}

/** Whom a transfer tells. */
export interface TransferListener {
  /** Caller and person hear each other. */
  bridged(): void;
  over(outcome: TransferOutcome): void;
}

/** Longest that something said to both, or about a place in the queue, may take, ms. */
const ANNOUNCE_MS = 30_000;

type Timed = TransferEvent extends infer E ? (E extends TransferEvent ? Omit<E, 'at'> : never) : never;

/** Hands one call to people: carries out the effects of {@link reduceTransfer}. */
export class Transfer {
  private state: TransferState;
  private readonly legs = new Map<string, PersonLeg>();
  private readonly closing = new Set<Promise<void>>();
  private readonly timers = new Map<TransferTimer, NodeJS.Timeout>();
  private readonly waiting: TransferEvent[] = [];
  private readonly refers = new Map<string, { request: IncomingRefer; told?: ReturnType<IncomingRefer['accept']> }>();
  private readonly turns = new Map<string, SpeakerTurns>();
  private readonly handOver: HandOver;
  private turn: number;
  /** In a queue: of what led to the transfer. */
  private readonly priority: number;
  private leaveQueue = () => {};
  private musicOn = false;
  private over = false;

  /** @param referMs longest wait for the result of a REFER */
  constructor(
    private readonly services: TransferServices,
    private readonly call: TransferredCall,
    plan: Plan,
    reason: string,
    private readonly referMs: number,
    private readonly listener: TransferListener,
  ) {
    this.state = newTransfer(plan, reason);
    const events = call.events();
    this.handOver = handOverOf(events, reason);
    this.priority = events.findLast((event) => event.type === 'escalation')?.priority ?? 0;
    this.turn = events.reduce((last, event) => (event.type === 'caller.turn' ? Math.max(last, event.turn) : last), 0);
  }

  /** Legs, clocks and changes under way, for leak tests. */
  get pending(): number {
    let pending = this.timers.size + this.closing.size;
    for (const leg of this.legs.values()) pending += 1 + leg.pending;
    for (const turns of this.turns.values()) pending += turns.pending;
    return pending;
  }

  /** Who is joined with the caller. */
  get person(): PersonLeg | undefined {
    return this.state.phase === 'bridged' ? this.legs.get(this.state.joined ?? '') : undefined;
  }

  /** Number of the caller's last turn. */
  get lastTurn(): number {
    return this.turn;
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

  /** Resolves when no leg is left. To be called after the end, when the caller's last words are known. */
  async released(): Promise<void> {
    this.endTurns();
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
        return this.join(effect.leg);
      case 'unjoin':
        return this.unjoin(effect.leg);
      case 'introduce':
        return void this.introduce(effect.leg);
      case 'refer':
        return void this.refer(effect.destination.uri);
      case 'attend':
        return void this.refer(this.legs.get(effect.leg)?.destination.uri ?? '', this.legs.get(effect.leg));
      case 'queue':
        return this.queue(effect.on);
      case 'announce':
        return void this.announce(effect.place);
      case 'wait':
        return this.wait(effect.on);
      case 'call-back':
        return void this.callBack(effect.step.target);
      case 'report':
        return this.report(effect.leg, effect.status, effect.reason);
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

  private dial(name: string, destination: Destination): void {
    const { id, from, to, calledUri, settings, lexicon } = this.call;
    const { url, json, identity } = { url: this.services.transfer.contextUrl, ...destination.settings.context };
    const { topics, facts, done, failed, reason, lastWords } = this.handOver;
    const context = {
      call: id,
      caller: from,
      shown: destination.route?.from ?? (identity === 'own' ? to : from),
      called: calledUri,
      subject: subjectOf(this.handOver),
      url: url?.replaceAll('{{call}}', encodeURIComponent(id)),
      data: { call: id, caller: from, topic: topics.at(-1), facts, reason, done, failed, said: lastWords },
      json,
    };
    const options = { call: id, name, destination, context, voice: settings, lexicon };
    const leg = new PersonLeg(this.services, options, {
      ringing: () => this.dispatch({ type: 'ringing', leg: name }),
      answered: () => this.dispatch({ type: 'answered', leg: name }),
      refused: (status, why) => this.dispatch({ type: 'refused', leg: name, status, reason: why }),
      left: (why) => this.dispatch({ type: 'left', leg: name, reason: why }),
      heard: (event) => this.heard(name, event),
      referred: (request) => void this.handedOn(name, request),
      record: (event) => this.call.record(event),
    });
    this.legs.set(name, leg);
  }

  private drop(name: string, reason: string): void {
    const leg = this.legs.get(name);
    if (!leg) return;
    this.legs.delete(name);
    this.refers.delete(name);
    const turns = this.turns.get(name);
    const done = leg.close(reason).then(() => {
      turns?.flush();
      if (this.turns.get(name) === turns) this.turns.delete(name);
    });
    const settled = done
      .catch((error) => this.services.logger.error({ err: error, leg: name }, 'a leg was not closed cleanly'))
      .then(() => void this.closing.delete(settled));
    this.closing.add(settled);
  }

  /** What a person says and presses. */
  private heard(name: string, event: VoiceEvent): void {
    const turns = this.turns.get(name);
    if (event.type === 'hold' && this.state.joined === name) return this.heldMusic(name);
    if (turns) return turns.event(event);
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
    const told = briefing ? briefingOf(this.handOver, this.call.from) : [];
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

  private join(name: string): void {
    const person = this.legs.get(name);
    const { leg, voice } = person ?? {};
    if (!person || !leg || !voice) return;
    const { media, voice: caller, record } = this.call;
    voice.stop();
    caller.stop();
    caller.hear(true);
    media.leg.mix({ mode: 'bridge', between: [media.leg.leg, leg.leg] });
    const who = person.destination.name;
    const turns = new SpeakerTurns({
      turn: (text, startedAt, endedAt) =>
        record({ type: 'person.turn', person: who, text, ...this.times(startedAt, endedAt) }),
      partial: (text) => record({ type: 'person.partial', person: who, text }),
      commit: (position) => voice.commit(position),
    });
    this.turns.set(name, turns);
    this.endTurns();
    this.turns.set(CALLER, this.callerTurns());
    this.heldMusic(name);
  }

  /** Who is on hold hears music in the place of who has put them there. */
  private heldMusic(name: string): void {
    const leg = this.legs.get(name);
    const { media } = this.call;
    media.leg.sound(leg?.onHold ? 'music' : undefined);
    leg?.leg?.sound(media.held ? 'music' : undefined);
  }

  private callerTurns(): SpeakerTurns {
    const { record, voice } = this.call;
    return new SpeakerTurns({
      turn: (text, startedAt, endedAt) => {
        this.turn += 1;
        record({ type: 'caller.turn', turn: this.turn, text, from: 'speech', ...this.times(startedAt, endedAt) });
      },
      partial: (text) => record({ type: 'caller.partial', text }),
      commit: (position) => voice.commit(position),
    });
  }

  private unjoin(name: string): void {
    const { media } = this.call;
    const leg = this.legs.get(name)?.leg;
    media.leg.mix({ mode: 'apart', who: media.leg.leg });
    if (leg) media.leg.mix({ mode: 'apart', who: leg.leg });
    leg?.sound(undefined);
    for (const who of [name, CALLER]) {
      this.turns.get(who)?.flush();
      this.turns.delete(who);
    }
  }

  private async introduce(name: string): Promise<void> {
    const leg = this.legs.get(name);
    const text = leg?.destination.settings.introduction?.replaceAll('{{name}}', leg.destination.name);
    if (!leg?.voice || text === undefined) return;
    const said = [this.call.voice, leg.voice].map((voice) => voice.announce([text], ANNOUNCE_MS, { deaf: false }));
    const [caller] = await Promise.all(said);
    this.notice(text, caller?.heard ?? '', caller?.stopped ?? true);
  }

  private async refer(uri: string, joined?: PersonLeg): Promise<void> {
    const { dialog } = this.call;
    try {
      const outcome = await dialog.refer(uri, this.referMs, joined?.sip?.replaces);
      const { accepted, status, reason = '' } = outcome;
      this.dispatch({ type: 'reported', accepted, status, reason });
    } catch (error) {
      this.dispatch({ type: 'reported', accepted: false, status: undefined, reason: reasonOf(error) });
    }
  }

  private async handedOn(name: string, request: IncomingRefer): Promise<void> {
    if (this.refers.has(name)) return request.refuse(491);
    this.refers.set(name, { request });
    const plan = await this.services.targets.planFor(request.uri).catch(() => undefined);
    if (!this.legs.has(name)) return request.refuse(481);
    this.dispatch({ type: 'handed-on', leg: name, plan: plan && withReplaces(plan, request.replaces) });
  }

  private report(name: string, status: number, reason: string): void {
    const refer = this.refers.get(name);
    if (!refer) return;
    if (refer.told) refer.told.report(status, reason || 'Not reached');
    else if (status === 202) {
      refer.told = refer.request.accept();
      return;
    } else refer.request.refuse(status);
    this.refers.delete(name);
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
    if (text) await this.tellCaller(text);
  }

  /** Between two stretches of music. */
  private async tellCaller(text: string): Promise<void> {
    const { media, voice } = this.call;
    media.leg.sound(undefined);
    const { heard, stopped } = await voice.announce([text], ANNOUNCE_MS, { deaf: false });
    if (this.over) return;
    this.notice(text, heard, stopped);
    if (this.musicOn) media.leg.sound(this.services.transfer.wait);
  }

  private notice(planned: string, heard: string, interrupted: boolean): void {
    this.call.record({ type: 'agent.turn', turn: 0, planned, heard, interrupted, kind: 'notice' });
  }

  private wait(on: boolean): void {
    const { media, voice } = this.call;
    const { listen, message, wait } = this.services.transfer;
    if (on === this.musicOn) return;
    this.musicOn = on;
    if (!on) return media.leg.sound(undefined);
    voice.divert((event) => this.fromCaller(event));
    voice.hear(listen);
    if (listen) this.turns.set(CALLER, this.callerTurns());
    if (message !== undefined && this.state.made === 0) void this.tellCaller(message);
    else media.leg.sound(wait);
  }

  private fromCaller(event: VoiceEvent): void {
    if (event.type === 'hold') {
      const { joined } = this.state;
      if (joined !== undefined && this.state.phase === 'bridged') this.heldMusic(joined);
      return;
    }
    if (event.type === 'dtmf')
      return this.call.record({ type: 'dtmf', digit: event.digit, durationMs: event.durationMs });
    this.turns.get(CALLER)?.event(event);
  }

  private async callBack(target: string): Promise<void> {
    const { id: call, from: number } = this.call;
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
    const { voice } = this.call;
    // Where the call ends, the caller's last words are still to come.
    if (outcome.type !== 'caller.left' && outcome.type !== 'gone' && outcome.type !== 'stopped') {
      this.endTurns();
      voice.divert();
      voice.hear(true);
    }
    this.listener.over(outcome);
  }

  private endTurns(): void {
    this.turns.get(CALLER)?.flush();
    this.turns.delete(CALLER);
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

  private times(startedAt: number, endedAt: number): { startedAt: number; endedAt: number } {
    const since = (at: number) => Math.round(at - this.call.origin);
    return { startedAt: since(startedAt), endedAt: since(endedAt) };
  }
}

/** Key of the caller's lines. */
const CALLER = 'caller';

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
