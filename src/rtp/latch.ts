import { isIPv6, SocketAddress } from 'node:net';

/** How long the signalled source has for itself when another address already sends, ms. */
const PROBATION_MS = 200;
/** How long packets of the source before a re-negotiation are passed over, ms. */
const PREVIOUS_MS = 2000;
/** Silence after which a stream may go on from another port of the same address, ms. */
const REBIND_MS = 3000;

/** Where packets come from or go to. */
interface Source {
  address: string;
  port: number;
}

/** A packet: whose it says it is, and when it came. */
interface Arrived {
  readonly ssrc: number;
  readonly at: number;
}

/**
 * Which source belongs to the call. A peer behind NAT is reached where its packets come from, not where its SDP says
 * (symmetric RTP, RFC 4961); but a stranger that sends into our port must neither take over the call nor be heard.
 *
 * - The address and port that SDP names are right at once, whenever something comes from there, and push any other aside.
 * - Before anything is locked, another port of the address in SDP is taken at once; another address after 200 ms, if the
 *   one in SDP has been silent meanwhile. Where several strangers send, the first of them counts.
 * - After that the source is locked. It moves to another port of its address only when it has been silent for 3 s and the
 *   same SSRC goes on there (a NAT that forgot its binding).
 * - Media negotiated to a new address unlocks; what still comes from the old source is passed over for 2 s.
 * - Authentic packets (SRTP) need no trial: they are the peer's from wherever they come. Where it answers ICE, only the pair that
 *   the peer nominates counts.
 *
 * It has no clock: `at` is the arrival in ms of any steady clock.
 */
export class SourceLatch {
  /** Where our packets go: '' and 0 while that is not known. */
  address = '';
  port = 0;
  /** Packets that belonged to nobody. */
  foreign = 0;
  private signalled: Source = { address: '', port: 0 };
  /** What was locked before the last negotiation, and when it was first heard after it. */
  private previous: (Source & { since: number }) | undefined;
  /** Whether a source is known. */
  locked = false;
  /** Whether ICE has told it. */
  nominated = false;
  private ssrc = -1;
  private lastAt = 0;
  /** The stranger on probation, since when, and when it was heard last. */
  private candidate: (Source & { since: number; last: number }) | undefined;

  /** Media was negotiated: it goes there, unless it did before, until something comes from elsewhere. */
  negotiated(address: string, port: number): void {
    const plain = isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
    if (isSame(this.signalled, plain, port)) return;
    this.signalled = { address: plain, port };
    this.previous = this.locked ? { address: this.address, port: this.port, since: -1 } : undefined;
    this.locked = this.nominated = false;
    this.candidate = undefined;
    this.address = plain;
    this.port = port;
  }

  /** ICE: the peer nominated this pair. */
  nominate(address: string, port: number): void {
    this.lock(address, port);
    this.nominated = true;
  }

  /**
   * Whether a valid packet from this source belongs to the call.
   *
   * @param packet its source, and when it came
   * @param authentic whether the packet proves that it is the peer's
   */
  accepts(address: string, port: number, packet: Arrived, authentic = false): boolean {
    if (this.isTaken(address, port, packet, authentic)) {
      this.lastAt = packet.at;
      this.ssrc = packet.ssrc;
      return true;
    }
    if (!authentic) this.foreign++;
    return authentic;
  }

  private isTaken(address: string, port: number, packet: Arrived, authentic: boolean): boolean {
    if (this.locked && address === this.address && port === this.port) return true;
    if (this.nominated) return false;
    if (this.mayLock(address, port, packet, authentic)) {
      this.lock(address, port);
      return true;
    }
    return false;
  }

  private mayLock(address: string, port: number, { ssrc, at }: Arrived, authentic: boolean): boolean {
    if (isSame(this.signalled, address, port)) return true;
    if (!this.locked) return authentic || this.hasStoodTrial(address, port, at);
    const silent = at - this.lastAt >= REBIND_MS;
    return silent && ssrc === this.ssrc && (authentic || address === this.address);
  }

  private hasStoodTrial(address: string, port: number, at: number): boolean {
    const { previous, candidate } = this;
    if (previous && isSame(previous, address, port)) {
      if (previous.since < 0) previous.since = at;
      return at - previous.since >= PREVIOUS_MS;
    }
    if (address === this.signalled.address) return true;
    if (candidate && isSame(candidate, address, port)) {
      candidate.last = at;
      return at - candidate.since >= PROBATION_MS;
    }
    if (!candidate || at - candidate.last >= PROBATION_MS) this.candidate = { address, port, since: at, last: at };
    return false;
  }

  private lock(address: string, port: number): void {
    this.locked = true;
    this.address = address;
    this.port = port;
    this.candidate = undefined;
  }
}

function isSame(source: Source, address: string, port: number): boolean {
  return source.port === port && source.address === address;
}
