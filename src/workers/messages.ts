import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode, ErrorDetails } from '../errors.js';
import type { Meaning } from '../language/meanings.js';
import type { BackgroundKind } from '../media/background.js';
import type { MixMode } from '../media/mixing/routing.js';
import type { RecordingBeepOptions } from '../media/recording/recording-beep.js';
import type { NegotiatedMedia, PcmRate } from '../rtp/negotiated.js';
import type { Vocabulary } from '../speech/recognition/vocabulary.js';
import type { VoiceSettings, WordTime } from '../speech/synthesis/synthesiser.js';
import type { SealingKey } from '../store/sealing/keyring.js';
import type { ExpectedAnswer } from '../text/expected.js';

/*
 * Everything that crosses a thread. Times (`at`) are `monotonicMs()`; positions are samples of the leg's listening
 * stream at its listening rate, counted from the first RTP packet. `leg` names one media leg of one call.
 */

/** What a mixer knows the agent's voice to this leg as. */
export function agentVoiceOf(leg: string): string {
  return `${leg}/agent`;
}

/** main -> media worker */
export type ToMedia =
  /**
   * Binds RTP to this even port and RTCP to the one above, and answers `opened` or `open.failed`. The leg listens and
   * plays at `sampleRate` for its whole life: a codec of another rate is converted. `call`: legs of one call can be
   * mixed. `detect`: whether voice is looked for in what it hears; `inband`: whether keys are; `beeps`: whether the beep of a mailbox is.
   */
  | {
      type: 'open';
      leg: string;
      call: string;
      port: number;
      sampleRate: PcmRate;
      detect: boolean;
      inband: 'auto' | 'always' | 'never';
      beeps: boolean;
    }
  /** After offer/answer, also for every later one: where to send, what. Playout may begin at once. */
  | { type: 'negotiated'; leg: string; media: NegotiatedMedia }
  /** Speech marks of this leg go to that speech worker from now on, or to none. */
  | { type: 'listen'; leg: string; speech: number | undefined }
  /** A port to a (new) speech worker. */
  | { type: 'speech.port'; speech: number; port: MessagePort }
  /** Reserves the next place in the playout queue; its clip may come later, from main or a speech worker. */
  | { type: 'enqueue'; leg: string; epoch: number; utterance: string }
  | ({ type: 'clip' } & ClipMessage)
  /** The utterance will get no clip: leave its place. */
  | { type: 'skip'; leg: string; epoch: number; utterance: string }
  /** Everything of an earlier epoch is dropped, and what was playing falls silent with the next frame. */
  | { type: 'stop'; leg: string; epoch: number }
  /** Playout level, 1 is full; ducking. Ramped within a frame. */
  | { type: 'gain'; leg: string; gain: number }
  /** What the leg's voice does by itself when its peer speaks over it, from now on; nothing when left out. */
  | { type: 'reflex'; leg: string; reflex: Reflex | undefined }
  /** Playout pauses within a frame; `held` tells where. */
  | { type: 'hold'; leg: string }
  /** It goes on where it paused, or at this sample of the utterance. */
  | { type: 'resume'; leg: string; sample: number | undefined }
  /** Music, ringback...: what sounds besides the utterances; undefined for nothing. */
  | { type: 'sound'; leg: string; sound: BackgroundKind | undefined }
  /** Who hears whom among the legs of this leg's call: see MixMode. */
  | { type: 'mix'; leg: string; mode: MixMode }
  /** The leg's call is recorded from now on: the leg left, what it hears right. */
  | { type: 'record'; leg: string; options: RecordOptions }
  /** Silence in the recording, or sound again. */
  | { type: 'record.pause'; leg: string; on: boolean }
  /** What the leg says is silence for everybody else of the call and in the recording; recognition hears it. */
  | { type: 'mask'; leg: string; on: boolean }
  /** Somebody without a phone listens to the leg's call, or talks in it; again with the same name: talks to others. */
  | { type: 'monitor'; leg: string; options: MonitorOptions }
  /** What they say, at their rate, in pieces of any length. */
  | { type: 'monitor.audio'; leg: string; monitor: string; pcm: Int16Array }
  | { type: 'monitor.end'; leg: string; monitor: string }
  /** Sends keys, with `,` and `w` as pauses; `digits.sent` answers when the last has gone. */
  | { type: 'digits'; leg: string; request: number; digits: string; method: 'rfc4733' | 'inband' }
  | { type: 'close'; leg: string }
  | { type: 'stats'; request: number }
  | { type: 'ping' }
  | { type: 'shutdown' };

/** What a voice does on the first sound over it: it is lowered to `level` (1 is full), or pauses. */
export interface Reflex {
  how: 'duck' | 'pause';
  level: number;
}

