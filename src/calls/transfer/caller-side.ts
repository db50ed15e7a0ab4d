import type { VoiceEvent } from '../../conversation/voice.js';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import type { CallerIdentity } from '../../sip/caller-identity.js';
import type { Dialog } from '../../sip/dialog.js';
import type { Lexicon } from '../../speech/synthesis/lexicon.js';
import type { VoiceSettings } from '../../speech/synthesis/synthesiser.js';
import type { JoinedLegs } from '../legs/joined-legs.js';
import type { LegMedia } from '../legs/leg-media.js';
import type { PersonLeg } from '../legs/person-leg.js';
import type { TransferConfig } from '../targets/config.js';
import type { CallVoice } from '../voice/call-voice.js';
import { SpeakerTurns } from '../voice/speaker-turns.js';

/** The call that is handed over. */
export interface TransferredCall {
  id: string;
  /** Who calls. */
  identity: CallerIdentity;
  /** What the caller dialled, and the URI of it. */
  to: string;
  calledUri: string;
  /** As it is now: another phone may take the caller's place. */
  dialog(): Dialog;
  media: LegMedia;
  joined: JoinedLegs;
  voice: CallVoice;
  /** How the agent sounds. */
  settings: VoiceSettings;
  lexicon: Lexicon | undefined;
  /** What an IVR handed over that is for nobody to read, but a target that is to have it. */
  secrets: Readonly<Record<string, unknown>>;
  /** What the agent was given by trunk, dialplan and IVR, but what is for nobody to read. */
  given: Readonly<Record<string, unknown>>;
  /** monotonicMs() of the INVITE. */
  origin: number;
  events(): readonly StoredEvent[];
  record(event: JournalEvent, at?: number): void;
}

/** What those are told and hear that a person is called for. */
export interface TransferSide {
  /** Number of the caller's last turn. */
  readonly lastTurn: number;
  /** Clocks that run, for leak tests. */
  readonly pending: number;
  /** The caller hears music, or nothing of the kind. @param first nobody was called before */
  wait(on: boolean, first: boolean): void;
  /** Says something between two stretches of music. */
  tell(text: string): Promise<void>;
  /** They hear each other, and are recognised. */
  join(person: PersonLeg): void;
  /** What the person says goes on record, as theirs; what was said on their leg before was whose it was then. */
  takeDown(person: PersonLeg): void;
  unjoin(person: PersonLeg): void;
  /** The legs are others now. */
  rejoin(): void;
  /** Said to both, who are joined. */
  introduce(person: PersonLeg): Promise<void>;
  /** What a person says who is joined, or was; false when it is nothing for the transcript. */
  said(leg: string, event: VoiceEvent): boolean;
  /** No more is heard of this leg: what was said on it goes on record. */
  endTurns(leg: string): void;
  /** The transfer is over. @param back the agent goes on; else the caller's last words may still come */
  end(back: boolean): void;
}

/** The lines of who is at a person's leg now. */
export function personTurns(
  { record, origin }: TransferredCall,
  { speaker: person }: PersonLeg,
  voice: CallVoice,
): SpeakerTurns {
  const since = (at: number) => Math.round(at - origin);
  return new SpeakerTurns({
    turn: (text, from, to) => record({ type: 'person.turn', person, text, startedAt: since(from), endedAt: since(to) }),
    partial: (text) => record({ type: 'person.partial', person, text }),
    commit: (position) => voice.commit(position),
  });
}

/** Longest that something said to both, or about a place in the queue, may take, ms. */
const ANNOUNCE_MS = 30_000;

/** The caller while they are handed over: what they hear, and the lines of both sides once they are joined with a person. */
export class CallerSide implements TransferSide {
  /** Lines in the making, by leg; the caller's own under ''. */
  private readonly turns = new Map<string, SpeakerTurns>();
  private turn: number;
  private waiting = false;
  private over = false;
  /** Who is joined with the caller. */
  private person: PersonLeg | undefined;

  constructor(
    private readonly call: TransferredCall,
    private readonly config: TransferConfig,
  ) {
    this.turn = call
      .events()
      .reduce((last, event) => (event.type === 'caller.turn' ? Math.max(last, event.turn) : last), 0);
  }

  get lastTurn(): number {
    return this.turn;
  }

  get pending(): number {
    let pending = 0;
    for (const turns of this.turns.values()) pending += turns.pending;
    return pending;
  }

