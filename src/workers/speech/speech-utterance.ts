/** One stretch of voice, positions in samples of the listening stream; without an offset the caller still speaks. */
interface Burst {
  onset: number;
  offset: number | undefined;
}

/** How an utterance is cut for the recogniser, all in samples. */
export interface CutOptions {
  /** Audio taken before an onset: the detector hears the first consonant late. */
  preRoll: number;
  /** Audio taken after an offset, as far as it is there. */
  trailing: number;
  /** Longest segment. */
  longest: number;
  /** A pause this long divides segments in any case. */
  longPause: number;
}

/** What goes into the recogniser in one piece. */
export interface Segment {
  from: number;
  to: number;
}

/**
 * The caller's voice since the last commit: which stretches of sound make up the utterance that a turn may be taken
 * from, and how it is cut into segments that the recogniser can take.
 */
export class Utterance {
  private bursts: Burst[] = [];
  /** Where stretches that were too long by themselves have been cut: kept, since their audio may have left the ring. */
  private cuts: number[] = [];

  /**
   * @param committed position before which everything belongs to an earlier turn
   */
  constructor(
    private readonly options: CutOptions,
    private committed: number,
  ) {}

  /** Whether the caller is speaking. */
  get speaking(): boolean {
    const last = this.bursts.at(-1);
    return last !== undefined && last.offset === undefined;
  }

  /** Where the utterance begins, pre-roll included; undefined when nothing was said since the commit. */
  get start(): number | undefined {
    const first = this.bursts[0];
    return first && Math.max(this.committed, first.onset - this.options.preRoll);
  }

  onset(position: number): void {
    if (!this.speaking) this.bursts.push({ onset: position, offset: undefined });
  }

  /** An offset whose onset was never told (to a worker that took over) ends a stretch that began at the commit. */
  offset(position: number): void {
    const last = this.bursts.at(-1);
    if (!last) this.bursts.push({ onset: this.committed, offset: position });
    else if (last.offset === undefined || last.offset < position) last.offset = position;
  }

  /** What ends by then belongs to an earlier turn; a stretch that goes on begins there anew. */
  commit(position: number): void {
    this.committed = Math.max(this.committed, position);
    this.cuts = this.cuts.filter((cut) => cut > position);
    this.drop(position);
  }

  /** Forgets the stretches that end by then: they were no speech. */
  drop(position: number): void {
    this.bursts = this.bursts.filter(({ offset }) => offset === undefined || offset > position);
  }

  /**
   * The segments of the utterance up to a position, in order. Segments before the last stay as they are while the
   * utterance grows, except when a pause turns out to be the better place for a cut.
   *
   * @param quietest the quietest place in (from, to] of a stretch, where one that is too long by itself is cut
   */
  segments(to: number, quietest: (from: number, to: number) => number): Segment[] {
    const segments: Segment[] = [];
    let end = this.committed;
    for (const burst of this.bursts) {
      const from = Math.max(end, burst.onset - this.options.preRoll);
      const until = Math.min(to, burst.offset === undefined ? to : burst.offset + this.options.trailing);
      if (until <= from) continue;
      const last = segments.at(-1);
      const joined = last && until - last.from <= this.options.longest && from - end < this.options.longPause;
      if (joined) last.to = until;
      else segments.push({ from, to: until });
      this.cutLong(segments, quietest);
      end = until;
    }
    return segments;
  }

  /** Cuts the last segment, in the last fifth of what it may be, at the quietest place, until it is short enough. */
  private cutLong(segments: Segment[], quietest: (from: number, to: number) => number): void {
    for (let last = segments.at(-1); last && last.to - last.from > this.options.longest; last = segments.at(-1)) {
      const cut = this.cutAfter(last.from, quietest);
      segments.push({ from: cut, to: last.to });
      last.to = cut;
    }
  }

  private cutAfter(from: number, quietest: (from: number, to: number) => number): number {
    const limit = from + this.options.longest;
    const known = this.cuts.find((cut) => cut > from && cut <= limit);
    if (known !== undefined) return known;
    const cut = quietest(limit - Math.floor(this.options.longest / 5), limit);
    this.cuts.push(cut);
    return cut;
  }
}
