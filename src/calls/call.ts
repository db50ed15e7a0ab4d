import type { Afterwards } from '../conversation/state.js';
import type { AnswerAction, Redirection } from '../dialplan/dialplan.js';
import { ParleyError, reasonOf } from '../errors.js';
import type { EndedBy, JournalEvent } from '../journal/events.js';
import type { CallJournal } from '../journal/journal.js';
import { outcomeOf } from '../journal/outcome.js';
import type { Invite } from '../sip/invite.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { FromMedia } from '../workers/messages.js';
import { makeReady } from './before-answer.js';
import { CallCommands } from './call-commands.js';
import { CallPeople } from './call-people.js';
import { type CallEffect, type CallEvent, type CallState, initialCall, reduceCall } from './call-state.js';
import { CallTalk } from './call-talk.js';
import { informed } from './ivr/inform.js';
import type { CallSession } from './legs/call-session.js';
import { CallerLeg, type CallerLegHost } from './legs/caller-leg.js';
import { mediaRecord } from './media-events.js';
import { Mishaps } from './mishaps.js';
import { nextAgent, type Prepared, type PrepareOptions, playNotice } from './prepare.js';
import { type CallServices, factsOf, type Route, receivedEvent } from './services.js';
import { Supervision } from './supervision.js';
import { CallTargets } from './targets/call-targets.js';
import { handOverOf } from './transfer/briefing.js';
import { WorkingSound } from './voice/working-sound.js';

/** Longest wait at the end of a call for what was still being said and heard. */
const SETTLE_MS = 400;

/** One call from INVITE to BYE: carries out the effects of {@link reduceCall}. */
export class Call {
  /** The dialplan entry that took it, `file#name`. */
  entry: string | undefined;
  private state: CallState = initialCall;
  private prepared: Prepared | undefined;
  private preparing: Promise<void> = Promise.resolve();
  private leg: CallerLeg | undefined;
  private readonly supervision = new Supervision({
    conversation: () => (this.state.phase === 'talking' ? this.talk.conversation : undefined),
    leg: () => (this.leg && this.state.phase !== 'ended' ? this.prepared?.media.leg : undefined),
    person: () => this.people.person?.leg?.leg,
    knows: (target) => this.targets.knows(target),
    takeBack: () => this.takeBack(),
    record: (event) => this.record(event),
    notUp: () => this.notUp(),
  });
  /** Who talks with the caller. */
  private readonly talk = new CallTalk({
    prepared: () => (this.state.phase === 'talking' ? this.prepared : undefined),
    lastTurn: () => this.people.lastTurn,
    record: (event) => this.record(event),
    finish: (afterwards) => this.leave(afterwards),
  });
  private readonly people: CallPeople;
  private readonly working = new WorkingSound({
    settings: () => (this.state.phase === 'talking' ? this.prepared?.agent.working : undefined),
    play: (sound) => this.prepared?.media.leg.sound(sound),
  });
  private readonly targets: CallTargets;
  /** What befalls it. */
  readonly mishaps: Mishaps;
  /** What others can have it do. */
  readonly commands: CallCommands;
  private readonly receivedAt = monotonicMs();
  private readonly released: Promise<void>;
  private onReleased = () => {};
  private readonly logger: Logger;

  constructor(
    private readonly services: CallServices,
    private readonly invite: Invite,
    private readonly journal: CallJournal,
    private readonly route?: Route | undefined,
  ) {
    this.logger = services.logger.child({ call: journal.call, leg: 'caller' });
    invite.belongsTo(journal.call);
    journal.onEvent((event) => 'seq' in event && this.working.event(event));
    this.released = new Promise((resolve) => {
      this.onReleased = resolve;
    });
    this.targets = new CallTargets(services.targets, () => this.prepared, this.logger);
    this.mishaps = new Mishaps({
      session: () => this.leg?.session,
      over: () => this.state.phase === 'ended',
      conversation: () => (this.state.phase === 'talking' ? this.prepared?.conversation : undefined),
      targets: this.targets,
      moved: () => {
        const { prepared } = this;
        if (prepared) prepared.voice.moveTo(prepared.media.leg);
        this.supervision.moved();
      },
      others: async () => {
        await this.people.recover();
        this.supervision.moved();
      },
      record: (event) => this.record(event),
      dispatch: (event) => this.dispatch(event),
      logger: this.logger,
    });
    this.people = new CallPeople({
      id: journal.call,
      services,
      invite,
      origin: this.receivedAt,
      events: () => journal.events,
      up: () => this.state.phase !== 'ended',
      prepared: () => this.prepared,
      leg: () => this.leg,
      record: (event, at) => this.record(event, at),
      notUp: () => this.notUp(),
      bridged: () => this.dispatch({ type: 'bridged' }),
      over: (outcome) => this.dispatch({ type: 'transfer.over', outcome }),
    });
    this.commands = new CallCommands({
      supervision: this.supervision,
      participants: this.people.participants,
      session: () => this.up,
      hangUp: (reason) => this.hangUp(reason),
      record: (event) => this.record(event),
    });
  }

