import { AudioRing } from '../../audio/ring.js';
import type { VoiceEvent } from '../../conversation/voice.js';
import type { Vocabulary } from '../../speech/recognition/vocabulary.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { AgentSpeech, LegEvent } from '../../workers/messages.js';
import type { SpeechHost, SpeechStream } from '../../workers/speech/speech-host.js';
import type { StreamEvent } from '../../workers/speech/speech-stream.js';

/** The caller's last words on a leg that is lost are waited for so long, ms. */
const LAST_WORDS_MS = 5000;

/** What hears by it. */
export interface HearingListener {
  tell(event: VoiceEvent): void;
  /** Something else is being said, and the peer is not to be heard meanwhile. */
  deafened(): boolean;
  /** Who recognises had to be replaced: what was said is known later. */
  delayed(at: number): void;
  /** What was said is known, or never will be. */
  recognised(): void;
}

type Mark = Extract<LegEvent, { type: 'stir' | 'onset' | 'pause' | 'offset' }>;

/** What was said, and where that is in all that was heard. */
interface Words {
  text: string;
  from: number;
  position: number;
}

/** A leg that is listened to, or was. */
class HeardLeg {
  /** Its newest final words, until the turn that they belong to is taken. */
  words: Words | undefined;
  /** Up to where its words are known. */
  known = -1;
  /** Runs while the last words of a lost leg are waited for. */
  waiting: NodeJS.Timeout | undefined;
  /** Position of the last sound that words are asked for. */
  private sounded = -1;

  /** @param base where it begins in all that was heard, samples */
  constructor(
    readonly base: number,
    readonly stream: SpeechStream,
  ) {}

  /** It has made a sound of which no final words are known yet. */
  get unrecognised(): boolean {
    return this.sounded > this.known;
  }

  sound(position: number): void {
    this.sounded = Math.max(this.sounded, position);
  }

  commit(position: number): void {
    if (position < this.base) return;
    this.stream.commit(position - this.base);
    if (this.words && position >= this.words.position) this.words = undefined;
  }
}

/** What a call's voice hears: the marks of its media leg and the words of its recognition stream, in one run of positions over all legs it has had. */
export class CallHearing {
  /** The peer is making a sound. */
  speaking = false;
  /** Where the present leg begins in all that was heard, samples. */
  private base = 0;
  /** Undefined while nobody listens. */
  private present: HeardLeg | undefined;
  /** Those before, in order, whose words are not known yet or belong to the turn in the making. */
  private lost: HeardLeg[] = [];
  private expected: ExpectedAnswer | undefined;
  private agent: AgentSpeech | undefined;

  constructor(
    private leg: MediaLeg,
    private readonly speech: SpeechHost,
    private readonly vocabulary: Vocabulary | undefined,
    private readonly listener: HearingListener,
  ) {
    this.present = this.recognise(0);
  }

  /** The peer has made a sound of which no final words are known yet. */
  get unrecognised(): boolean {
    return (this.present?.unrecognised ?? false) || this.lost.some(({ waiting }) => waiting);
  }

  /** The leg was lost with its worker, and this one stands in its place: what the peer said until then counts. */
  moveTo(leg: MediaLeg): void {
    const { end } = new AudioRing(this.leg.ring);
    this.leg = leg;
    this.base += end;
    if (!this.present) return;
    this.leave(this.present, end);
    this.present = this.recognise(0);
  }

  /** Whether what the peer says is looked at: while it is not, nothing of it is recognised, nor later. */
  hear(on: boolean): void {
    if (on === (this.present !== undefined)) return;
    this.speaking = false;
    if (on) this.present = this.recognise(this.end);
    else this.close();
  }

  expect(expected: ExpectedAnswer): void {
    this.expected = expected;
    this.present?.stream.expect(expected);
  }

  commit(position: number): void {
    for (const leg of this.legs) leg.commit(position);
    this.lost = this.lost.filter(({ waiting, words }) => waiting || words);
  }

  /** Asks for the final words up to now. */
  finalise(): void {
    this.present?.stream.finalise(this.end);
  }

  /** Asks for those that are not known yet; what a lost leg has heard is asked for already. */
  finaliseRest(): void {
    if (this.present?.unrecognised) this.finalise();
  }

  /** The words are judged by what the agent says, or said last. */
  agentSays(agent: AgentSpeech): void {
    this.agent = agent;
    this.present?.stream.agentSays(agent);
  }

