import type { VoiceAgent } from './calls/voice-agent.js';
import { Deletions } from './console/deletions.js';
import { type Forgetting, forget, forgetEnded } from './console/forget.js';
import type { ConsoleSource } from './console/http.js';
import { deleteCall } from './console/records.js';
import type { JournalBook } from './journal/journal.js';
import { deleteRecordings, pruneRecordings } from './media/recording/prune.js';
import { plainName, readRecording, recordingsOf } from './media/recording/read.js';
import { recoverRecordings } from './media/recording/recover.js';
import { recordingsFolder, type Settings } from './settings.js';
import { deleteTrace, readTrace, type SipTraces } from './sip/trace/traces.js';
import { sentencesOf } from './speech/synthesis/splitter.js';
import { Keyring } from './store/sealing/keyring.js';
import type { Store } from './store/store.js';
import type { Logger } from './telemetry/log.js';
import type { Speaker } from './workers/speaker.js';

/** Recordings are looked after so often, ms. */
const PRUNE_MS = 3_600_000;

/** What is kept, and who knows of it. */
export interface KeptParts {
  settings: Settings;
  store: Store;
  journals: JournalBook;
  /** Of the calls that are up. */
  traces?: SipTraces | undefined;
  /** Recordings of a call, on all nodes. */
  deletions: Deletions;
  /** Deletes the clips of what an agent said. */
  clips(agent: string | undefined, texts: readonly string[]): Promise<void>;
}

/** What deletes recordings here and on the other nodes. */
export function deletionsOf(settings: Settings, store: Store, logger: Logger): Deletions {
  const folder = recordingsFolder(settings);
  const local = { recordings: (call: string) => deleteRecordings(folder, call) };
  return new Deletions(store, local, settings.store.retention.auditMs, logger);
}

/** Access to all that is kept of calls, and its deletion. @throws ParleyError PARLEY_ERR_KEY_FILE */
export function keptOf(parts: KeptParts): Pick<ConsoleSource, 'recordings' | 'sip' | 'remove' | 'forget'> & {
  forgetting: Forgetting;
} {
  const { settings, store, journals, traces, clips, deletions } = parts;
  const folder = recordingsFolder(settings);
  const keys = Keyring.read(settings.store.encryption.keysFile);
  const remove = (call: string) =>
    deleteCall(call, {
      journals,
      recordings: (id) => deletions.delete(id),
      callback: (id) => store.records.delete(`callback-${id}`),
      trace: (id) => deleteTrace(store.streams, id),
      clips,
    });
  const forgetting = { journals, records: store.records, remove };
  return {
    recordings: {
      list: async (call) =>
        (await recordingsOf(folder, call)).map(({ sound, bytes }) => ({ name: plainName(sound), bytes })),
      open: async (call, name) => {
        const found = (await recordingsOf(folder, call)).find(({ sound }) => plainName(sound) === name);
        return found && readRecording(found.sound, keys);
      },
    },
    sip: (call) => (traces ? traces.read(call) : readTrace(store.streams, call)),
    remove,
    forget: (request) => forget(request, forgetting),
    forgetting,
  };
}

/** Calls that were to be forgotten while they were up are when they end. */
export function forgetWhenEnded(journals: JournalBook, forgetting: Forgetting, logger: Logger): void {
  journals.onEvent((event) => {
    if (event.type === 'call.ended') void forgetEnded(event.call, forgetting, logger, event.by !== 'node-lost');
  });
}

/** Deletes the clips of what was said on a call, sentence by sentence as they were made. */
export async function discardClips(
  agent: Pick<VoiceAgent, 'voice' | 'lexicon'> | undefined,
  texts: readonly string[],
  speaker: Speaker,
  sampleRates: readonly number[],
): Promise<void> {
  if (!agent) return;
  const sentences = new Set(texts.flatMap((text) => sentencesOf(text)));
  for (const sentence of sentences) {
    for (const sampleRate of sampleRates) await speaker.discard(sentence, agent.voice, sampleRate, agent.lexicon);
  }
}

/** Repairs what a crash has left, and deletes what is too old or too much, now and every hour. */
export function keepRecordings(settings: Settings, deletions: Deletions, logger: Logger): { close(): void } {
  const folder = recordingsFolder(settings);
  const { retentionDays, maxGigabytes } = settings.recording;
  const complain = (error: unknown) => logger.error({ err: error, folder }, 'recordings could not be looked after');
  const prune = () => {
    void pruneRecordings(folder, retentionDays, maxGigabytes * 1e9, logger).catch(complain);
    void deletions.sweep();
  };
  const keys = Keyring.read(settings.store.encryption.keysFile);
  recoverRecordings(folder, logger, undefined, keys).then(prune, complain);
  const timer = setInterval(prune, PRUNE_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
