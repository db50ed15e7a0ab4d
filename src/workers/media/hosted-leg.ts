import type { BackgroundKind } from '../../media/background.js';
import type { MixMode } from '../../media/mixing/routing.js';
import type { NegotiatedMedia, PcmRate } from '../../rtp/negotiated.js';
import type {
  ClipMessage,
  FromMedia,
  LegEvent,
  LegStats,
  MonitorOptions,
  RecordOptions,
  Reflex,
  ToMedia,
} from '../messages.js';

/** One RTP port and what it plays and hears. */
export interface MediaLeg {
  readonly leg: string;
  /** Legs of one call can be mixed. */
  readonly call: string;
  /** Index of its worker. */
  readonly worker: number;
  /** Where the peer is to send, for SDP. */
  readonly address: string;
  readonly port: number;
  /** The last 16 s of what the peer said: see AudioRing. */
  readonly ring: SharedArrayBuffer;
  /** Hz, of `ring` and of clips. */
  readonly sampleRate: PcmRate;
  /** After offer/answer, also for every later one. */
  negotiated(media: NegotiatedMedia): void;
  /** This speech worker hears the leg's onsets and offsets from now on, or none does. */
  listen(speech: number | undefined): void;
  enqueue(epoch: number, utterance: string): void;
  clip(message: ClipMessage): void;
  skip(epoch: number, utterance: string): void;
  stop(epoch: number): void;
  /** 1 is full. */
  gain(level: number): void;
  /** What the voice does by itself when the peer speaks over it; nothing when left out. */
  reflex(reflex?: Reflex): void;
  /** Pauses playout within a frame; the listener is told `held`. */
  hold(): void;
  /** Goes on where it paused, or at this sample of the utterance. */
  resume(sample?: number): void;
  /** Sounds besides the utterances, until another or none. */
  sound(kind: BackgroundKind | undefined): void;
  /** Who hears whom among the legs of this leg's call. */
  mix(mode: MixMode): void;
  /** Records the call from now on: this leg left, what it hears right. The listener is told how it ended. */
  record(options: RecordOptions): void;
  /** Silence in the recording, or sound again. */
  pauseRecording(on: boolean): void;
  /** What the leg says is silence for the rest of the call and in the recording; recognition hears it. */
  maskRecording(on: boolean): void;
  /** Somebody without a phone listens to the leg's call, or talks in it: the listener is told `monitor.frame`. */
  monitor(options: MonitorOptions): void;
  /** What they say, at their rate. */
  monitorAudio(monitor: string, pcm: Int16Array): void;
  monitorEnd(monitor: string): void;
  /**
   * Sends keys, with `,` (1 s) and `w` (500 ms) as pauses. Resolves with how many went out when the last has, or the leg is closed.
   */
  digits(digits: string, method: 'rfc4733' | 'inband'): Promise<number>;
  /** Resolves when the port is free again. A second call gives the same result. */
  close(): Promise<LegStats>;
}

/** What a leg was told that holds until it is told otherwise. */
interface Standing {
  sound?: BackgroundKind | undefined;
  masked?: boolean;
  recorded?: RecordOptions;
  paused?: boolean;
}

type Opened = Extract<FromMedia, { type: 'opened' }>;
type OpenFailed = Extract<FromMedia, { type: 'open.failed' }>;

/** A leg as its worker's messages: the main thread's end of it. */
export class HostedLeg implements MediaLeg {
  readonly leg: string;
  readonly call: string;
  readonly worker: number;
  readonly port: number;
  readonly sampleRate: PcmRate;
  address = '';
  ring = new SharedArrayBuffer(0);
  private readonly standing: Standing = {};
  /** Keys that are being sent, by request. */
  private readonly keys = new Map<number, (sent: number) => void>();
  private lastRequest = 0;
  private opened: (answer: Opened | OpenFailed | undefined) => void = () => undefined;
  private closed: (stats: LegStats) => void = () => undefined;
  private readonly whenClosed = new Promise<LegStats>((resolve) => {
    this.closed = resolve;
  });
  private isGone = false;
  private isClosing = false;

  constructor(
    private readonly request: Extract<ToMedia, { type: 'open' }>,
    private readonly thread: { readonly worker: number; post(message: ToMedia): void },
    private readonly listener: (event: LegEvent) => void,
  ) {
    this.worker = thread.worker;
    this.leg = request.leg;
    this.call = request.call;
    this.port = request.port;
    this.sampleRate = request.sampleRate;
  }

