import { resample } from '../../audio/resample.js';
import { createSynthesiser, ENGINES } from '../../speech/synthesis/engines.js';
import { normalise } from '../../speech/synthesis/normaliser.js';
import { SentenceSplitter } from '../../speech/synthesis/splitter.js';
import type { LogLevel } from '../../telemetry/log.js';
import { SpeechHost } from '../../workers/speech/speech-host.js';
import { concatenate, type Speak } from './lines.js';

const ENGINE = 'flite';
/** The embedded voice that the embedded recogniser understands best. */
const CLEAREST_VOICE = 'rms';
/** A recording may be minutes long. */
const TRANSCRIPTION_MS = 60_000;

/** The voices a caller can have. */
export function callerVoices(): readonly string[] {
  return (ENGINES[ENGINE]?.voices ?? []).map((voice) => voice.name);
}

/**
 * A caller's voice, on this thread: lines are made before the call, when nothing else is to be done.
 *
 * @param sampleRate of the call, Hz
 * @throws ParleyError PARLEY_ERR_SYNTHESIS_ENGINE
 */
export async function callerVoice(
  voice: string | undefined,
  sampleRate: number,
): Promise<{ speak: Speak; close(): Promise<void> }> {
  const synthesiser = await createSynthesiser(ENGINE);
  const settings = { engine: ENGINE, voice: voice ?? CLEAREST_VOICE, speed: 1 };
  const speak = async (text: string): Promise<Int16Array> => {
    const parts: Int16Array[] = [];
    for (const sentence of sentencesOf(text, synthesiser.capabilities.maxCharacters)) {
      const made = await synthesiser.synthesise(normalise(sentence).spoken, settings);
      parts.push(resample(made.pcm, made.sampleRate, sampleRate));
    }
    return concatenate(parts);
  };
  return { speak, close: () => synthesiser.close() };
}

/** A line is one breath unless it is too long for the engine. */
function sentencesOf(text: string, maxCharacters: number): string[] {
  if (normalise(text).spoken.length <= maxCharacters) return [text];
  const splitter = new SentenceSplitter();
  return [...splitter.push(text), ...splitter.flush()];
}

/** Writes down what was heard. */
export interface Transcriber {
  transcribe(pcm: Int16Array, sampleRate: number): Promise<string>;
  close(): Promise<void>;
}

/** Starts a recogniser in a thread of its own. Resolves when it is warm. */
export function startTranscriber(logLevel: LogLevel): Promise<Transcriber> {
  return SpeechHost.start({
    workers: 1,
    logLevel,
    jobTimeoutMs: TRANSCRIPTION_MS,
    connectMedia: () => undefined,
  });
}