/** Where and how a call is recorded. */
export interface RecordOptions {
  /** Of all recordings. */
  folder: string;
  /** Parley's id of the call. */
  call: string;
  format: 'wav' | 'opus';
  /** Of each channel in Opus, bit/s. */
  bitrate: number;
  /** Encrypts it. */
  key?: SealingKey | undefined;
  /** Tells those on the line, again and again, that it is recorded. */
  beep?: RecordingBeepOptions | undefined;
}

/** Somebody who listens to a call, or talks in it, without a phone. */
export interface MonitorOptions {
  monitor: string;
  /** Of what they hear and say, Hz. */
  rate: PcmRate;
  /** Who hears them: nobody, all, or the leg of that name. */
  talksTo: 'none' | 'all' | (string & {});
}

/** A synthesised utterance for the playout queue, from main (cached) or a speech worker (fresh). */
export interface ClipMessage {
  leg: string;
  epoch: number;
  utterance: string;
  /** In shared memory. */
  pcm: Int16Array;
  /** Of the leg. */
  sampleRate: number;
}

/** media worker -> main */
export type FromMedia =
  | { type: 'ready' }
  /** What the first call runs through has been compiled, or a call came before. */
  | { type: 'rehearsed' }
  /** `ring` holds the last seconds of what the caller said, at the leg's rate (see AudioRing). */
  | { type: 'opened'; leg: string; address: string; port: number; ring: SharedArrayBuffer }
  /** `inUse`: the port is another program's; the next one may do. */
  | { type: 'open.failed'; leg: string; inUse: boolean; reason: string }
  | { type: 'rtp.started'; leg: string; at: number }
  /** A window that may be the beginning of an onset, or that it was none; an onset says so itself. */
  | { type: 'stir'; leg: string; at: number; voiced: boolean }
  | ({ type: 'onset' } & SpeechMark)
  | ({ type: 'pause' } & SpeechMark)
  | ({ type: 'offset' } & SpeechMark)
  | { type: 'dtmf'; leg: string; at: number; digit: string; durationMs: number; source: 'rfc4733' | 'inband' }
  /** A steady tone, alone, as a mailbox has it before it records. */
  | { type: 'beep'; leg: string; at: number; durationMs: number }
  /** No RTP in a direction that should have it for so long, or again. */
  | { type: 'silent'; leg: string; direction: 'received' | 'sent'; seconds: number; on: boolean }
  /** ...for so long that something is to be done about the call. */
  | {
      type: 'silence.timeout';
      leg: string;
      direction: 'received' | 'sent';
      seconds: number;
      action: 'none' | 'hangup' | 'fallback';
    }
  /** Now and then, and at the end. `r`, `mos`: by the E-model (ITU-T G.107). */
  | {
      type: 'quality';
      leg: string;
      direction: 'received' | 'sent';
      packets: number;
      lossPercent: number;
      jitterMs: number;
      roundTripMs: number | undefined;
      r: number;
      mos: number;
    }
  /** 20 ms of what somebody without a phone hears; silence while what is said is for nobody else. */
  | { type: 'monitor.frame'; leg: string; monitor: string; pcm: Int16Array }
  /** The recording lacks something, or was given up. */
  | { type: 'recording.failed'; leg: string; code: ErrorCode; reason: string }
  /** Comes before `closed`. */
  | { type: 'recording.finished'; leg: string; file: string | undefined; seconds: number; complete: boolean }
  /** Playout pauses; `sample` of the utterance comes next. */
  | { type: 'held'; leg: string; epoch: number; utterance: string; sample: number }
  /** How many of the keys of a `digits` went out. */
  | { type: 'digits.sent'; leg: string; request: number; sent: number }
  /** First sample of the utterance handed to the socket. */
  | { type: 'utterance.started'; leg: string; epoch: number; utterance: string; at: number }
  /** `played` of `total` samples went out; `stopped` when it was cut or never begun. */
  | {
      type: 'utterance.ended';
      leg: string;
      epoch: number;
      utterance: string;
      at: number;
      played: number;
      total: number;
      stopped: boolean;
    }
  | { type: 'closed'; leg: string; stats: LegStats }
  | { type: 'stats'; request: number; legs: number; ports: number; late: LatenessStats }
  /** `frames`: sent since the start, of all legs; `lateMs`: how late the 20 ms tick came since the last ping, 99 of 100. */
  | { type: 'pong'; legs: number; frames: number; lateMs: number };

/** What a media worker tells about one leg. */
export type LegEvent = Extract<FromMedia, { leg: string }>;

/** Packet counts of a leg, for the journal and leak tests. */
export interface LegStats {
  sent: number;
  received: number;
  lost: number;
  /** Came too late to be heard, or twice. */
  late: number;
  malformed: number;
}

/** How late the 20 ms tick came, ms, since the last report. */
export interface LatenessStats {
  p50: number;
  p99: number;
  max: number;
}

/** The VAD's verdict. `position`: where speech began or where the last voiced sample ended; `at`: when that sample arrived. */
export interface SpeechMark {
  leg: string;
  position: number;
  at: number;
}

