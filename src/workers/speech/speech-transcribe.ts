import type { ExpectedAnswer } from '../../text/expected.js';
import { engineAudio, quietestPlace } from './speech-audio.js';
import type { SpeechEngines } from './speech-engines.js';
import { Utterance } from './speech-utterance.js';

/** Recordings are searched for speech in pieces of so many seconds, so that no step takes long. */
const SEARCH_SECONDS = 20;
/** Window in which loudness is compared for a cut inside speech, s. */
const CUT_WINDOW_SECONDS = 0.06;

type Engines = Pick<SpeechEngines, 'speech' | 'recogniser'>;

/**
 * Recognises a whole recording: finds speech in it and recognises stretch by stretch, joined where pauses are short.
 * Yields between steps of about 0.2 s at most and returns the whole text.
 */
export async function* transcribe(
  engines: Engines,
  pcm: Int16Array,
  sampleRate: number,
  expected: ExpectedAnswer = { kind: 'open' },
): AsyncGenerator<undefined, string> {
  const { sampleRate: engineRate, maxSeconds } = engines.recogniser.capabilities;
  const utterance = new Utterance(
    { preRoll: sampleRate / 4, trailing: sampleRate / 5, longest: maxSeconds * sampleRate, longPause: sampleRate },
    0,
  );
  for (let from = 0; from < pcm.length; from += SEARCH_SECONDS * sampleRate) {
    const piece = pcm.subarray(from, from + SEARCH_SECONDS * sampleRate);
    await mark(engines, utterance, from, piece, sampleRate);
    yield;
  }
  const cutWindow = Math.round(CUT_WINDOW_SECONDS * sampleRate);
  const quietest = (from: number, to: number) => from + quietestPlace(pcm.subarray(from, to), cutWindow);
  const texts: string[] = [];
  for (const { from, to } of utterance.segments(pcm.length, quietest)) {
    const audio = engineAudio(pcm.subarray(from, to), sampleRate, engineRate);
    texts.push((await engines.recogniser.recognise(audio, { expected })).text);
    yield;
  }
  return texts.filter((text) => text !== '').join(' ');
}

/** Marks speech in one piece of a recording. Speech may go on from the piece before. */
async function mark(engines: Engines, utterance: Utterance, from: number, piece: Int16Array, sampleRate: number) {
  const found = await engines.speech(piece, sampleRate);
  const goesOn = found[0] && found[0].start < sampleRate / 4;
  if (utterance.speaking && !goesOn) utterance.offset(from);
  for (const { start, end } of found) {
    utterance.onset(from + start);
    if (end !== undefined) utterance.offset(from + end);
  }
}
