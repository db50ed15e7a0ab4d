import type { Afterwards } from '../conversation/state.js';
import type { Dialplan } from '../dialplan/dialplan.js';
import { ParleyError, reasonOf } from '../errors.js';
import type { DtmfMethod, EndedBy, JournalEvent, MediaFlow } from '../journal/events.js';
import type { CallJournal } from '../journal/journal.js';
import type { AudioOptions } from '../rtp/sdp.js';
import type { Dialog } from '../sip/dialog.js';
import type { Invite } from '../sip/invite.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { MediaHost, MediaLeg } from '../workers/media-host.js';
import type { FromMedia } from '../workers/messages.js';
import type { Speaker } from '../workers/speaker.js';
import type { SpeechHost } from '../workers/speech-host.js';
import { CallSession } from './call-session.js';
import { type CallEffect, type CallEvent, type CallState, initialCall, reduceCall } from './call-state.js';
import type { LimitsConfig } from './config.js';
import { infoContext, variablesOf } from './ivr/context.js';
import type { Handoffs } from './ivr/handoffs.js';
import { segmentOf } from './ivr/segment.js';
import type { MediaControl } from './media-control.js';
import { type AnswerAction, type Prepared, prepareCall } from './prepare.js';
import type { VoiceAgent } from './voice-agent.js';

/** What all calls share. */
export interface CallServices {
  media: MediaHost;
  speech: SpeechHost;
  speaker: Speaker;
  /** What is offered and answered to who calls from this address, and which trunk that is. */
  audio: (source: string) => { trunk: string | undefined; options: AudioOptions };
  dialplan: Dialplan;
  agents: ReadonlyMap<string, VoiceAgent>;
  limits: LimitsConfig;
  /** What IVRs have handed over. */
  handoffs?: Handoffs | undefined;
  /** Calls that a dialplan entry, `file#name`, has at the moment. */
  running?: ((entry: string) => number) | undefined;
  /** What a caller is told whose call is recorded. */
  announcement: string;
  /** What of a leg's media is controlled besides the talk; without it there is no music, no recording, no key in RTP. */
  control?: ((leg: MediaLeg) => MediaControl) | undefined;
  logger: Logger;
}

/** Longest wait at the end of a call for what was still being said and heard. */
const SETTLE_MS = 400;
/** Longest that a notice is played before the answer: callers' proxies give up after three minutes (RFC 3261 16.6), ms. */
const EARLY_MS = 90_000;

/** One call from INVITE to BYE: carries out the effects of {@link reduceCall}. */
export class Call {
  /** The dialplan entry that took it, `file#name`. */
  entry: string | undefined;
  private state: CallState = initialCall;
  private prepared: Prepared | undefined;
  private preparing: Promise<void> = Promise.resolve();
  private dialog: Dialog | undefined;
  private session: CallSession | undefined;
  private readonly receivedAt = monotonicMs();
  private readonly released: Promise<void>;
  private onReleased = () => {};
  private readonly logger: Logger;

  constructor(
    private readonly services: CallServices,
    private readonly invite: Invite,
    private readonly journal: CallJournal,
  ) {
    this.logger = services.logger.child({ call: journal.call });
    this.released = new Promise((resolve) => {
      this.onReleased = resolve;
    });
  }

  get id(): string {
    return this.journal.call;
  }

  /** Where it stands, for those who watch. */
  describe() {
    const { from, to } = this.invite;
    const ageMs = Math.round(monotonicMs() - this.receivedAt);
    const agent = this.prepared?.agent.name;
    return { id: this.id, from, to, agent, state: this.state.phase, onHold: this.session?.onHold ?? false, ageMs };
  }

  /** Ends the call as a program asks for. @throws ParleyError PARLEY_ERR_CALL_NOT_UP */
  hangUp(reason: string): void {
    if (!this.standing) return;
    this.dispatch({ type: 'finished', afterwards: { type: 'hangup', by: 'agent', reason }, target: undefined });
  }

  /** Timers and replies under way, for leak tests. */
  get pending(): number {
    return (this.prepared?.conversation.pending ?? 0) + (this.session?.pending ?? 0);
  }

  /** Takes the call to its end; resolves when nothing of it is left. Never rejects. */
  async run(): Promise<void> {
    const { invite, services } = this;
    const { trunk } = services.audio(invite.source);
    const match = services.dialplan.match({
      to: invite.to,
      from: invite.from,
      source: invite.source,
      headers: (name) => invite.header(name),
      trunk,
      id: invite.sipCallId,
      running: services.running,
    });
    this.entry = match?.entry;
    this.record({
      type: 'call.received',
      time: new Date().toISOString(),
      from: invite.from,
      to: invite.to,
      source: invite.source,
      sipCallId: invite.sipCallId,
      user: invite.user,
      trunk,
      entry: match?.entry,
      agent: match?.action.type === 'answer' ? match.action.agent : undefined,
    });
    invite.cancelled(() => this.dispatch({ type: 'cancelled' }));
    this.dispatch({ type: 'routed', action: match?.action });
    await this.released;
  }

