import { type CapturedPacket, readCapture } from '../../test/kit/capture.js';

/** Distance of the intervals between the packets of each source from 20 ms. */
export interface Intervals {
  p50: number;
  p99: number;
  max: number;
  /** Packets that did not leave. */
  missing: number;
}

/** A stretch of a capture, ms since the epoch, and the port that its packets go to. */
export interface Stretch {
  port: number;
  from: number;
  to: number;
}

/** How regularly packets left, by the kernel's clock, for each stretch. */
export function intervals(file: string, stretches: readonly Stretch[]): Intervals[] {
  const counters = stretches.map((stretch) => ({ stretch, counter: new Counter() }));
  for (const packet of readCapture(file)) {
    for (const { stretch, counter } of counters) {
      const { port, from, to } = stretch;
      if (packet.destination === port && packet.at >= from && packet.at < to) counter.add(packet);
    }
  }
  return counters.map(({ counter }) => counter.result());
}

class Counter {
  private readonly last = new Map<number, { at: number; sequence: number }>();
  private readonly distances: number[] = [];
  private missing = 0;

  add({ at, source, payload }: CapturedPacket): void {
    if (payload.length < 12) return;
    const sequence = payload.readUInt16BE(2);
    const before = this.last.get(source);
    if (before) {
      this.distances.push(Math.abs(at - before.at - 20));
      this.missing += ((sequence - before.sequence) & 0xffff) - 1;
    }
    this.last.set(source, { at, sequence });
  }

  result(): Intervals {
    const sorted = Float64Array.from(this.distances).sort();
    const rank = (share: number) =>
      Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? Number.POSITIVE_INFINITY) * 10) / 10;
    return { p50: rank(0.5), p99: rank(0.99), max: rank(1), missing: this.missing };
  }
}
