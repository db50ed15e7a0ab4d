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

/** What a call's voice hears: the marks of its media leg and the words of its recognition stream, in one run of positions over all legs it has had. */
export class CallHearing {
  /** The peer has made a sound of which no final words are known yet. */
  unrecognised = false;
  /** The peer is making one. */
  speaking = false;
  private stream: SpeechStream;
  /** Where the present leg begins in all that was heard, samples. */
  private base = 0;
  /** Of the leg before, whose last words are not known yet. */
  private former: { stream: SpeechStream; timer: NodeJS.Timeout } | undefined;
  private expected: ExpectedAnswer | undefined;
  private deaf = false;

  constructor(
    private leg: MediaLeg,
    private readonly speech: SpeechHost,
    private readonly vocabulary: Vocabulary | undefined,
    private readonly listener: HearingListener,
  ) {
    this.stream = this.recognise(0);
  }

  /** The leg was lost with its worker, and this one stands in its place: what the peer said until then counts. */
  moveTo(leg: MediaLeg): void {
    const { stream, base } = this;
    const { end } = new AudioRing(this.leg.ring);
    this.leg = leg;
    this.base = base + end;
    if (this.deaf) return stream.close();
    this.leave(stream, end);
    this.stream = this.recognise(0);
    if (this.expected) this.stream.expect(this.expected);
  }

  /** Whether what the peer says is looked at: while it is not, nothing of it is recognised, nor later. */
  hear(on: boolean): void {
    if (this.deaf === !on) return;
    this.deaf = !on;
    this.unrecognised = this.speaking = false;
    this.stream.close();
    if (on) this.stream = this.recognise(new AudioRing(this.leg.ring).end);
  }

  expect(expected: ExpectedAnswer): void {
    this.expected = expected;
    this.stream.expect(expected);
  }

  commit(position: number): void {
    if (position >= this.base) this.stream.commit(position - this.base);
  }

  /** Asks for the final words up to now. */
  finalise(): void {
    this.stream.finalise(new AudioRing(this.leg.ring).end);
  }

  /** The words are judged by what the agent says, or said last. */
  agentSays(agent: AgentSpeech): void {
    this.stream.agentSays(agent);
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
      this.unrecognised = true;
      this.speaking = true;
      return this.listener.tell({ type: 'onset', at, voicedAt: mark.at, position: this.base + mark.position });
    }
    // Of what began while nobody listened nobody knows anything.
    if (!this.speaking) return;
    if (mark.type === 'pause') return this.listener.tell({ type: 'pause', at, voicedAt: mark.at });
    this.speaking = false;
    this.listener.tell({ type: 'offset', at, voicedAt: mark.at, position: this.base + mark.position });
  }

  close(): void {
    if (!this.deaf) this.stream.close();
    this.forgetFormer();
  }

  private get unheard(): boolean {
    return this.deaf || this.listener.deafened();
  }

  private recognise(from: number): SpeechStream {
    const { base } = this;
    return this.speech.openStream(this.leg, (event) => this.fromSpeech(event, base), this.vocabulary, from);
  }

  /** The stream of a lost leg: what it has not told yet is waited for. */
  private leave(stream: SpeechStream, end: number): void {
    if (!this.unrecognised) return stream.close();
    this.forgetFormer();
    const timer = setTimeout(() => this.forgetFormer(), LAST_WORDS_MS);
    this.former = { stream, timer };
    if (!this.speaking) return;
    this.speaking = false;
    stream.finalise(end);
    const at = monotonicMs();
    this.listener.tell({ type: 'offset', at, voicedAt: at, position: this.base });
  }

  private forgetFormer(): void {
    clearTimeout(this.former?.timer);
    this.former?.stream.close();
    this.former = undefined;
  }

  /** @param base where the leg began that it was heard on */
  private fromSpeech(event: StreamEvent, base: number): void {
    const at = monotonicMs();
    if (event.type === 'moved') {
      if (this.unrecognised && !this.unheard) this.listener.delayed(at);
      return;
    }
    if (this.unheard) return;
    if (event.type === 'partial') {
      const { type, text, paused, finished, real } = event;
      return this.listener.tell({ type, at, text, ...placeOf(event, base), paused, finished, real });
    }
    if (base !== this.base) this.forgetFormer();
    this.unrecognised = this.speaking && base !== this.base;
    if (event.type === 'final') {
      const { type, text, finished, real } = event;
      this.listener.tell({ type, at, text, ...placeOf(event, base), finished, real });
    } else this.listener.tell({ type: 'recognition.failed', at, reason: event.reason });
    this.listener.recognised();
  }
}

/** Where words stand in all that was heard. */
function placeOf({ from, position }: { from: number; position: number }, base: number) {
  return { from: base + from, position: base + position };
}
