/** One caller in a line. */
interface Waiting {
  priority: number;
  tell(place: number): void;
}

/** Who waits for whom, in the order in which they came. Of this process: each node has its own lines. */
export class CallQueues {
  private readonly lines = new Map<string, Waiting[]>();

  /** Callers waiting, for leak tests. */
  get waiting(): number {
    let all = 0;
    for (const line of this.lines.values()) all += line.length;
    return all;
  }

  /**
   * Takes the last place in the line of a target, but before all of lower priority; who is the first, and so being put
   * through, stays there.
   *
   * @param tell told the place, at once and each time it changes; 1 is the first
   * @returns leaves the line; safe to call twice
   */
  join(target: string, tell: (place: number) => void, priority = 0): () => void {
    const line = this.lines.get(target) ?? [];
    this.lines.set(target, line);
    const own: Waiting = { priority, tell: (place) => tell(place) };
    const before = line.findIndex((other, index) => index > 0 && other.priority < priority);
    line.splice(before < 0 ? line.length : before, 0, own);
    this.tellFrom(line, line.indexOf(own));
    return () => this.leave(target, own);
  }

  private leave(target: string, own: Waiting): void {
    const line = this.lines.get(target);
    const at = line?.indexOf(own) ?? -1;
    if (!line || at < 0) return;
    line.splice(at, 1);
    if (line.length === 0) this.lines.delete(target);
    this.tellFrom(line, at);
  }

  private tellFrom(line: readonly Waiting[], at: number): void {
    for (const [index, other] of [...line.entries()].slice(at)) other.tell(index + 1);
  }
}