  wait(on: boolean, first: boolean): void {
    const { media, voice } = this.call;
    const { listen, message, wait } = this.config;
    if (on === this.waiting) return;
    this.waiting = on;
    if (!on) return media.leg.sound(undefined);
    voice.divert((event) => this.heard(event));
    voice.hear(listen);
    if (listen) this.turns.set('', this.callerTurns());
    if (message !== undefined && first) void this.tell(message);
    else media.leg.sound(wait);
  }

  async tell(text: string): Promise<void> {
    const { media, voice } = this.call;
    media.leg.sound(undefined);
    const { heard, stopped } = await voice.announce([text], ANNOUNCE_MS, { deaf: false });
    if (this.over) return;
    this.notice(text, heard, stopped);
    if (this.waiting) media.leg.sound(this.config.wait);
  }

  join(person: PersonLeg): void {
    const { leg, voice } = person;
    if (!leg || !voice) return;
    const { voice: caller } = this.call;
    voice.stop();
    caller.stop();
    caller.hear(true);
    caller.sensitive(false);
    this.call.joined.join(person, false);
    this.person = person;
    this.takeDown(person);
    this.endTurns('');
    this.turns.set('', this.callerTurns());
    this.holdMusic();
  }

  rejoin(): void {
    this.call.joined.mix();
    if (this.person) this.holdMusic();
  }

  takeDown(person: PersonLeg): void {
    const { name, voice } = person;
    if (this.person?.name !== name || !voice) return;
    this.endTurns(name);
    this.turns.set(name, personTurns(this.call, person, voice));
  }

  unjoin(person: PersonLeg): void {
    this.call.joined.leave(person);
    person.leg?.sound(undefined);
    this.person = undefined;
    this.endTurns(person.name);
    this.endTurns('');
  }

  async introduce({ speaker, destination: { settings }, voice }: PersonLeg): Promise<void> {
    const text = settings.introduction?.replaceAll('{{name}}', speaker);
    if (!voice || text === undefined) return;
    const said = [this.call.voice, voice].map((one) => one.announce([text], ANNOUNCE_MS, { deaf: false }));
    const [caller] = await Promise.all(said);
    this.notice(text, caller?.heard ?? '', caller?.stopped ?? true);
  }

  said(leg: string, event: VoiceEvent): boolean {
    if (event.type === 'hold' && this.person?.name === leg) this.holdMusic();
    const turns = this.turns.get(leg);
    const { media } = this.call;
    if (event.type === 'dtmf' && this.person?.name === leg) void media.leg.digits(event.digit, media.keyMethod);
    turns?.event(event);
    return turns !== undefined;
  }

  endTurns(leg: string): void {
    this.turns.get(leg)?.flush();
    this.turns.delete(leg);
  }

  end(back: boolean): void {
    this.over = true;
    this.person = undefined;
    if (!back) return;
    this.endTurns('');
    this.call.voice.divert();
    this.call.voice.hear(true);
  }

  /** Who is on hold hears music in the place of who has put them there. */
  private holdMusic(): void {
    const { media } = this.call;
    media.leg.sound(this.person?.onHold ? 'music' : undefined);
    this.person?.leg?.sound(media.held ? 'music' : undefined);
  }

  private heard(event: VoiceEvent): void {
    if (event.type === 'hold') {
      if (this.person) this.holdMusic();
    } else if (event.type === 'dtmf') {
      // What is keyed for a person, or a system behind them, is theirs: it may be a card number.
      if (this.person) return void this.person.keys(event.digit);
      this.call.record({ type: 'dtmf', digit: event.digit, durationMs: event.durationMs });
    } else this.turns.get('')?.event(event);
  }

  private callerTurns(): SpeakerTurns {
    const { record, voice } = this.call;
    return new SpeakerTurns({
      turn: (text, from, to) => {
        this.turn += 1;
        record({ type: 'caller.turn', turn: this.turn, text, from: 'speech', ...this.times(from, to) });
      },
      partial: (text) => record({ type: 'caller.partial', text }),
      commit: (position) => voice.commit(position),
    });
  }

  private notice(planned: string, heard: string, interrupted: boolean): void {
    this.call.record({ type: 'agent.turn', turn: 0, planned, heard, interrupted, kind: 'notice' });
  }

  private times(startedAt: number, endedAt: number): { startedAt: number; endedAt: number } {
    const since = (at: number) => Math.round(at - this.call.origin);
    return { startedAt: since(startedAt), endedAt: since(endedAt) };
  }
}
