import type { VoiceEvent } from '../../conversation/voice.js';
import { reasonOf } from '../../errors.js';
import type { JournalEvent } from '../../journal/events.js';
import type { AudioOptions } from '../../rtp/sdp/sdp.js';
import type { Dialog, IncomingRefer, ReplacingInvite } from '../../sip/dialog.js';
import { type HandedContext, handedContext } from '../../sip/handed-context.js';
import type { OutgoingCall, OutgoingEvents, OutgoingRequest } from '../../sip/outgoing.js';
import type { TrunkLoad } from '../../sip/trunks/trunk-load.js';
import type { Lexicon } from '../../speech/synthesis/lexicon.js';
import type { VoiceSettings } from '../../speech/synthesis/synthesiser.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { Logger } from '../../telemetry/log.js';
import { within } from '../../telemetry/within.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { MediaHost } from '../../workers/media/media-host.js';
import type { FromMedia } from '../../workers/messages.js';
import type { Speaker } from '../../workers/speaker.js';
import type { SpeechHost } from '../../workers/speech/speech-host.js';
import type { Destination } from '../targets/targets.js';
import { CallVoice } from '../voice/call-voice.js';
import { CallSession } from './call-session.js';
import { LegMedia } from './leg-media.js';
import type { MediaControl } from './media-control.js';
import { letGo, takeOver } from './take-over.js';

/** What legs to persons are made with. */
export interface PersonLegServices {
  media: MediaHost;
  speech: SpeechHost;
  speaker: Speaker;
  /** Sends an INVITE. */
  dial(request: OutgoingRequest, events: OutgoingEvents): OutgoingCall;
  /** What is offered to who is called by this trunk. */
  audioFor(trunk: string | undefined): AudioOptions;
  /** Places that calls by trunks take. */
  trunkLoad?: TrunkLoad | undefined;
  control?: ((leg: () => MediaLeg) => MediaControl) | undefined;
  logger: Logger;
}

/** What a leg tells. Exactly one of `answered` and `refused` comes, then `left` unless it was closed here. */
export interface PersonLegEvents {
  ringing(): void;
  answered(): void;
  /** `status` 0: nothing could be sent, or no port be had. `contacts`: where the phone sends the call. */
  refused(status: number, reason: string, contacts: readonly string[]): void;
  left(reason: string): void;
  /** A mailbox has beeped. */
  beeped(): void;
  /** What the person says and presses, as of any voice. */
  heard(event: VoiceEvent): void;
  /** The person's phone hands the other side on. */
  referred(request: IncomingRefer): void;
  /** Another phone has taken the place of the one that was called, or answered in its place. */
  replaced(by: ReplacingInvite): void;
  record(event: JournalEvent): void;
}

/** One leg. */
export interface PersonLegOptions {
  /** Parley's id of the call: the leg's media are in the worker of the call's other legs, and can be mixed with them. */
  call: string;
  /** Unique in the call. */
  name: string;
  destination: Destination;
  context: Omit<HandedContext, 'replaces'>;
  /** What is said to the person sounds so. */
  voice: VoiceSettings;
  lexicon: Lexicon | undefined;
}

/**
 * A leg that Parley calls: a person, briefed before they are joined with the caller, or whoever else takes part in a
 * call. Who hears whom is a matter of `media.leg.mix`.
 */
export class PersonLeg {
  /** Who is at the other end, for people. */
  speaker: string;
  private media: LegMedia | undefined;
  private readonly opened: Promise<LegMedia>;
  private call: OutgoingCall | undefined;
  private dialog: Dialog | undefined;
  private session: CallSession | undefined;
  private speaking: CallVoice | undefined;
  private closing: Promise<void> | undefined;
  private givePlaceBack = () => {};
  private over = false;
  /** Another phone is taking this one's place, or has picked the call up. */
  private taken: 'being' | 'was' | undefined;

  /** Calls at once. */
  constructor(
    private readonly services: PersonLegServices,
    private readonly options: PersonLegOptions,
    private readonly events: PersonLegEvents,
  ) {
    const { call, name, destination } = options;
    this.speaker = destination.name;
    const audio = services.audioFor(destination.route?.name);
    this.opened = LegMedia.open(
      services.media,
      `${call}/${name}`,
      undefined,
      audio,
      (event) => this.fromMedia(event),
      call,
    );
    this.dial().catch((error) => this.refuse(0, reasonOf(error)));
  }

  get name(): string {
    return this.options.name;
  }

  get destination(): Destination {
    return this.options.destination;
  }

  /** Its media, from the first step on until it is closed. */
  get leg(): MediaLeg | undefined {
    return this.media?.leg;
  }

  /** From the answer on: speaks to the person, and hears them. */
  get voice(): CallVoice | undefined {
    return this.speaking;
  }

  /** From the answer on. */
  get sip(): Dialog | undefined {
    return this.dialog;
  }

  /** Whether either side has the other on hold. */
  get onHold(): boolean {
    return this.session?.onHold ?? false;
  }

  /** Changes of the session under way, for leak tests. */
  get pending(): number {
    return this.session?.pending ?? 0;
  }

  /** Sends keys. Resolves when the last has gone. */
  async keys(digits: string): Promise<void> {
    const { media } = this;
    if (media) await media.leg.digits(digits, media.keyMethod);
  }

  /** CANCEL or BYE; resolves when nothing of the leg is left. Further calls wait for the first. */
  close(reason: string): Promise<void> {
    this.closing ??= this.end(reason);
    return this.closing;
  }

