import { resample } from '../../audio/resample.js';
import type { StoredEvent } from '../../journal/events.js';
import type { SpeechSegment } from '../../speech/detection/segments.js';
import type { Recogniser } from '../../speech/recognition/recogniser.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import type { WaitTimes } from '../../turns/config.js';
import { endpointWait } from '../../turns/endpointing.js';
import type { Deciders } from './decisions.js';

/** One channel of a recorded call. */
export interface RecordedSound {
  pcm: Int16Array;
  sampleRate: number;
}

/** What hears. */
export interface Ears {
  recogniser: Recogniser;
  speech(pcm: Int16Array, sampleRate: number): Promise<SpeechSegment[]>;
  turns: Deciders;
}

/** A turn that detection, recognition and endpointing find in the sound. */
export interface FoundTurn {
  /** Of its first and last voice, s from the beginning of the recording. */
  from: number;
  to: number;
  text: string;
  waitMs: number;
  finished: number;
  /** Pauses inside that the wait outlasted, ms. */
  pauses: number[];
}

/** Audio taken before and after a stretch of voice, ms: as the speech workers do. */
const PRE_ROLL_MS = 250;
const TRAILING_MS = 160;

/** Runs the caller's side of a recording through detection, recognition and endpointing, without the clock. */
export async function hearAgain(
  { pcm, sampleRate }: RecordedSound,
  ears: Ears,
  endpointing: WaitTimes,
  context: (atS: number) => { agent: string; expected: ExpectedAnswer },
): Promise<FoundTurn[]> {
  const perMs = sampleRate / 1000;
  const segments = await ears.speech(pcm, sampleRate);
  const turns: FoundTurn[] = [];
  let first: SpeechSegment | undefined;
  let pauses: number[] = [];
  for (const [n, segment] of segments.entries()) {
    first ??= segment;
    const end = segment.end ?? pcm.length;
    const next = segments[n + 1];
    const from = Math.max(0, first.start - PRE_ROLL_MS * perMs);
    const sound = pcm.subarray(from, Math.min(pcm.length, end + TRAILING_MS * perMs));
    const { agent, expected } = context(end / sampleRate);
    const { text } = await recognise(ears.recogniser, sound, sampleRate, expected);
    const finished = text === '' ? 0 : await ears.turns.finished({ words: text, agent, expected });
    const { waitMs } = endpointWait({ text, finished, expected }, endpointing);
    const pauseMs = next ? (next.start - end) / perMs : Number.POSITIVE_INFINITY;
    if (text !== '' && pauseMs < waitMs) {
      pauses.push(Math.round(pauseMs));
      continue;
    }
    if (text !== '')
      turns.push({ from: first.start / sampleRate, to: end / sampleRate, text, waitMs, finished, pauses });
    first = undefined;
    pauses = [];
  }
  return turns;
}

function recognise(recogniser: Recogniser, pcm: Int16Array, sampleRate: number, expected: ExpectedAnswer) {
  const wide = resample(pcm, sampleRate, recogniser.capabilities.sampleRate);
  return recogniser.recognise(
    Float32Array.from(wide, (sample) => sample / 32_768),
    { expected },
  );
}

/** What the agent had said and asked for at a moment of the recording. @param startedAt of the recording, ms of the journal */
export function contextOf(events: readonly StoredEvent[], startedAt: number) {
  return (atS: number): { agent: string; expected: ExpectedAnswer } => {
    const at = startedAt + atS * 1000;
    const said = events.findLast((event) => event.type === 'agent.turn' && event.at <= at);
    const decision = events.find((event) => event.type === 'turn.decision' && event.at >= at);
    return {
      agent: (said?.type === 'agent.turn' ? said.heard : '').split(/(?<=[.?!])\s+/).at(-1) ?? '',
      expected: (decision?.type === 'turn.decision' ? decision.expected : undefined) ?? { kind: 'open' },
    };
  };
}
