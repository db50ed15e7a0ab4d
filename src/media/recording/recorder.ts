import { rename } from 'node:fs/promises';
import { basename } from 'node:path';
import { type OpusLibrary, opusLibrary } from '../../audio/opus.js';
import { type ErrorCode, ParleyError, reasonOf } from '../../errors.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import type { SealingKey } from '../../store/sealing/keyring.js';
import { BlockWriter, type CreateFile, createFile } from './block-writer.js';
import { PART, type Place, type RecordingFormat, type RecordingInfo, reserve, writeInfo } from './layout.js';
import { OPUS_BLOCK_BYTES, OpusTrack } from './opus-track.js';
import { SEALED, SealedFile } from './sealed-file.js';
import type { Track } from './track.js';
import { WavTrack, wavBlockBytes, wavHeads } from './wav-track.js';

/** What a recording is made of. */
export interface RecorderOptions {
  /** Of all recordings. */
  folder: string;
  /** Parley's id of the call. */
  call: string;
  /** Of all frames, Hz. */
  rate: PcmRate;
  /** Where Opus cannot be used, WAV is written and that is reported. */
  format: RecordingFormat;
  /** Of each channel in Opus, bit/s; default 24000. */
  bitrate?: number;
  /** Encrypts the sound. */
  key?: SealingKey | undefined;
  /** Wall clock of the first frame, ms since 1970. */
  startedAt: number;
  /** Told what is wrong with the recording, each thing once; the call goes on. Must not throw. */
  failed: (error: ParleyError) => void;
  /** Replaceable for tests. */
  createFile?: CreateFile;
  opus?: OpusLibrary;
}

/** What has become of a recording. */
export interface RecordingSummary {
  /** Path of the sound file; undefined when there is none. */
  path: string | undefined;
  info: RecordingInfo;
}

/**
 * Records one call: the caller left, whom the caller hears right, both frame by frame on the same clock. It is written to
 * disk as the call goes, never waited for, so that a crash loses less than a second; what cannot be written is missing in the
 * recording, and the recording is then marked as not complete.
 */
export class Recorder {
  private readonly info: RecordingInfo;
  private readonly writer: BlockWriter;
  private readonly track: Track;
  private readonly left: Int16Array;
  private readonly right: Int16Array;
  private readonly none: Int16Array;
  private readonly create: CreateFile;
  private place: Place | undefined;
  private frames = 0;
  private paused = false;
  private masked = false;
  private closing: Promise<RecordingSummary> | undefined;
  private saving: Promise<void> = Promise.resolve();
  private readonly reported = new Set<ErrorCode>();

  constructor(private readonly options: RecorderOptions) {
    const { call, rate, startedAt } = options;
    const library = options.opus ?? opusLibrary;
    const format = this.usable(options.format, library);
    const { key } = options;
    this.create = options.createFile ?? (key ? (path) => SealedFile.create(path, key) : createFile);
    this.info = {
      call,
      file: '',
      format,
      startedAt: new Date(startedAt).toISOString(),
      rate,
      channels: ['caller', 'agent'],
      seconds: 0,
      silences: [],
      complete: false,
    };
    this.left = new Int16Array(rate / 50);
    this.right = new Int16Array(rate / 50);
    this.none = new Int16Array(rate / 50);
    this.writer = new BlockWriter(
      format === 'wav' ? wavBlockBytes(rate) : OPUS_BLOCK_BYTES,
      () => this.begin(),
      format === 'wav' ? wavHeads(rate) : () => undefined,
      (error) => this.report('PARLEY_ERR_RECORDING_WRITE', reasonOf(error)),
      () => this.report('PARLEY_ERR_RECORDING_SLOW', 'the disk did not keep up'),
    );
    this.track =
      format === 'wav'
        ? new WavTrack(rate, this.writer)
        : new OpusTrack(library, rate, options.bitrate ?? 24_000, this.writer);
  }