  /** Has its worker bind the port. Undefined when that was lost meanwhile. */
  async open(): Promise<Opened | OpenFailed | undefined> {
    const answer = await new Promise<Opened | OpenFailed | undefined>((resolve) => {
      this.opened = resolve;
      this.post(this.request);
    });
    if (answer?.type === 'opened') {
      this.address = answer.address;
      this.ring = answer.ring;
    }
    return answer;
  }

  /** What the worker says. Throws what the listener throws. */
  heard(event: LegEvent): void {
    if (event.type === 'opened' || event.type === 'open.failed') this.opened(event);
    else if (event.type === 'digits.sent') {
      this.keys.get(event.request)?.(event.sent);
      this.keys.delete(event.request);
    } else this.listener(event);
  }

  /** Its worker has it no more. */
  gone(stats: LegStats): void {
    this.isGone = true;
    this.opened(undefined);
    for (const sent of this.keys.values()) sent(0);
    this.closed(stats);
  }

  /** It is told what still held for the leg whose place it takes. */
  goOnFrom({ standing: { sound, masked, recorded, paused } }: HostedLeg): void {
    if (sound) this.sound(sound);
    if (masked) this.maskRecording(true);
    if (recorded) this.record(recorded);
    if (paused) this.pauseRecording(true);
  }

  negotiated(media: NegotiatedMedia): void {
    this.post({ type: 'negotiated', leg: this.leg, media });
  }

  listen(speech: number | undefined): void {
    this.post({ type: 'listen', leg: this.leg, speech });
  }

  enqueue(epoch: number, utterance: string): void {
    this.post({ type: 'enqueue', leg: this.leg, epoch, utterance });
  }

  clip(message: ClipMessage): void {
    this.post({ type: 'clip', ...message });
  }

  skip(epoch: number, utterance: string): void {
    this.post({ type: 'skip', leg: this.leg, epoch, utterance });
  }

  stop(epoch: number): void {
    this.post({ type: 'stop', leg: this.leg, epoch });
  }

  gain(gain: number): void {
    this.post({ type: 'gain', leg: this.leg, gain });
  }

  reflex(reflex?: Reflex): void {
    this.post({ type: 'reflex', leg: this.leg, reflex });
  }

  hold(): void {
    this.post({ type: 'hold', leg: this.leg });
  }

  resume(sample?: number): void {
    this.post({ type: 'resume', leg: this.leg, sample });
  }

  sound(sound: BackgroundKind | undefined): void {
    this.standing.sound = sound;
    this.post({ type: 'sound', leg: this.leg, sound });
  }

  mix(mode: MixMode): void {
    this.post({ type: 'mix', leg: this.leg, mode });
  }

  record(options: RecordOptions): void {
    this.standing.recorded = options;
    this.post({ type: 'record', leg: this.leg, options });
  }

  pauseRecording(on: boolean): void {
    this.standing.paused = on;
    this.post({ type: 'record.pause', leg: this.leg, on });
  }

  maskRecording(on: boolean): void {
    this.standing.masked = on;
    this.post({ type: 'mask', leg: this.leg, on });
  }

  monitor(options: MonitorOptions): void {
    this.post({ type: 'monitor', leg: this.leg, options });
  }

  monitorAudio(monitor: string, pcm: Int16Array): void {
    this.post({ type: 'monitor.audio', leg: this.leg, monitor, pcm });
  }

  monitorEnd(monitor: string): void {
    this.post({ type: 'monitor.end', leg: this.leg, monitor });
  }

  digits(digits: string, method: 'rfc4733' | 'inband'): Promise<number> {
    if (this.isGone) return Promise.resolve(0);
    const request = ++this.lastRequest;
    this.post({ type: 'digits', leg: this.leg, request, digits, method });
    return new Promise((resolve) => this.keys.set(request, resolve));
  }

  close(): Promise<LegStats> {
    if (!this.isClosing) this.post({ type: 'close', leg: this.leg });
    this.isClosing = true;
    return this.whenClosed;
  }

  private post(message: ToMedia): void {
    // Its name may be another leg's by now.
    if (!this.isGone) this.thread.post(message);
  }
}
