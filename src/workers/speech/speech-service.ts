import type { MessagePort } from 'node:worker_threads';
import { resample } from '../../audio/resample.js';
import { AudioRing } from '../../audio/ring.js';
import { monotonicMs } from '../../telemetry/clock.js';
import { type Logger, ofLeg } from '../../telemetry/log.js';
import type { FromSpeech, MediaToSpeech, SpeechToMedia, ToSpeech } from '../messages.js';
import type { SpeechEngines } from './speech-engines.js';
import { wireError } from './speech-errors.js';
import { StreamListener } from './speech-listener.js';
import { Scheduler } from './speech-scheduler.js';
import { transcribe } from './speech-transcribe.js';

/** How often streams are asked whether a partial is due, ms. */
const POLL_MS = 40;
/** Marks kept for legs whose `stream.open` has not come yet: main and media send over different ports. */
const EARLY_MARKS = 64;

type Synthesise = Extract<ToSpeech, { type: 'synthesise' }>;
type Transcribe = Extract<ToSpeech, { type: 'transcribe' }>;
type Embed = Extract<ToSpeech, { type: 'embed' }>;
type StreamOpen = Extract<ToSpeech, { type: 'stream.open' }>;

/** What a speech worker does, without its thread: streams, synthesis, recordings, one piece of work at a time. */
export class SpeechService {
  private readonly scheduler: Scheduler;
  private readonly streams = new Map<string, StreamListener>();
  private readonly media = new Map<number, MessagePort>();
  private readonly cancelled = new Set<string>();
  private readonly jobs = new Set<string>();
  private early: MediaToSpeech[] = [];
  /** Streams whose lost marks are being looked for: new ones wait until then. */
  private readonly resuming = new Set<string>();
  private readonly poll: NodeJS.Timeout;

  constructor(
    private readonly engines: Pick<SpeechEngines, 'recogniser' | 'turns' | 'speech' | 'synthesiser' | 'close'> & {
      topics: Pick<SpeechEngines['topics'], 'embed'>;
    },
    private readonly log: Logger,
    private readonly post: (event: FromSpeech) => void,
  ) {
    this.scheduler = new Scheduler(monotonicMs, (error) => this.log.error({ err: error }, 'speech work failed'));
    this.poll = setInterval(() => {
      for (const stream of this.streams.values()) stream.poll();
    }, POLL_MS);
  }

  /** Does what main asks for. `shutdown` is the thread's own matter: see {@link close}. */
  handle(message: Exclude<ToSpeech, { type: 'shutdown' }>): void {
    switch (message.type) {
      case 'media.port':
        return this.connect(message.media, message.port);
      case 'stream.open':
        return this.open(message);
      case 'stream.expect':
        return this.streams.get(message.leg)?.expect(message.expected);
      case 'stream.agent':
        return this.streams.get(message.leg)?.agentSays(message.agent);
      case 'stream.commit':
        return this.streams.get(message.leg)?.commit(message.position);
      case 'stream.finalise':
        return this.streams.get(message.leg)?.finalise(message.position);
      case 'stream.close':
        return this.closeStream(message.leg);
      case 'synthesise':
        return this.submit(message.job, message.play ? 'play' : 'prepare', () => this.synthesise(message));
      case 'transcribe':
        return this.transcribe(message);
      case 'embed':
        return this.submit(message.job, 'prepare', () => this.embed(message));
      case 'cancel':
        return this.cancel(message.job);
      case 'ping': {
        const { backlog, busyMs } = this.scheduler;
        return this.post({ type: 'pong', request: message.request, backlog, busyMs });
      }
    }
  }

  /** Ends what runs, drops what waits, and frees the models. */
  async close(): Promise<void> {
    clearInterval(this.poll);
    for (const leg of [...this.streams.keys()]) this.closeStream(leg);
    for (const job of [...this.jobs]) this.cancel(job);
    for (const port of this.media.values()) port.close();
    await this.scheduler.idle();
    await this.engines.close();
  }

  private connect(media: number, port: MessagePort): void {
    this.media.get(media)?.close();
    this.media.set(media, port);
    port.on('message', (mark: MediaToSpeech) => this.mark(mark, port));
  }

  private mark(mark: MediaToSpeech, port?: MessagePort): void {
    const stream = this.streams.get(mark.leg);
    if (!stream || this.resuming.has(mark.leg)) this.early = [...this.early, mark].slice(-EARLY_MARKS);
    else if (mark.type === 'onset')
      stream.onset(mark.position, () => port?.postMessage({ type: 'hush', leg: mark.leg } satisfies SpeechToMedia));
    else if (mark.type === 'pause') stream.pause(mark.position);
    else stream.offset(mark.position);
  }

