import type { HeardAudio, HeardSpurt } from './heard.js';
import type { Transcriber } from './speech-tools.js';

/** Sound before a first and after a last voiced sample that still belongs to it, ms. */
const MARGIN_MS = 200;

/** What was heard, in words; each stretch is recognised once. Without a transcriber, nothing. */
export class Transcripts {
  private readonly known = new Map<string, Promise<string>>();

  constructor(
    private readonly heard: HeardAudio,
    private readonly transcriber: Transcriber | undefined,
  ) {}

  /** Words of these stretches of sound and what lies between them; they are all of one turn. */
  async of(spurts: readonly HeardSpurt[]): Promise<string> {
    const first = spurts[0];
    const last = spurts.at(-1);
    if (!this.transcriber || !first || !last) return '';
    const { sampleRate } = this.heard;
    const key = `${first.from}-${last.to}`;
    const known = this.known.get(key);
    if (known) return known;
    const margin = (MARGIN_MS * sampleRate) / 1000;
    const text = this.transcriber.transcribe(this.heard.cut(first.from - margin, last.to + margin), sampleRate);
    this.known.set(key, text);
    return text;
  }
}