  /** What the media worker heard. */
  mark(mark: Mark): void {
    const at = monotonicMs();
    if (mark.type === 'stir') {
      if (!this.unheard) this.listener.tell({ type: 'stir', at, voiced: mark.voiced });
      return;
    }
    if (mark.type === 'onset') {
      if (this.unheard) return;
      this.speaking = true;
      this.present?.sound(mark.position);
      return this.listener.tell({ type: 'onset', at, voicedAt: mark.at, position: this.base + mark.position });
    }
    // Of what began while nobody listened nobody knows anything.
    if (!this.speaking) return;
    if (mark.type === 'pause') return this.listener.tell({ type: 'pause', at, voicedAt: mark.at });
    this.speaking = false;
    this.present?.sound(mark.position);
    this.listener.tell({ type: 'offset', at, voicedAt: mark.at, position: this.base + mark.position });
  }

  close(): void {
    this.present?.stream.close();
    this.present = undefined;
    for (const leg of this.lost) waitNoMore(leg);
    this.lost = [];
  }

  private get legs(): HeardLeg[] {
    return this.present ? [...this.lost, this.present] : this.lost;
  }

  private get unheard(): boolean {
    return !this.present || this.listener.deafened();
  }

  private get end(): number {
    return new AudioRing(this.leg.ring).end;
  }

  private recognise(from: number): HeardLeg {
    const tell = (event: StreamEvent) => this.fromSpeech(event, leg);
    const leg: HeardLeg = new HeardLeg(this.base, this.speech.openStream(this.leg, tell, this.vocabulary, from));
    if (this.expected) leg.stream.expect(this.expected);
    if (this.agent) leg.stream.agentSays(this.agent);
    return leg;
  }

  /** A leg is lost: what was said on it and is not known yet is waited for. */
  private leave(leg: HeardLeg, end: number): void {
    if (this.speaking) {
      this.speaking = false;
      leg.sound(end);
      leg.stream.finalise(end);
      const at = monotonicMs();
      this.listener.tell({ type: 'offset', at, voicedAt: at, position: this.base });
    }
    if (leg.unrecognised || leg.words) this.lost.push(leg);
    if (!leg.unrecognised) return leg.stream.close();
    leg.waiting = setTimeout(() => {
      waitNoMore(leg);
      this.listener.recognised();
    }, LAST_WORDS_MS);
  }

  private fromSpeech(event: StreamEvent, leg: HeardLeg): void {
    const at = monotonicMs();
    if (event.type === 'moved') {
      if (this.unrecognised && !this.unheard) this.listener.delayed(at);
      return;
    }
    if (event.type === 'final') {
      leg.known = Math.max(leg.known, event.position);
      if (!leg.unrecognised) waitNoMore(leg);
    }
    if (!this.unheard) this.tellWords(event, leg, at);
    if (event.type === 'final') this.listener.recognised();
  }

  private tellWords(event: Exclude<StreamEvent, { type: 'moved' }>, leg: HeardLeg, at: number): void {
    if (event.type === 'stream.failed') {
      return this.listener.tell({ type: 'recognition.failed', at, reason: event.reason });
    }
    const { text, finished, real, listening } = event;
    const words = { text, from: leg.base + event.from, position: leg.base + event.position };
    const place = this.legs.indexOf(leg);
    const before = this.legs.slice(0, place).map((one) => one.words);
    if (event.type === 'partial') {
      const judged = { paused: event.paused, finished, real, listening };
      return this.listener.tell({ type: 'partial', at, ...joined([...before, words]), ...judged });
    }
    leg.words = words;
    const after = this.legs.slice(place + 1).map((one) => one.words);
    const judged = after.some(Boolean) ? {} : { finished, real, listening };
    this.listener.tell({ type: 'final', at, ...joined([...before, words, ...after]), ...judged });
  }
}

/** What was said on one leg after another, as one. */
function joined(parts: readonly (Words | undefined)[]): Words {
  const said = parts.filter((words) => words !== undefined);
  const worded = said.filter(({ text }) => text !== '');
  const [first = said.at(-1)] = worded;
  const text = worded.map((words) => words.text).join(' ');
  return { text, from: first?.from ?? 0, position: said.at(-1)?.position ?? 0 };
}

function waitNoMore(leg: HeardLeg): void {
  if (!leg.waiting) return;
  clearTimeout(leg.waiting);
  leg.waiting = undefined;
  leg.stream.close();
}
