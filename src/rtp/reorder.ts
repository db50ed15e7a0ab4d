import type { RtpFields } from './packet.js';

/** Packets that may be missing before the newest one; more is a break in the stream. */
const WINDOW = 32;
/** A jump forward up to this is loss (RFC 3550, A.1: MAX_DROPOUT). */
const MAX_DROPOUT = 3000;
/** A packet this far back is late; further back is a sender that began anew (RFC 3550, A.1: MAX_MISORDER). */
const MAX_MISORDER = 100;
/** How long a gap waits for its packets before it is given up, ms. */
const GAP_MS = 40;
/** Largest payload kept; a frame of ours or a peer's is far below. */
const PAYLOAD_BYTES = 1500;

/** One packet in its place in the stream. */
export interface Released {
  payloadType: number;
  marker: boolean;
  timestamp: number;
  /** The payload is `bytes[start..end)`; valid only during the call. */
  bytes: Uint8Array;
  start: number;
  end: number;
  /** When it came, ms monotonic. */
  at: number;
  /** Packets missing immediately before this one. */
  lostBefore: number;
  /** The numbering began anew: nothing can be said about what lies before. */
  restarted: boolean;
}

interface Slot extends Released {
  filled: boolean;
}

/** Packet counts of one incoming stream. */
export interface ReorderCounts {
  lost: number;
  late: number;
  duplicate: number;
}

/**
 * Puts packets in order. One that is in order is released at once, without a copy; one that is ahead waits at most
 * {@link GAP_MS} for those before it. It holds no delay of its own, so it adds nothing to a turn.
 */
export class ReorderBuffer {
  readonly counts: ReorderCounts = { lost: 0, late: 0, duplicate: 0 };
  private readonly slots: Slot[];
  private readonly out: Released = makeReleased();
  private started = false;
  private ssrc = 0;
  /** Next sequence number to release. */
  private next = 0;
  private held = 0;
  /** After a wild jump: the number that, if it comes next, proves that the sender began anew; -1 when none. */
  private suspect = -1;
  private missing = 0;
  /** Bit n: whether sequence `next - 1 - n` came in its place. */
  private history = 0;

  constructor(private readonly release: (packet: Released) => void) {
    this.slots = Array.from({ length: WINDOW }, makeSlot);
  }

  /** Whether packets wait for others before them. */
  get waiting(): boolean {
    return this.held > 0;
  }

  /** Takes a packet whose fields lie in `datagram`. */
  push(fields: RtpFields, datagram: Uint8Array): void {
    if (!this.started || fields.ssrc !== this.ssrc) {
      this.restart(fields);
    } else {
      const ahead = (fields.sequence - this.next) & 0xffff;
      if (ahead >= MAX_DROPOUT && ahead < 0x10000 - MAX_MISORDER) {
        if (fields.sequence !== this.suspect) {
          this.suspect = (fields.sequence + 1) & 0xffff;
          this.counts.late++;
          return;
        }
        this.restart(fields);
      } else if (ahead >= 0x10000 - MAX_MISORDER) {
        this.countLate(0x10000 - ahead);
        return;
      } else if (ahead > 0) {
        if (ahead < WINDOW) {
          this.hold(fields, datagram);
          return;
        }
        // So long an outage is over: nothing of it will come any more.
        this.giveUp(ahead);
      }
    }
    this.suspect = -1;
    const { out } = this;
    out.payloadType = fields.payloadType;
    out.marker = fields.marker;
    out.timestamp = fields.timestamp;
    out.bytes = datagram;
    out.start = fields.payloadStart;
    out.end = fields.payloadEnd;
    out.at = fields.at;
    this.emit(out);
    this.drain();
  }

  /** To be called regularly: gives up gaps that have waited long enough. `now` in ms monotonic. */
  poll(now: number): void {
    while (this.held > 0) {
      const gap = this.gap();
      if (now - this.slots[(this.next + gap) % WINDOW]!.at < GAP_MS) return;
      this.giveUp(gap);
      this.drain();
    }
  }

  /** Missing packets before the first held one. */
  private gap(): number {
    let gap = 1;
    while (!this.slots[(this.next + gap) % WINDOW]!.filled) gap++;
    return gap;
  }

  private restart(fields: RtpFields): void {
    while (this.held > 0) {
      this.giveUp(this.gap());
      this.drain();
    }
    this.out.restarted = true;
    this.missing = 0;
    this.started = true;
    this.ssrc = fields.ssrc;
    this.next = fields.sequence;
    this.history = 0;
  }

  private countLate(back: number): void {
    if (back <= 32 && (this.history >>> (back - 1)) & 1) this.counts.duplicate++;
    else this.counts.late++;
  }

  private hold(fields: RtpFields, datagram: Uint8Array): void {
    const slot = this.slots[fields.sequence % WINDOW]!;
    if (slot.filled) {
      this.counts.duplicate++;
      return;
    }
    slot.end = Math.min(PAYLOAD_BYTES, fields.payloadEnd - fields.payloadStart);
    for (let n = 0; n < slot.end; n++) slot.bytes[n] = datagram[fields.payloadStart + n]!;
    slot.payloadType = fields.payloadType;
    slot.marker = fields.marker;
    slot.timestamp = fields.timestamp;
    slot.at = fields.at;
    slot.filled = true;
    this.held++;
  }

  /** Moves on by `count` packets, releasing those that are there and counting the others lost. */
  private giveUp(count: number): void {
    for (let n = 0; n < count; n++) {
      if (this.slots[this.next % WINDOW]!.filled) {
        this.releaseSlot();
        continue;
      }
      this.counts.lost++;
      this.missing++;
      this.history <<= 1;
      this.next = (this.next + 1) & 0xffff;
    }
  }

  private drain(): void {
    while (this.held > 0 && this.slots[this.next % WINDOW]!.filled) this.releaseSlot();
  }

  private releaseSlot(): void {
    const slot = this.slots[this.next % WINDOW]!;
    slot.filled = false;
    this.held--;
    slot.restarted = this.out.restarted;
    this.emit(slot);
  }

  private emit(packet: Released): void {
    packet.lostBefore = this.missing;
    this.missing = 0;
    this.next = (this.next + 1) & 0xffff;
    this.history = (this.history << 1) | 1;
    this.release(packet);
    this.out.restarted = false;
  }
}

function makeReleased(): Released {
  return {
    payloadType: 0,
    marker: false,
    timestamp: 0,
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
    at: 0,
    lostBefore: 0,
    restarted: false,
  };
}

function makeSlot(): Slot {
  return { ...makeReleased(), filled: false, bytes: new Uint8Array(PAYLOAD_BYTES) };
}
