import type { ExpectedAnswer } from '../text/expected.js';

/**
 * The port between a conversation and whatever carries it: a SIP call's media, a text chat. The conversation knows none of them. Times are `monotonicMs()`.
 */
export interface Voice {
  readonly channel: 'voice' | 'text';
  /**
   * Queues one sentence behind those already queued. Reports `utterance.ready`, `utterance.started`, `utterance.ended` by its
   * id. `firm`: it is said to its end, whoever speaks.
   */
  say(utterance: { id: string; text: string; firm: boolean }): void;
  /** Has a sentence ready that may be said soon, until the signal says that it won't. */
  prepare(text: string, signal: AbortSignal): void;
  /** Falls silent with the next frame and drops everything queued; each dropped utterance is reported ended. */
  stop(): void;
  /** The caller speaks, too: what is playing is lowered to a level (1 is full), or pauses, with the next frame. */
  yield(how: 'duck' | 'pause', level: number): void;
  /** The agent keeps the floor: full level; what paused goes on at the beginning of the word that was cut. */
  goOn(): void;
  /** Tells the recogniser what kind of answer is asked for. */
  expect(expected: ExpectedAnswer): void;
  /** What is said is for nobody else: recordings and those who listen in get silence in its place. */
  sensitive(on: boolean): void;
  /** The words up to this position of the caller's stream belong to a turn that was taken. */
  commit(position: number): void;
  /** Asks for the final words up to now though the caller may still be speaking. */
  finalise(): void;
  /** Events go to one listener, in order. */
  listen(listener: (event: VoiceEvent) => void): void;
  close(): void;
}

/** What a voice reports. `position`: samples of the caller's stream (text: characters). */
export type VoiceEvent =
  /** There is a sound that may become an onset, or it came to nothing. */
  | { type: 'stir'; at: number; voiced: boolean }
  /** `voicedAt`: when the first voiced sample arrived, earlier than `at` by what the detector needs to be sure. */
  | { type: 'onset'; at: number; position: number; voicedAt?: number | undefined }
  /** The voice fell silent, for a moment or for good: when its last sample arrived. */
  | { type: 'pause'; at: number; voicedAt: number }
  /** `voicedAt`: when the last voiced sample arrived, earlier than `at` by what the detector needs to be sure. */
  | { type: 'offset'; at: number; voicedAt: number; position: number }
  /**
   * Words of the uncommitted utterance from `from` up to `position`. `paused`: the voice fell silent there; `real`: P(what
   * the present burst adds over the agent's words takes the floor); `listening`: how much less likely it is to be a listener's
   * "yeah" than these words, nats, when that is not much.
   */
  | {
      type: 'partial';
      at: number;
      text: string;
      from?: number | undefined;
      position: number;
      paused?: boolean | undefined;
      finished?: number | undefined;
      real?: number | undefined;
      listening?: number | undefined;
    }
  /**
   * Words of the whole uncommitted utterance up to `position`, the position of the offset it answers. Empty: not speech.
   * `finished`: P(they are a whole turn); `real`, `listening`: as for partials.
   */
  | {
      type: 'final';
      at: number;
      text: string;
      from?: number | undefined;
      position: number;
      finished?: number | undefined;
      real?: number | undefined;
      listening?: number | undefined;
    }
  /** The call is on hold: nobody is to be expected to say anything. */
  | { type: 'hold'; at: number; on: boolean }
  /** Who recognises had to be replaced: the words come later than usual. */
  | { type: 'recognition.delayed'; at: number }
  /** Recognition is lost for this stretch; the caller's words are unknown. */
  | { type: 'recognition.failed'; at: number; reason: string }
  /** A typed turn: whole as it is. */
  | { type: 'text'; at: number; text: string }
  | { type: 'dtmf'; at: number; digit: string; durationMs: number }
  /** The utterance's audio is in the playout queue. */
  | { type: 'utterance.ready'; at: number; id: string }
  | { type: 'utterance.started'; at: number; id: string }
  /** `heard`: the words whose sound went out; the whole text when nothing was cut. */
  | { type: 'utterance.ended'; at: number; id: string; heard: string; stopped: boolean };