  get id(): string {
    return this.journal.call;
  }

  /** Where it stands, for those who watch. */
  describe() {
    const { to, identity } = this.invite;
    const { from, name } = identity;
    const withheld = identity.withheld || undefined;
    const ageMs = Math.round(monotonicMs() - this.receivedAt);
    const agent = this.prepared?.agent.name;
    const person = this.people.person?.speaker;
    const { phase: state } = this.state;
    const { entry, leg } = this;
    const { list: participants } = this.people.participants;
    const onHold = leg?.session.onHold ?? false;
    return { id: this.id, from, name, withheld, to, entry, agent, person, participants, state, onHold, ageMs };
  }

  /** Whether there is a dialog. */
  get standing(): boolean {
    return this.leg !== undefined;
  }

  /** Timers and replies under way, for leak tests. */
  get pending(): number {
    const { prepared, leg, talk, people, working } = this;
    const parts = [prepared?.conversation, leg?.session, talk, people, working];
    return parts.reduce((sum, part) => sum + (part?.pending ?? 0), 0);
  }

  /** Takes the call to its end; resolves when nothing of it is left. Never rejects. */
  async run(): Promise<void> {
    const { invite, services } = this;
    const facts = factsOf(services, invite);
    const match = this.route ?? services.dialplan.match(facts);
    this.entry = match?.entry;
    this.record(receivedEvent(services, invite, facts, match));
    invite.cancelled(() => this.dispatch({ type: 'cancelled' }));
    this.dispatch({ type: 'routed', action: match?.action });
    await this.released;
  }

  private takeBack(): boolean {
    const { phase } = this.state;
    if (phase !== 'transferring' && phase !== 'bridged') return false;
    this.people.takeBack('taken back by a supervisor');
    return true;
  }

  private hangUp(reason: string): void {
    if (!this.state.dialog || this.state.phase === 'ended') throw this.notUp();
    this.dispatch({ type: 'hang-up', reason });
  }

  private get up(): CallSession {
    const { phase } = this.state;
    if (this.leg && (phase === 'talking' || phase === 'bridged')) return this.leg.session;
    throw this.notUp();
  }

  private notUp(): ParleyError {
    return new ParleyError('PARLEY_ERR_CALL_NOT_UP', { call: this.id, reason: `it is ${this.state.phase}` });
  }

  /** Ends the call, whatever it is doing. */
  end(why: 'shutdown' | 'lost', reason = why as string): void {
    this.dispatch(why === 'shutdown' ? { type: 'shutdown' } : { type: 'lost', reason });
  }

  private dispatch(event: CallEvent): void {
    const { state, effects } = reduceCall(this.state, event);
    this.state = state;
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: CallEffect): void {
    switch (effect.type) {
      case 'prepare':
        this.preparing = this.prepare(effect.action);
        return;
      case 'progress':
        return void this.progress();
      case 'answer':
        return void this.answer();
      case 'reject':
        return this.reject(effect.status, effect.phrase);
      case 'redirect':
        return void this.redirect(effect.to);
      case 'begin':
        return this.begin();
      case 'transfer':
        return void this.handOver(effect.target, effect.reason);
      case 'go-on':
        return this.talk.goOn(effect.reason, effect.say);
      case 'switch':
        return this.switchAgent(effect.agent);
      case 'bye':
        return void this.leg?.dialog.bye(effect.reason);
      case 'release':
        return void this.release(effect.by, effect.reason);
    }
  }

  /** Everything that can be done before the answer. */
  private async prepare(action: AnswerAction): Promise<void> {
    const made = await makeReady(this.preparation(action));
    if ('status' in made) return this.dispatch({ type: 'unprepared', ...made });
    const { prepared, failure } = made;
    this.prepared = prepared;
    this.talk.failure = failure;
    // A caller that has not said where they listen, or does not, would hear nothing of it.
    const heard = this.invite.offer !== undefined && prepared.media.heard;
    this.dispatch({ type: 'prepared', early: failure === undefined && action.earlyMedia && heard });
  }

