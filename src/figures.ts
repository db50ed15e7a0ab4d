import type { Admission } from './calls/admission.js';
import type { CallServer } from './calls/call-server.js';
import type { Metrics } from './console/metrics.js';
import type { JournalBook } from './journal/journal.js';
import type { UserAgent } from './sip/user-agent.js';
import type { Alarms } from './telemetry/alarms.js';
import type { Load } from './telemetry/load.js';
import type { UnhandledErrors } from './telemetry/unhandled.js';
import type { MediaHost } from './workers/media/media-host.js';
import type { Speaker } from './workers/speaker.js';
import type { SpeechHost } from './workers/speech/speech-host.js';

/** What figures are read of. */
interface Counted {
  calls: CallServer;
  media: MediaHost;
  speech: SpeechHost;
  speaker: Speaker;
  journals: JournalBook;
  sip: UserAgent;
  load: Load;
  admission: Admission;
  alarms: Alarms;
  metrics: Metrics;
  unhandled: UnhandledErrors;
}

/** The server in figures, at the moment they are asked for. */
export class Figures {
  constructor(private readonly parts: Counted) {}

  /** In Prometheus' text format. */
  async metrics(): Promise<{ text: string; contentType: string }> {
    const { calls, media, speech, speaker, journals, admission, alarms, metrics, unhandled } = this.parts;
    const text = await metrics.text({
      calls: calls.stats().calls,
      pendingEvents: journals.pending(),
      speechBacklog: speech.stats().backlog,
      speechRestarts: speech.stats().restarts,
      clips: speaker.stats(),
      late: (await media.stats()).map((worker) => worker.late),
      load: admission.load,
      alarms: alarms.active().map(({ code }) => code),
      unhandled: unhandled.count,
    });
    return { contentType: metrics.contentType, text };
  }

  /** What leaks would show in, and load. */
  async stats(): Promise<Record<string, unknown>> {
    const { parts } = this;
    const media = await parts.media.stats();
    const sum = (pick: (worker: (typeof media)[number]) => number) =>
      media.reduce((total, worker) => total + pick(worker), 0);
    return {
      ...parts.calls.stats(),
      legs: sum((worker) => worker.legs),
      ports: sum((worker) => worker.ports),
      late: media.map((worker) => worker.late),
      journals: parts.journals.live.size,
      pendingEvents: parts.journals.pending(),
      speech: parts.speech.stats(),
      speculations: parts.journals.speculations,
      clips: parts.speaker.stats(),
      edge: await parts.sip.counts(),
      load: { ...parts.load.read(), ofLimit: Object.fromEntries(parts.admission.load) },
      alarms: Object.fromEntries(parts.alarms.active().map(({ code }) => [code, 1])),
    };
  }
}