  private open({ leg, ring, sampleRate, from, resumed, vocabulary }: StreamOpen): void {
    const stream = new StreamListener({
      leg,
      ring: new AudioRing(ring),
      sampleRate,
      from,
      recogniser: this.engines.recogniser,
      vocabulary,
      turns: this.engines.turns,
      scheduler: this.scheduler,
      emit: (event) => this.post(event),
      warn: (error) => this.log.warn({ err: error, ...ofLeg(leg) }, 'a partial could not be recognised'),
      now: monotonicMs,
    });
    this.streams.get(leg)?.close();
    this.streams.set(leg, stream);
    if (resumed) this.resume(leg, stream, new AudioRing(ring), sampleRate, from);
    else this.markEarly(leg, from);
  }

  /** Marks that came before their stream was ready for them; what lies before its beginning is not for it. */
  private markEarly(leg: string, from = 0): void {
    const early = this.early.filter((mark) => mark.leg === leg && mark.position >= from);
    this.early = this.early.filter((mark) => mark.leg !== leg);
    for (const mark of early) this.mark(mark);
  }

  /** Finds the marks that went to the worker before. As urgent as a final, since a turn may wait for one of them. */
  private resume(leg: string, stream: StreamListener, ring: AudioRing, sampleRate: number, from: number): void {
    const { from: at, pcm } = ring.read(from, ring.end);
    const run = async () => {
      const found = await this.engines.speech(pcm, sampleRate).catch((error: unknown) => {
        this.log.warn({ err: error, ...ofLeg(leg) }, 'marks of a stream taken over could not be found again');
        return [];
      });
      if (this.streams.get(leg) !== stream) return;
      for (const { start, end } of found) {
        stream.onset(at + start);
        if (end !== undefined) stream.offset(at + end);
      }
      this.resuming.delete(leg);
      this.markEarly(leg);
    };
    this.resuming.add(leg);
    this.scheduler.submit({ kind: 'final', key: `resume ${leg}`, run });
  }

  private closeStream(leg: string): void {
    this.streams.get(leg)?.close();
    this.streams.delete(leg);
    this.resuming.delete(leg);
    this.early = this.early.filter((mark) => mark.leg !== leg);
  }

  private submit(job: string, kind: 'play' | 'prepare' | 'transcribe', work: () => Promise<void>): void {
    this.jobs.add(job);
    const run = async () => {
      try {
        await work();
      } catch (error) {
        this.failed(job, error);
      }
    };
    this.scheduler.submit({ kind, key: job, run });
  }

  private async synthesise({ job, spoken, settings, sampleRate, play }: Synthesise): Promise<void> {
    const begun = monotonicMs();
    const engine = await this.engines.synthesiser(settings.engine);
    const speech = await engine.synthesise(spoken, settings);
    if (this.cancelled.has(job)) return this.settle(job);
    const pcm = shared(resample(speech.pcm, speech.sampleRate, sampleRate));
    if (play) {
      const { media, ...place } = play;
      const clip: SpeechToMedia = { type: 'clip', ...place, pcm, sampleRate };
      this.media.get(media)?.postMessage(clip);
    }
    const scale = sampleRate / speech.sampleRate;
    const words = speech.words?.map(({ word, start, end }) => ({
      word,
      start: Math.round(start * scale),
      end: Math.round(end * scale),
    }));
    this.settle(job);
    this.post({ type: 'synthesised', job, pcm, sampleRate, words, ms: monotonicMs() - begun });
  }

  private async embed({ job, texts }: Embed): Promise<void> {
    const vectors = await this.engines.topics.embed(texts);
    this.settle(job);
    this.post({ type: 'embedded', job, vectors });
  }

  /** Segment by segment, each a piece of work of its own, so that finals need not wait for a whole recording. */
  private transcribe({ job, pcm, sampleRate, expected }: Transcribe): void {
    const steps = transcribe(this.engines, pcm, sampleRate, expected);
    const step = async () => {
      const { value: text, done } = await steps.next();
      if (this.cancelled.has(job)) return this.settle(job);
      if (!done) return this.submit(job, 'transcribe', step);
      this.settle(job);
      this.post({ type: 'transcribed', job, text });
    };
    this.submit(job, 'transcribe', step);
  }

  private cancel(job: string): void {
    if (!this.jobs.has(job)) return;
    this.cancelled.add(job);
    this.scheduler.cancel(job);
    if (!this.scheduler.runs(job)) this.settle(job);
  }

  private settle(job: string): void {
    this.jobs.delete(job);
    this.cancelled.delete(job);
  }

  private failed(job: string, error: unknown): void {
    this.settle(job);
    this.log.warn({ err: error, job }, 'a speech job failed');
    this.post({ type: 'failed', job, ...wireError(error) });
  }
}

/** The samples in shared memory, which crosses threads without a copy. */
function shared(pcm: Int16Array): Int16Array {
  const copy = new Int16Array(new SharedArrayBuffer(pcm.byteLength));
  copy.set(pcm);
  return copy;
}