  /** The media worker is lost: the leg goes on in another. One that still rings has offered its port, which it most often gets again. */
  async recover(): Promise<void> {
    try {
      const media = await this.opened;
      if (this.session) await this.session.recover(() => this.speaking?.moveTo(media.leg));
      else if (!this.over) await media.reopen();
    } catch (error) {
      this.leave(`media worker lost: ${reasonOf(error)}`);
    }
  }

  private async dial(): Promise<void> {
    const { destination, context } = this.options;
    const { uri, route, proxy, replaces } = destination;
    const media = await this.opened;
    this.media = media;
    if (this.over) return;
    const { trunkLoad } = this.services;
    const place = trunkLoad ? trunkLoad.take(route?.name) : () => undefined;
    if (!place) return this.refuse(503, `trunk ${route?.name} has as many calls as it may have`);
    this.givePlaceBack = place;
    const { headers, body } = handedContext({ ...context, replaces }, uri, media.localSdp);
    const { call, name } = this.options;
    const request = { uri, headers, body, proxy, auth: route?.auth, leg: { call, name } };
    this.call = this.services.dial(request, {
      ringing: () => this.over || this.events.ringing(),
      replaced: (invite) => void this.takenBy(invite),
    });
    const outcome = await this.call.outcome;
    if (this.taken && this.dialog) return void (outcome.answered && letGo(outcome.dialog));
    if (!outcome.answered) return this.refuse(outcome.status, outcome.reason, outcome.contacts);
    if (this.over) return void outcome.dialog.bye('no longer wanted');
    this.answered(outcome.dialog, media, outcome.answer);
  }

  private answered(dialog: Dialog, media: LegMedia, answer: string | undefined): void {
    try {
      media.accept(answer);
    } catch (error) {
      void dialog.bye(reasonOf(error));
      return this.refuse(488, reasonOf(error));
    }
    this.attach(dialog, media);
    if (!this.over) this.events.answered();
  }

  /** An INVITE with Replaces: another phone takes over, or picks up while this one rings. */
  private async takenBy(invite: ReplacingInvite): Promise<void> {
    const { media, call } = this;
    if (this.over || this.taken === 'being' || !media) return invite.reject(481);
    const before = this.taken;
    this.taken = 'being';
    const wasHeld = media.held;
    const dialog = await takeOver(invite, media);
    this.taken = dialog ? 'was' : before;
    if (!dialog) return;
    if (this.over) return letGo(dialog);
    const { dialog: old } = this;
    this.session?.end();
    this.attach(dialog, media, wasHeld);
    if (old) letGo(old);
    else call?.cancel();
    this.events.replaced(invite);
  }

  /** From now on the leg is this dialog's. */
  private attach(dialog: Dialog, media: LegMedia, wasHeld = false): void {
    const { control } = this.services;
    this.dialog = dialog;
    this.speaking ??= this.newVoice(media);
    const voice = this.speaking;
    const session = new CallSession({
      call: this.options.call,
      dialog,
      media,
      control: control?.(() => media.leg),
      who: 'person',
      wasHeld,
      recorded: () => false,
      record: (event) => this.events.record(event),
      held: (on) => voice.hold(on),
      lost: (reason) => this.leave(reason),
    });
    this.session = session;
    dialog.listen({
      ack: (sdp) => this.acked(session, sdp),
      ended: (reason) => this.leave(reason),
      offered: async (offer) => session.offered(offer),
      key: ({ digit, durationMs }) => voice.key('info', digit, durationMs, monotonicMs()),
      referred: (request) => (this.over ? request.refuse(481) : this.events.referred(request)),
      replaced: (invite) => void this.takenBy(invite),
    });
  }

  private newVoice({ leg }: LegMedia): CallVoice {
    const { voice: settings, lexicon } = this.options;
    const { speech, speaker, logger } = this.services;
    const voice = new CallVoice({
      leg,
      speech,
      speaker,
      settings,
      lexicon,
      stopWords: [],
      byWords: false,
      logger: logger.child({ call: this.options.call, leg: this.name }),
    });
    voice.listen((event) => this.events.heard(event));
    return voice;
  }

  private acked(session: CallSession, answer: string | undefined): void {
    try {
      session.acked(answer);
    } catch (error) {
      this.leave(reasonOf(error));
    }
  }

  private fromMedia(event: FromMedia): void {
    // No sound from a phone that should send some: its call is dead.
    if (event.type === 'silence.timeout' && event.action !== 'none' && !this.session?.onHold) {
      return this.leave(`no RTP ${event.direction} for ${event.seconds} s`);
    }
    if (event.type !== 'beep') return this.speaking?.fromMedia(event);
    if (this.speaking && !this.over) this.events.beeped();
  }

  private refuse(status: number, reason: string, contacts: readonly string[] = []): void {
    if (this.over) return;
    this.over = true;
    this.events.refused(status, reason, contacts);
  }

  private leave(reason: string): void {
    if (this.over) return;
    this.over = true;
    this.events.left(reason);
  }

  private async end(reason: string): Promise<void> {
    this.over = true;
    this.session?.end();
    if (!this.dialog) this.call?.cancel();
    const bye = this.dialog?.bye(reason);
    await this.speaking?.settle(SETTLE_MS);
    this.speaking?.close();
    const media = await this.opened.catch(() => undefined);
    await media?.close();
    if (bye) await within(BYE_MS, bye);
    this.givePlaceBack();
  }
}

/** Longest wait for what was still being said. */
const SETTLE_MS = 400;
/** A phone that does not answer BYE is not waited for, ms. */
const BYE_MS = 2000;
