import type { ParleyError } from '../../errors.js';
import { Mixer } from '../../media/mixing/mixer.js';
import type { MixMode } from '../../media/mixing/routing.js';
import { Recorder } from '../../media/recording/recorder.js';
import { RecordingBeep } from '../../media/recording/recording-beep.js';
import type { Logger } from '../../telemetry/log.js';
import type { FromMedia, MonitorOptions, RecordOptions } from '../messages.js';
import type { RtpLeg } from './media-leg.js';
import { Monitors } from './media-monitors.js';

/** Names of the recording's ears in the mixer, and of its beep. */
const CALLER_EAR = 'recording/caller';
const AGENT_EAR = 'recording/agent';
const BEEP = 'recording/beep';

interface Recording {
  readonly recorder: Recorder;
  readonly leg: string;
  readonly left: Int16Array;
  readonly right: Int16Array;
  readonly beep: RecordingBeep | undefined;
}

/**
 * The legs of one call in a media worker. While there is one leg and nothing else to hear it, the leg works alone; with
 * others, or a recording, everybody's frames go through a mixer on the worker's clock.
 */
export class MediaRoom {
  private readonly legs: RtpLeg[] = [];
  private mixer: Mixer | undefined;
  private recording: Recording | undefined;
  private monitors: Monitors | undefined;
  /** What is said is for nobody besides those who talk. */
  private masked = false;
  private lastFrame = -1;

  constructor(
    private readonly log: Logger,
    private readonly post: (event: FromMedia) => void,
  ) {}

  get empty(): boolean {
    return this.legs.length === 0;
  }

  add(leg: RtpLeg): void {
    this.legs.push(leg);
    if (this.mixer) this.join(leg, this.mixer);
    this.monitors?.refresh(this.ids, this.voices);
  }

  /** Resolves when a recording that is of this leg is complete on disk. */
  async remove(leg: RtpLeg): Promise<void> {
    this.legs.splice(this.legs.indexOf(leg), 1);
    this.mixer?.leave(leg.leg);
    this.mixer?.leave(leg.agent);
    this.monitors?.refresh(this.ids, this.voices);
    if (this.recording && (this.recording.leg === leg.leg || this.empty)) await this.stopRecording();
  }

  /** Who hears whom from now on. */
  mix(mode: MixMode): void {
    this.mixing().mode(mode);
  }

  /** What this leg says is silence for everybody else, and for the recording; recognition still hears it. */
  mask(leg: string, on: boolean): void {
    this.masked = on;
    this.mixer?.mask(leg, on);
    this.recording?.recorder.mask(on);
  }

  /** Somebody without a phone listens from now on, or talks to other legs. */
  monitor(leg: string, options: MonitorOptions): void {
    this.monitors ??= new Monitors(this.mixing(), this.post);
    this.monitors.set(leg, options, this.ids, this.voices);
  }

  monitorAudio(name: string, pcm: Int16Array): void {
    this.monitors?.audio(name, pcm);
  }

  monitorEnd(name: string): void {
    this.monitors?.remove(name, this.ids, this.voices);
  }

  /** Records the call from now on: this leg left, what it hears right. */
  record(leg: RtpLeg, { folder, call, format, bitrate, key, beep: tone }: RecordOptions): void {
    if (this.recording) return;
    const rate = leg.sampleRate;
    const mixer = this.mixing();
    mixer.join(CALLER_EAR, { rate, speaks: false });
    mixer.join(AGENT_EAR, { rate, speaks: false });
    mixer.mode({ mode: 'listen', who: CALLER_EAR, only: [leg.leg] });
    this.recordOthers(mixer, leg.leg);
    const failed = (error: ParleyError) =>
      this.post({ type: 'recording.failed', leg: leg.leg, code: error.code, reason: error.message });
    const recorder = new Recorder({ folder, call, rate, format, bitrate, key, startedAt: Date.now(), failed });
    const [left, right] = [new Int16Array(rate / 50), new Int16Array(rate / 50)];
    const beep = tone && new RecordingBeep(tone, rate);
    if (beep) mixer.join(BEEP, { rate, hears: false });
    this.recording = { recorder, leg: leg.leg, left, right, beep };
  }