  private preparation(action: AnswerAction): PrepareOptions {
    const { services, invite, logger, receivedAt: origin } = this;
    return {
      services,
      call: this.id,
      invite,
      action,
      logger,
      origin,
      record: (event, at) => this.record(event, at),
      finish: (afterwards) => this.talk.finished(afterwards),
      fromMedia: (event) => this.fromMedia(event),
      voiceless: (inARow) => this.talk.voiceless(inARow),
    };
  }

  private async progress(): Promise<void> {
    const { prepared, invite, logger } = this;
    if (!prepared) return;
    await playNotice(prepared, invite, (event) => this.record(event), logger);
    this.dispatch({ type: 'noticed' });
  }

  private async answer(): Promise<void> {
    const { prepared } = this;
    if (!prepared) return;
    try {
      const dialog = await this.invite.answer(prepared.media.localSdp);
      this.leg = new CallerLeg(dialog, this.legHost(prepared));
      this.dispatch({ type: 'answered' });
      this.leg.listen();
    } catch (error) {
      this.dispatch({ type: 'answer.failed', reason: reasonOf(error) });
    }
  }

  private legHost({ media, control }: Prepared): CallerLegHost {
    return {
      call: this.id,
      media,
      control,
      recorded: () => this.talk.recorded,
      voice: () => this.prepared?.voice,
      record: (event) => this.record(event),
      confirmed: () => this.dispatch({ type: 'confirmed' }),
      ended: (reason, transferred) => {
        this.people.callerLeft(transferred);
        this.dispatch({ type: 'peer.ended', reason, transferred });
      },
      lost: (reason) => this.dispatch({ type: 'lost', reason }),
      json: (body) => informed(body, this.prepared, (event) => this.record(event)),
    };
  }

  private begin(): void {
    const { prepared } = this;
    if (!prepared) return;
    this.record({
      type: 'call.answered',
      codec: prepared.media.codec,
      ms: Math.round(monotonicMs() - this.receivedAt),
    });
    this.talk.begin();
  }

  private fromMedia(event: FromMedia): void {
    const told = mediaRecord(event);
    if (told) return this.record(told);
    if (event.type === 'rtp.started') {
      if (this.leg) this.dispatch({ type: 'confirmed' });
    } else if (event.type === 'silence.timeout') this.mishaps.silence(event.direction, event.seconds, event.action);
    else if (event.type === 'monitor.frame') this.supervision.heard(event.monitor, event.pcm);
    else this.prepared?.voice.fromMedia(event);
  }

  private leave(afterwards: Afterwards): void {
    const named = afterwards.type === 'transfer' ? afterwards.target : '';
    this.dispatch({ type: 'finished', afterwards, target: named || this.targets.fallback });
  }

  /** @param name of a target: what is not configured is nobody, whoever asks for it */
  private async handOver(name: string, reason: string): Promise<void> {
    this.talk.stop();
    await this.people.handOver(this.targets.plan(name), reason);
  }

  /** Another agent goes on: with what is known of the caller, and in its own voice. */
  private switchAgent(name: string): void {
    const { prepared } = this;
    if (!prepared) return;
    const { facts } = handOverOf(this.journal.events, '');
    const firstTurn = this.people.lastTurn ?? 0;
    if (!this.services.agents.has(name)) return this.talk.goOn('failed');
    prepared.conversation.end();
    this.prepared = nextAgent(this.preparation(prepared.action), prepared, name, facts, firstTurn);
    this.record({ type: 'agent.changed', agent: name });
    this.talk.begin();
  }

  private reject(status: number, phrase?: string): void {
    const later: Record<string, string> = {};
    if (status === 503) later['Retry-After'] = String(this.services.limits.retryAfterS);
    this.invite.reject(status, later, phrase);
  }

  private async redirect(to: Redirection): Promise<void> {
    const uris = await this.targets.contacts(to);
    if (uris.length > 0) this.invite.redirect(uris);
    else this.reject(480);
  }

  private async release(by: EndedBy, reason: string): Promise<void> {
    try {
      this.leg?.end();
      this.supervision.end();
      this.talk.stop();
      this.people.end(reason);
      await this.preparing;
      const { prepared } = this;
      await prepared?.voice.settle(SETTLE_MS);
      await this.people.released();
      prepared?.conversation.end();
      const stats = await prepared?.media.close();
      const durationMs = Math.round(monotonicMs() - this.receivedAt);
      this.record(outcomeOf(this.journal.events, by));
      this.record({ type: 'call.ended', by, reason, durationMs, media: stats && { ...stats } });
      this.prepared = undefined;
      await this.journal.close();
    } catch (error) {
      this.logger.error({ err: error }, 'call was not released cleanly');
    } finally {
      this.onReleased();
    }
  }

  private record(event: JournalEvent, at = monotonicMs()): void {
    this.journal.append(event, at);
  }
}
