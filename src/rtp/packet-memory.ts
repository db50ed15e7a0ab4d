/** Any packet of ours, an SRTP packet's tag included. */
const BYTES = 1600;

/**
 * Where outgoing packets are made, one after the other: the same octets for all legs of a thread, which are in the processor's
 * cache since the leg before, where each leg's own would have to be fetched.
 */
export class PacketMemory {
  private buffer = Buffer.alloc(BYTES);
  private readonly views: Buffer[] = [];

  /** To write the next packet into. What was made before is overwritten. */
  get bytes(): Buffer {
    return this.buffer;
  }

  /** The first `length` octets; made once for each length, since a view a packet would be garbage. */
  view(length: number): Buffer {
    let found = this.views[length];
    if (!found) {
      found = this.buffer.subarray(0, length);
      this.views[length] = found;
    }
    return found;
  }

  /** What was made last is still being read: the next packet is made elsewhere. */
  leave(): void {
    this.buffer = Buffer.alloc(BYTES);
    this.views.length = 0;
  }
}

/** Of this thread: packets, and what SRTP makes of them. */
export const plainPackets = new PacketMemory();
export const protectedPackets = new PacketMemory();