  /**
   * Puts the caller on hold, with music in place of the agent.
   *
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP, PARLEY_ERR_SESSION_REFUSED: the call is as it was
   */
  async hold(): Promise<void> {
    await this.standing.hold(true);
  }

  /** Takes the caller back. @throws ParleyError as {@link hold} */
  async resume(): Promise<void> {
    await this.standing.hold(false);
  }

  /**
   * Sends keys to the caller's side; `,` is a pause of 1 s, `w` of 500 ms.
   *
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP, PARLEY_ERR_DIGITS_INVALID, PARLEY_ERR_SESSION_REFUSED
   */
  async sendDigits(text: string, method: DtmfMethod): Promise<void> {
    await this.standing.sendDigits(text, method);
  }

  /**
   * Silence in the recording's place, or sound again.
   *
   * @param reason who or what asks for it, for the journal
   * @throws ParleyError PARLEY_ERR_CALL_NOT_UP
   */
  recording(action: 'pause' | 'resume', reason: string): void {
    this.standing.pauseRecording(action === 'pause', reason);
  }

  /** Puts on record who did what to this call. */
  audit(action: string, by: string, role: string): void {
    this.record({ type: 'audit', action, by, role });
  }

  /** RTP of one direction has been missing for so long that the call is not to stay as it is. */
  private silenceTimeout(direction: MediaFlow, seconds: number, action: 'none' | 'hangup' | 'fallback'): void {
    if (action === 'none' || this.session?.onHold) return;
    const target = this.prepared?.agent.escalationTarget;
    this.dispatch({ type: 'silent', action, target, reason: `no RTP ${direction} for ${seconds} s` });
  }