/** media worker -> speech worker, over the pair's port */
export type MediaToSpeech =
  | ({ type: 'onset' } & SpeechMark)
  /** The voice has just fallen silent, which may be the offset to come: words up to here can be made ready. */
  | ({ type: 'pause' } & SpeechMark)
  | ({ type: 'offset' } & SpeechMark);

/** speech worker -> media worker, over the pair's port */
export type SpeechToMedia =
  | ({ type: 'clip' } & ClipMessage)
  /** A stop word was heard over the agent's voice: fall silent now; main decides what follows. */
  | { type: 'hush'; leg: string };

/** A ParleyError on its way across threads, which classes don't survive. */
export interface WireError {
  /** A PARLEY_ERR_ code. */
  code: string;
  reason: string;
  details: ErrorDetails;
}

/** What the agent is saying, or said last, while the caller is listened to. */
export interface AgentSpeech {
  text: string;
  /** It is saying it now, and can be interrupted. */
  speaking: boolean;
  /** Words that stop this agent, besides those that stop every agent. */
  stopWords: readonly string[];
}

/** What the turn models say of the caller's words; absent where nothing was judged. */
export interface TurnLikelihood {
  /** P(they are a whole turn). */
  finished?: number | undefined;
  /** P(they take the floor from the agent). */
  real?: number | undefined;
  /** How much less likely a listener's words ("yeah", "uh-huh") are than these, nats; absent when it is much. */
  listening?: number | undefined;
  /** Vectors of the words and of their clauses, for the agent's topics. */
  meanings?: readonly Meaning[] | undefined;
}

/** main -> speech worker */
export type ToSpeech =
  | { type: 'media.port'; media: number; port: MessagePort }
  /**
   * Recognises this leg's ring from `from` on. `resumed`: another worker had the stream and took marks with it, so
   * voice since `from` is looked for again; each offset found is answered with a final. `vocabulary`: what callers
   * of the leg's agent can be expected to say.
   */
  | {
      type: 'stream.open';
      leg: string;
      ring: SharedArrayBuffer;
      sampleRate: number;
      from: number;
      resumed: boolean;
      vocabulary?: Vocabulary | undefined;
    }
  | { type: 'stream.expect'; leg: string; expected: ExpectedAnswer }
  | { type: 'stream.agent'; leg: string; agent: AgentSpeech }
  /** The words up to this position belong to a turn that was taken: the next utterance begins after it. */
  | { type: 'stream.commit'; leg: string; position: number }
  /** Asks for a final up to this position even though the caller may still be speaking (maximum turn length). */
  | { type: 'stream.finalise'; leg: string; position: number }
  | { type: 'stream.close'; leg: string }
  | {
      type: 'synthesise';
      job: string;
      /** After normaliser and dictionary. */
      spoken: string;
      settings: VoiceSettings;
      sampleRate: number;
      /** Where the clip is to be played, sent there directly; absent when it is only prepared. */
      play?: { leg: string; epoch: number; utterance: string; media: number } | undefined;
    }
  | { type: 'cancel'; job: string }
  /** One-off recognition of a whole recording (QA, tests): VAD-free, cut at pauses by the worker when long. */
  | { type: 'transcribe'; job: string; pcm: Int16Array; sampleRate: number; expected?: ExpectedAnswer | undefined }
  /** The topics encoder's vectors of these texts. */
  | { type: 'embed'; job: string; texts: readonly string[] }
  | { type: 'ping'; request: number }
  | { type: 'shutdown' };

/** speech worker -> main */
export type FromSpeech =
  /** Models are loaded and warmed by a run each. */
  | { type: 'ready' }
  /** The worker can't begin. It ends. */
  | ({ type: 'start.failed' } & WireError)
  /** Words so far of the utterance that began at `from`. `paused`: the voice fell silent at `position`. */
  | ({
      type: 'partial';
      leg: string;
      text: string;
      from: number;
      position: number;
      paused: boolean;
    } & TurnLikelihood)
  /**
   * Words of the utterance [from, position): sent by itself at every offset and on `stream.finalise`. An empty text
   * means that the sound was not speech. `ms`: compute time; `position` names the mark it answers.
   */
  | ({
      type: 'final';
      leg: string;
      text: string;
      from: number;
      position: number;
      ms: number;
      logProbability: number;
    } & TurnLikelihood)
  | { type: 'synthesised'; job: string; pcm: Int16Array; sampleRate: number; words: WordTime[] | undefined; ms: number }
  | { type: 'transcribed'; job: string; text: string }
  | { type: 'embedded'; job: string; vectors: Float32Array[] }
  /** A job that could not be done. */
  | ({ type: 'failed'; job: string } & WireError)
  | { type: 'stream.failed'; leg: string; code: string; reason: string }
  /** `backlog`: work waiting; `busyMs`: how long the work under way has been running. */
  | { type: 'pong'; request: number; backlog: number; busyMs: number };
