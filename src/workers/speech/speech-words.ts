import type { AudioRing } from '../../audio/ring.js';
import type { Recogniser } from '../../speech/recognition/recogniser.js';
import type { Vocabulary } from '../../speech/recognition/vocabulary.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import { quietestPlace, SegmentAudio } from './speech-audio.js';
import type { Segment } from './speech-utterance.js';

/** Window in which loudness is compared for a cut inside a stretch of speech, ms. */
const CUT_WINDOW_MS = 60;

/** What was recognised. */
export interface Heard {
  text: string;
  tokens: readonly number[];
  /** Mean over the tokens. */
  logProbability: number;
  /** How much less likely a listener's words are, as {@link Recogniser} tells; of one segment only. */
  listening?: number | undefined;
  /** The words nearly as likely end in one that no turn ends in. */
  unfinished?: boolean | undefined;
}

/** Of a segment. */
interface HeardSegment extends Segment, Heard {
  /** Words so far, to be replaced. */
  provisional: boolean;
}

/** How the words are asked for. */
interface Asked {
  expected: ExpectedAnswer;
  /** Its end is but words so far. */
  provisional: boolean;
  /** What was said before it, when it may be a listener's over the agent's voice. */
  over: string | undefined;
}

export const NOTHING: Heard = { text: '', tokens: [], logProbability: 0 };

/**
 * The words of a growing utterance, recognised segment by segment: those of all but the last stand for good, the last is
 * the draft for its longer self.
 */
export class UtteranceWords {
  private readonly heard = new Map<number, HeardSegment>();
  /** Of the segment recognised last. */
  private audio: SegmentAudio | undefined;

  /**
   * @param options.sampleRate of the ring, Hz
   */
  constructor(
    private readonly options: {
      ring: AudioRing;
      sampleRate: number;
      recogniser: Recogniser;
      vocabulary?: Vocabulary | undefined;
    },
  ) {}

  /** Forgets what was recognised: another utterance begins. */
  clear(): void {
    this.heard.clear();
  }

  async of(segments: readonly Segment[], { expected, provisional, over }: Asked): Promise<Heard> {
    const parts: Heard[] = [];
    for (const [n, segment] of segments.entries()) {
      const last = n === segments.length - 1;
      parts.push(await this.segment(segment, { expected, provisional: provisional && last, over }));
    }
    // Entries that no segment begins with any more belong to cuts that were given up.
    for (const from of this.heard.keys())
      if (!segments.some((segment) => segment.from === from)) this.heard.delete(from);
    return joined(parts);
  }

  /** The quietest place between two positions: where a stretch that is too long is cut. */
  quietest(from: number, to: number): number {
    const { ring, sampleRate } = this.options;
    const { pcm, from: at } = ring.read(from, to);
    return pcm.length === 0 ? to : at + quietestPlace(pcm, Math.round((CUT_WINDOW_MS * sampleRate) / 1000));
  }

  private async segment(segment: Segment, { expected, provisional, over }: Asked): Promise<Heard> {
    const { recogniser, vocabulary } = this.options;
    const before = this.heard.get(segment.from);
    if (before?.to === segment.to && (provisional || !before.provisional)) return before;
    const { text, tokens, logProbability, listening, unfinished } = await recogniser.recognise(this.audioOf(segment), {
      draft: recogniser.capabilities.drafts ? (before?.tokens ?? []) : [],
      expected,
      vocabulary,
      provisional,
      over,
    });
    const heard = { ...segment, text, tokens, logProbability, listening, unfinished, provisional };
    this.heard.set(segment.from, heard);
    return heard;
  }

  private audioOf({ from, to }: Segment): Float32Array {
    const { ring, sampleRate, recogniser } = this.options;
    // A cut at an earlier pause makes a segment shorter than what was converted.
    if (this.audio?.from !== from || this.audio.to > to) {
      this.audio = new SegmentAudio(ring, from, sampleRate, recogniser.capabilities.sampleRate);
    }
    return this.audio.read(to);
  }
}

function joined(parts: readonly Heard[]): Heard {
  const tokens = parts.flatMap((part) => part.tokens);
  const total = parts.reduce((sum, part) => sum + part.logProbability * part.tokens.length, 0);
  return {
    text: parts
      .map((part) => part.text)
      .filter((text) => text !== '')
      .join(' '),
    tokens,
    logProbability: tokens.length > 0 ? total / tokens.length : (parts.at(-1)?.logProbability ?? 0),
    listening: parts.length === 1 ? parts[0]?.listening : undefined,
    unfinished: parts.at(-1)?.unfinished,
  };
}