  private get standing(): CallSession {
    if (this.session && this.state.phase === 'talking') return this.session;
    throw new ParleyError('PARLEY_ERR_CALL_NOT_UP', { call: this.id, reason: `it is ${this.state.phase}` });
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
        return this.invite.reject(effect.status);
      case 'redirect':
        return this.invite.redirect(effect.to);
      case 'begin':
        return this.begin();
      case 'refer':
        return void this.refer(effect.target);
      case 'transfer.failed':
        return this.prepared?.conversation.transferFailed(effect.reason);
      case 'bye':
        return void this.dialog?.bye(effect.reason);
      case 'release':
        return void this.release(effect.by, effect.reason);
    }
  }

  /** Everything that can be done before the answer. */
  private async prepare(action: AnswerAction): Promise<void> {
    try {
      const { services, invite, logger } = this;
      const prepared = await prepareCall({
        services,
        call: this.id,
        invite,
        action,
        logger,
        origin: this.receivedAt,
        record: (event, at) => this.record(event, at),
        finish: (afterwards) => this.finished(afterwards),
        fromMedia: (event) => this.fromMedia(event),
      });
      this.prepared = prepared;
      // A caller that has not said where they listen, or does not, would hear nothing of it.
      const early = action.earlyMedia && invite.offer !== undefined && prepared.media.heard;
      this.dispatch({ type: 'prepared', early });
    } catch (error) {
      this.logger.error({ err: error }, 'call could not be prepared');
      this.record({
        type: 'error',
        code: error instanceof ParleyError ? error.code : 'PARLEY_ERR_INTERNAL',
        message: reasonOf(error),
      });
      this.dispatch({
        type: 'unprepared',
        status: (error instanceof ParleyError && error.sip) || 500,
        reason: reasonOf(error),
      });
    }
  }

  /** The notice as early media; when that can't be, it is said after the answer like any other. */
  private async progress(): Promise<void> {
    const { prepared } = this;
    if (!prepared) return;
    const { media, voice, opening } = prepared;
    try {
      await this.invite.progress(media.localSdp, (offer) => media.reoffered(offer).sdp);
      const { heard, stopped } = await voice.announce(opening.notice, EARLY_MS);
      const planned = opening.notice.join(' ');
      this.record({ type: 'agent.turn', turn: 0, planned, heard, interrupted: stopped, kind: 'notice' });
      prepared.opening = { ...opening, notice: [] };
    } catch (error) {
      this.logger.warn({ reason: reasonOf(error) }, 'no early media');
    }
    this.dispatch({ type: 'noticed' });
  }

  private async answer(): Promise<void> {
    const { prepared } = this;
    if (!prepared) return;
    try {
      const dialog = await this.invite.answer(prepared.media.localSdp);
      this.dialog = dialog;
      this.session = new CallSession({
        call: this.id,
        dialog,
        media: prepared.media,
        control: prepared.control,
        recorded: prepared.action.record !== false,
        record: (event) => this.record(event),
        held: (on) => prepared.voice.hold(on),
        lost: (reason) => this.dispatch({ type: 'lost', reason }),
      });
      this.dispatch({ type: 'answered' });
      this.listen(dialog, this.session, prepared);
    } catch (error) {
      this.dispatch({ type: 'answer.failed', reason: reasonOf(error) });
    }
  }

  private listen(dialog: Dialog, session: CallSession, { voice }: Prepared): void {
    dialog.listen({
      ack: (sdp) => this.acked(session, sdp),
      ended: (reason) => this.dispatch({ type: 'peer.ended', reason }),
      offered: async (offer) => session.offered(offer),
      key: ({ digit, durationMs }) => voice.key('info', digit, durationMs, monotonicMs()),
      json: (body) => this.informed(body),
    });
  }

  /** An IVR in front tells more by INFO; false where the dialplan does not trust it. */
  private informed(body: string): boolean {
    const { prepared } = this;
    if (!prepared?.action.context?.trust) return false;
    const read = infoContext(body);
    if (read instanceof ParleyError) {
      this.record({ type: 'error', code: read.code, message: read.message });
      return true;
    }
    for (const { event } of segmentOf({ document: read, createdAt: Date.now() }, 'info', Date.now()))
      this.record(event);
    const { ivr: _, ...variables } = variablesOf(read);
    prepared.inform(variables);
    return true;
  }

  private acked(session: CallSession, answer: string | undefined): void {
    try {
      session.acked(answer);
      this.dispatch({ type: 'confirmed' });
    } catch (error) {
      this.dispatch({ type: 'lost', reason: reasonOf(error) });
    }
  }

  private begin(): void {
    const { prepared } = this;
    if (!prepared) return;
    this.record({
      type: 'call.answered',
      codec: prepared.media.codec,
      ms: Math.round(monotonicMs() - this.receivedAt),
    });
    if (prepared.action.record && prepared.control) {
      prepared.control.record('start');
      this.record({ type: 'recording.started', reason: 'dialplan' });
    }
    prepared.conversation.begin(prepared.opening);
  }

  private fromMedia(event: FromMedia): void {
    switch (event.type) {
      case 'rtp.started':
        if (this.dialog) this.dispatch({ type: 'confirmed' });
        return;
      case 'quality': {
        const { leg: _, type, ...quality } = event;
        return this.record({ type: 'media.quality', ...rounded(quality) });
      }
      case 'silent': {
        const { direction, seconds, on } = event;
        return this.record({ type: 'media.silent', direction, seconds, on });
      }
      case 'silence.timeout':
        return this.silenceTimeout(event.direction, event.seconds, event.action);
      case 'recording.failed':
        return this.record({ type: 'error', code: event.code, message: event.reason });
      case 'recording.finished': {
        const { file, seconds, complete } = event;
        return this.record({ type: 'recording.finished', file, durationMs: Math.round(seconds * 1000), complete });
      }
      default:
        this.prepared?.voice.fromMedia(event);
    }
  }

  private finished(afterwards: Afterwards): void {
    const named = afterwards.type === 'transfer' ? afterwards.target : '';
    this.dispatch({ type: 'finished', afterwards, target: named || this.prepared?.agent.escalationTarget });
  }

  private async refer(target: string): Promise<void> {
    this.record({ type: 'transfer.started', target, method: 'refer' });
    let outcome: { accepted: boolean; status?: number; reason?: string };
    try {
      outcome = (await this.dialog?.refer(target, this.services.limits.referMs)) ?? { accepted: false };
    } catch (error) {
      outcome = { accepted: false, reason: reasonOf(error) };
    }
    const { accepted, status, reason } = outcome;
    this.record({ type: 'transfer.finished', target, outcome: accepted ? 'accepted' : 'failed', status, reason });
    this.dispatch({ type: 'referred', accepted, reason: reason ?? String(status ?? `transferred to ${target}`) });
  }

  private async release(by: EndedBy, reason: string): Promise<void> {
    try {
      this.session?.end();
      await this.preparing;
      const { prepared } = this;
      await prepared?.voice.settle(SETTLE_MS);
      prepared?.conversation.end();
      const stats = await prepared?.media.close();
      const durationMs = Math.round(monotonicMs() - this.receivedAt);
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

/** Two decimals say all that was measured. */
function rounded<T extends Record<string, unknown>>(values: T): T {
  const round = (value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)])) as T;
}
