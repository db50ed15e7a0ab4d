/** Packets behind the newest that are still told apart from repeated ones. */
const WINDOW = 128;
const SEQUENCES = 0x1_0000;

/**
 * Packet index of one incoming stream: the 16-bit sequence number with the times it has wrapped before it (RFC 3711,
 * 3.3.1), and which of them have come already (3.3.2). Nothing is remembered before the packet has proved authentic.
 */
export class ReplayWindow {
  private highest = -1;
  /** The index that was last seen in each place, so that nothing needs to be shifted. */
  private readonly seen = new Float64Array(WINDOW).fill(-1);

  /** The index that this sequence number most likely stands for; below 0 for one from before the beginning. */
  indexOf(sequence: number): number {
    if (this.highest < 0) return sequence;
    const last = this.highest % SEQUENCES;
    const base = this.highest - last + sequence;
    if (sequence - last > SEQUENCES / 2) return base - SEQUENCES;
    return last - sequence > SEQUENCES / 2 ? base + SEQUENCES : base;
  }

  /** Whether a packet with this index may be taken: it is new, and not too old to know. */
  isNew(index: number): boolean {
    return index >= 0 && index > this.highest - WINDOW && this.seen[index % WINDOW] !== index;
  }

  /** An authentic packet has come. */
  accept(index: number): void {
    this.seen[index % WINDOW] = index;
    if (index > this.highest) this.highest = index;
  }
}