  /** Silence in the recording, or sound again. */
  pauseRecording(on: boolean): void {
    if (on) this.recording?.recorder.pause();
    else this.recording?.recorder.resume();
  }

  /** The 20 ms tick. @param frame its number; missing numbers are frames left out after a stall */
  tick(frame: number, now: number): void {
    const frames = this.lastFrame < 0 ? 1 : frame - this.lastFrame;
    this.lastFrame = frame;
    for (let n = 0; n < this.legs.length; n++) this.legs[n]!.hear(now);
    if (this.mixer) this.exchange(this.mixer, frames, now);
    for (let n = 0; n < this.legs.length; n++) this.legs[n]!.speak(frames, now);
  }

  /** Everybody offers a frame, and gets what the others said. */
  private exchange(mixer: Mixer, frames: number, now: number): void {
    for (let n = 0; n < this.legs.length; n++) {
      const leg = this.legs[n]!;
      mixer.offer(leg.leg, leg.received(now));
      mixer.offer(leg.agent, leg.rendered());
    }
    this.monitors?.offer();
    if (this.recording?.beep) this.beep(mixer, this.recording, this.recording.beep, frames);
    mixer.run();
    this.monitors?.deliver(this.masked);
    for (let n = 0; n < this.legs.length; n++) {
      const leg = this.legs[n]!;
      if (mixer.take(leg.leg, leg.mixed) > 0) leg.takeMixed();
    }
    const { recording } = this;
    if (!recording) return;
    if (frames > 1) recording.recorder.gap(frames - 1);
    mixer.take(CALLER_EAR, recording.left);
    mixer.take(AGENT_EAR, recording.right);
    recording.recorder.frame(recording.left, recording.right);
  }

  /** Part of what those hear who are recorded, and of the recording; it comes from nobody who is listened to. */
  private beep(mixer: Mixer, { leg: recorded, recorder }: Recording, beep: RecordingBeep, frames: number): void {
    if (beep.begins(frames, !recorder.silent)) {
      const to = this.ids.filter((id) =>
        id === recorded ? beep.to !== 'people' : beep.to !== 'caller' && mixer.hears(AGENT_EAR, id),
      );
      mixer.mode({ mode: 'play', from: BEEP, to });
    }
    const frame = beep.next();
    if (frame) mixer.offer(BEEP, frame);
  }

  private get ids(): string[] {
    return this.legs.map(({ leg }) => leg);
  }

  /** All that is said in the room: by those on the phone, and by the agent to them. */
  private get voices(): string[] {
    return this.legs.flatMap(({ leg, agent }) => [leg, agent]);
  }

  private mixing(): Mixer {
    if (this.mixer) return this.mixer;
    const mixer = new Mixer((id, error) => this.log.error({ err: error, tap: id }, 'a tap threw'));
    this.mixer = mixer;
    for (const leg of this.legs) this.join(leg, mixer);
    return mixer;
  }

  /** What the recorded leg hears: not what the agent says to other legs, a person's briefing for instance. */
  private recordOthers(mixer: Mixer, recorded: string): void {
    const elsewhere = this.legs.filter(({ leg }) => leg !== recorded).map(({ agent }) => agent);
    mixer.mode({ mode: 'listen', who: AGENT_EAR, except: [recorded, ...elsewhere] });
  }

  private join(leg: RtpLeg, mixer: Mixer): void {
    leg.enterMix();
    mixer.join(leg.leg, { rate: leg.sampleRate });
    mixer.join(leg.agent, { rate: leg.sampleRate, hears: false });
    mixer.mode({ mode: 'play', from: leg.agent, to: [leg.leg] });
    if (this.recording) this.recordOthers(mixer, this.recording.leg);
  }

  private async stopRecording(): Promise<void> {
    const { recording } = this;
    if (!recording) return;
    this.recording = undefined;
    this.mixer?.leave(CALLER_EAR);
    this.mixer?.leave(AGENT_EAR);
    this.mixer?.leave(BEEP);
    const { path: file, info } = await recording.recorder.close();
    const { seconds, complete } = info;
    this.post({ type: 'recording.finished', leg: recording.leg, file, seconds, complete });
  }
}
