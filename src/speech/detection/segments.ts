import { levelDb } from '../../audio/level.js';
import { type GateOptions, SpeechGate } from './gate.js';
import type { BatchVad } from './silero.js';

/** One stretch of speech in a recording, in samples. */
export interface SpeechSegment {
  start: number;
  /** Where the last voiced sample ended; absent while speech goes on at the end of the recording. */
  end: number | undefined;
}

/**
 * Where speech is in a recording: for recordings as a whole, and to catch up with a stream whose marks were lost.
 *
 * @param pcm at the detector's rate
 */
export async function findSpeech(vad: BatchVad, pcm: Int16Array, options: GateOptions): Promise<SpeechSegment[]> {
  const gate = new SpeechGate(options);
  const state = vad.createState();
  const size = vad.windowSamples;
  const segments: SpeechSegment[] = [];
  for (let end = size; end <= pcm.length; end += size) {
    const window = pcm.subarray(end - size, end);
    const [probability] = await vad.run([{ state, window }]);
    const mark = gate.push(probability ?? 0, levelDb(window));
    if (!mark) continue;
    const position = Math.max(0, end - mark.windowsAgo * size);
    const last = segments.at(-1);
    if (mark.type === 'onset') segments.push({ start: position, end: undefined });
    else if (mark.type === 'offset' && last) last.end = position;
  }
  return segments;
}
