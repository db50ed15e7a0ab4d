import { Conversation, type Opening, openingOf } from '../conversation/conversation.js';
import type { Afterwards } from '../conversation/state.js';
import type { Dialplan, DialplanAction } from '../dialplan/dialplan.js';
import { ParleyError, reasonOf } from '../errors.js';
import type { EndedBy, JournalEvent } from '../journal/events.js';
import type { CallJournal } from '../journal/journal.js';
import type { AudioOptions } from '../rtp/sdp.js';
import type { Dialog } from '../sip/dialog.js';
import type { Invite } from '../sip/invite.js';
import { monotonicMs } from '../telemetry/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { MediaHost } from '../workers/media-host.js';
import type { FromMedia } from '../workers/messages.js';
import type { Speaker } from '../workers/speaker.js';
import type { SpeechHost } from '../workers/speech-host.js';
import { type CallEffect, type CallEvent, type CallState, initialCall, reduceCall } from './call-state.js';
import { CallVoice } from './call-voice.js';
import type { LimitsConfig } from './config.js';
import { LegMedia } from './leg-media.js';
import type { VoiceAgent } from './voice-agent.js';

/** What all calls share. */
export interface CallServices {
  media: MediaHost;
  speech: SpeechHost;
  speaker: Speaker;
  audio: AudioOptions;
  dialplan: Dialplan;
  agents: ReadonlyMap<string, VoiceAgent>;
  limits: LimitsConfig;
  logger: Logger;
}

interface Prepared {
  agent: VoiceAgent;
  media: LegMedia;
  conversation: Conversation;
  voice: CallVoice;
  opening: Opening;
}

/** Longest wait at the end of a call for what was still being said and heard. */
const SETTLE_MS = 400;

/** One call from INVITE to BYE: carries out the effects of {@link reduceCall}. */
export class Call {
  private state: CallState = initialCall;
  private prepared: Prepared | undefined;
  private preparing: Promise<void> = Promise.resolve();
  private dialog: Dialog | undefined;
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

  /** Timers and replies under way, for leak tests. */
  get pending(): number {
    return this.prepared?.conversation.pending ?? 0;
  }

  /** Takes the call to its end; resolves when nothing of it is left. Never rejects. */
  async run(): Promise<void> {
    const { invite, services } = this;
    const match = services.dialplan.match({
      to: invite.to,
      from: invite.from,
      source: invite.source,
      headers: (name) => invite.header(name),
    });
    this.record({
      type: 'call.received',
      time: new Date().toISOString(),
      from: invite.from,
      to: invite.to,
      source: invite.source,
      sipCallId: invite.sipCallId,
      entry: match?.entry,
      agent: match?.action.type === 'answer' ? match.action.agent : undefined,
    });
    invite.cancelled(() => this.dispatch({ type: 'cancelled' }));
    this.dispatch({ type: 'routed', action: match?.action });
    await this.released;
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

  /** Everything that can be done before the answer: port, SDP, agent, the greeting's first clip. */
  private async prepare(action: Extract<DialplanAction, { type: 'answer' }>): Promise<void> {
    try {
      const agent = this.services.agents.get(action.agent);
      if (!agent) throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: `no agent ${action.agent}` });
      const { media: host, audio } = this.services;
      const media = await LegMedia.open(host, this.id, this.invite.offer, audio, (e) => this.fromMedia(e));
      this.prepared = await this.compose(agent, media, action);
      await this.warmGreeting(this.prepared);
      this.dispatch({ type: 'prepared' });
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

  private async compose(
    agent: VoiceAgent,
    media: LegMedia,
    action: Extract<DialplanAction, { type: 'answer' }>,
  ): Promise<Prepared> {
    try {
      return this.talk(agent, media, action);
    } catch (error) {
      await media.close();
      throw error;
    }
  }

  private talk(agent: VoiceAgent, media: LegMedia, action: Extract<DialplanAction, { type: 'answer' }>): Prepared {
    const { speech, speaker } = this.services;
    const { logger, invite } = this;
    const variables = { caller: invite.from, called: invite.to, ...action.variables };
    const session = agent.reasoner.open({ call: this.id, channel: 'voice', variables });
    const opening = openingOf(session, action.notice);
    const voice = new CallVoice({
      leg: media.leg,
      speech,
      speaker,
      settings: agent.voice,
      lexicon: agent.lexicon,
      logger,
    });
    const conversation = new Conversation({
      voice,
      session,
      settings: agent.settings,
      record: (event, at) => this.record(event, at),
      origin: this.receivedAt,
      finish: (afterwards) => this.finished(afterwards),
      logger,
    });
    return { agent, media, conversation, voice, opening };
  }

  /** The greeting's first sentence is ready before the answer, unless that would keep the caller waiting. */
  private async warmGreeting({ agent, media, opening }: Prepared): Promise<void> {
    const first = opening.notice[0] ?? opening.greeting[0];
    if (!first) return;
    const clip = this.services.speaker.prepare(first, agent.voice, media.leg.sampleRate, agent.lexicon);
    clip.catch((error) => this.logger.error({ err: error }, 'greeting could not be synthesised'));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.services.limits.prepareMs);
    });
    await Promise.race([clip.catch(() => {}), late]);
    clearTimeout(timer);
  }

  private async answer(): Promise<void> {
    const { prepared } = this;
    if (!prepared) return;
    try {
      const dialog = await this.invite.answer(prepared.media.localSdp);
      this.dialog = dialog;
      this.dispatch({ type: 'answered' });
      dialog.listen({
        ack: (sdp) => this.acked(sdp),
        ended: (reason) => this.dispatch({ type: 'peer.ended', reason }),
        offered: async (offer) => this.offered(prepared.media, offer),
      });
    } catch (error) {
      this.dispatch({ type: 'answer.failed', reason: reasonOf(error) });
    }
  }

  private acked(answer: string | undefined): void {
    try {
      this.prepared?.media.accept(answer);
      this.dispatch({ type: 'confirmed' });
    } catch (error) {
      this.dispatch({ type: 'lost', reason: reasonOf(error) });
    }
  }

  private offered(media: LegMedia, offer: string | undefined): string {
    const { sdp, held } = media.reoffered(offer);
    if (held !== undefined) this.record({ type: 'hold', on: held });
    return sdp;
  }

  private begin(): void {
    const { prepared } = this;
    if (!prepared) return;
    this.record({
      type: 'call.answered',
      codec: prepared.media.codec,
      ms: Math.round(monotonicMs() - this.receivedAt),
    });
    prepared.conversation.begin(prepared.opening);
  }

  private fromMedia(event: FromMedia): void {
    if (event.type === 'rtp.started' && this.dialog) this.dispatch({ type: 'confirmed' });
    else this.prepared?.voice.fromMedia(event);
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