  /** Takes 20 ms of both channels; a frame of another length is cut, or filled up with silence. */
  frame(left: Int16Array, right: Int16Array): void {
    if (this.closing) return;
    this.frames++;
    if (this.silent) this.track.frame(this.none, this.none);
    else this.track.frame(fitted(left, this.left), fitted(right, this.right));
  }

  /** Whether there is silence in place of what is said. */
  get silent(): boolean {
    return this.paused || this.masked;
  }

  /** After a stall: so many frames are missing, and are silence. */
  gap(frames: number): void {
    if (this.closing || frames <= 0) return;
    this.frames += frames;
    this.track.gap(frames);
  }

  /** Silence from now on in place of what is said; time goes on. */
  pause(): void {
    if (!this.paused) this.silence('paused');
    this.paused = true;
  }

  resume(): void {
    if (this.paused) this.sound('paused');
    this.paused = false;
  }

  /** Silence in place of sensitive data, on both channels, since the agent may repeat it; apart from {@link pause}. */
  mask(on: boolean): void {
    if (on !== this.masked) on ? this.silence('masked') : this.sound('masked');
    this.masked = on;
  }

  /** Writes what is left and gives the file its name. Resolves when that is done, also after a failure. */
  close(): Promise<RecordingSummary> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private get seconds(): number {
    return this.frames / 50;
  }

  private usable(format: RecordingFormat, library: OpusLibrary): RecordingFormat {
    const problem = format === 'opus' ? library.problem : undefined;
    if (problem === undefined) return format;
    this.report('PARLEY_ERR_RECORDING_OPUS', problem);
    return 'wav';
  }

  private async begin(): ReturnType<CreateFile> {
    this.place = await reserve(this.options.folder, this.info, this.options.key && SEALED);
    this.info.file = basename(this.place.sound);
    this.save();
    await this.saving;
    return this.create(this.place.sound + PART);
  }

  private silence(reason: 'paused' | 'masked'): void {
    this.info.silences.push({ reason, from: this.seconds });
    this.save();
  }

  private sound(reason: 'paused' | 'masked'): void {
    const open = this.info.silences.find((silence) => silence.reason === reason && silence.to === undefined);
    if (open) open.to = this.seconds;
    this.save();
  }

  /** The sidecar tells of silences while they last: after a crash it is all that does. */
  private save(): void {
    this.saving = this.saving.then(() => this.saveNow());
  }

  private async saveNow(): Promise<void> {
    if (!this.place) return;
    try {
      await writeInfo(this.place.sidecar, this.info);
    } catch (error) {
      this.report('PARLEY_ERR_RECORDING_WRITE', reasonOf(error));
    }
  }

  private async finish(): Promise<RecordingSummary> {
    const { writer, info, track } = this;
    for (const silence of info.silences) silence.to ??= this.seconds;
    const written = await writer.finish(track.end());
    info.seconds = writer.dead ? writer.frames / 50 : this.seconds;
    const path = written > 0 ? await this.giveName() : undefined;
    info.complete = path !== undefined && !writer.dead && !writer.behind;
    this.save();
    await this.saving;
    return { path, info };
  }

  private async giveName(): Promise<string | undefined> {
    if (!this.place) return undefined;
    const { sound } = this.place;
    try {
      await rename(sound + PART, sound);
      return sound;
    } catch (error) {
      this.report('PARLEY_ERR_RECORDING_WRITE', reasonOf(error));
      return undefined;
    }
  }

  private report(code: ErrorCode, reason: string): void {
    if (this.reported.has(code)) return;
    this.reported.add(code);
    const { call, folder } = this.options;
    this.options.failed(new ParleyError(code, { call, file: this.place?.sound ?? folder, reason }));
  }
}

function fitted(frame: Int16Array, own: Int16Array): Int16Array {
  if (frame.length === own.length) return frame;
  for (let n = 0; n < own.length; n++) own[n] = frame[n] ?? 0;
  return own;
}
