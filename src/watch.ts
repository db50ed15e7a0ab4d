import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Admission } from './calls/admission.js';
import { ParleyError } from './errors.js';
import type { JournalBook } from './journal/journal.js';
import type { UserAgent } from './sip/user-agent.js';
import type { Store } from './store/store.js';
import type { Alarms } from './telemetry/alarms.js';
import { monotonicMs } from './telemetry/clock.js';
import type { MediaHost } from './workers/media/media-host.js';
import type { SpeechHost } from './workers/speech/speech-host.js';

/** What is watched. */
interface WatchedServer {
  media: MediaHost;
  speech: SpeechHost;
  sip: UserAgent;
  store: Store;
  journals: JournalBook;
  admission: Admission;
  alarms: Alarms;
  /** As configured. */
  workers: { media: number; speech: number };
}

/** Load is measured so often, ms. */
const SAMPLE_MS = 500;
/** The store is asked so often, ms. */
const STORE_MS = 5000;
const RESOLUTION_MS = 10;
/** A part that has been missing for so long will not come back by itself, ms: the process is better started anew. */
const GONE_MS = 60_000;
/** A recording that failed is an alarm for so long, or until another is complete, ms. */
const RECORDING_MS = 600_000;

/** Measures load, raises alarms, and says whether the process is of use at all. */
export class Watch {
  private readonly loop: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly missing = new Map<string, number>();
  private readonly stopListening: () => void;

  constructor(private readonly watched: WatchedServer) {
    this.loop.enable();
    this.timers.push(setInterval(() => this.sample(), SAMPLE_MS));
    this.timers.push(setInterval(() => void this.askStore(), STORE_MS));
    for (const timer of this.timers) timer.unref();
    this.stopListening = watched.journals.onEvent((event) => {
      if (event.type === 'error' && event.code.startsWith('PARLEY_ERR_RECORDING_')) {
        watched.alarms.raise(new ParleyError(event.code, { call: event.call, reason: event.message }), RECORDING_MS);
      } else if (event.type === 'recording.finished' && event.complete) {
        watched.alarms.clear('PARLEY_ERR_RECORDING_WRITE');
        watched.alarms.clear('PARLEY_ERR_RECORDING_SLOW');
      }
    });
  }

  /** Why the process is of no use any more; undefined while it is. */
  get unhealthy(): string | undefined {
    const now = monotonicMs();
    for (const [what, since] of this.missing) if (now - since > GONE_MS) return `${what} for ${GONE_MS / 1000} s`;
    return undefined;
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.loop.disable();
    this.stopListening();
  }

  private sample(): void {
    const { media, speech, sip, admission, alarms, workers } = this.watched;
    const { workers: speaking, backlog } = speech.stats();
    // The longest: whoever waits for the loop while it stands still is one sample, and those after them are many.
    const loopMs = Math.max(0, this.loop.max / 1e6 - RESOLUTION_MS);
    this.loop.reset();
    admission.sample({ loopMs, mediaMs: media.lateMs, speech: backlog / workers.speech });
    const { overload } = admission;
    alarms.set('PARLEY_ERR_OVERLOAD', overload && OVERLOADS[overload]);
    const gone = workers.media - media.workersReady;
    alarms.set('PARLEY_ERR_MEDIA_LOST', gone > 0 ? `${gone} of ${workers.media} are being replaced` : undefined);
    const silent = workers.speech - speaking;
    alarms.set(
      'PARLEY_ERR_SPEECH_WORKER',
      silent > 0 ? `${silent} of ${workers.speech} are being replaced` : undefined,
    );
    alarms.set('PARLEY_ERR_SIP_LOST', sip.up ? undefined : 'the connection is being set up again');
    this.note('no media worker is ready', media.workersReady === 0);
    this.note('no speech worker is ready', speaking === 0);
    this.note('the SIP edge is down', sip.embedded && !sip.up);
  }

  private note(what: string, missing: boolean): void {
    if (!missing) this.missing.delete(what);
    else if (!this.missing.has(what)) this.missing.set(what, monotonicMs());
  }

  private async askStore(): Promise<void> {
    const { store, alarms } = this.watched;
    const healthy = await store.healthy();
    alarms.set('PARLEY_ERR_STORE_UNAVAILABLE', healthy ? undefined : 'see the log');
  }
}

const OVERLOADS = {
  loopMs: 'the event loop comes late',
  mediaMs: 'sound goes out late',
  speech: 'work waits for the speech workers',
} as const;
