/**
 * Symmetric RTP (RFC 4961): a peer behind NAT is reached where its packets come from, not where its SDP says. The first
 * source that sends valid packets is taken; others are ignored until media is negotiated again, so that nobody can take
 * over a call by sending into its port.
 */
export class SourceLatch {
  address = '';
  port = 0;
  /** Packets from other sources. */
  foreign = 0;
  private latched = false;

  /** Media was negotiated: packets go there until some come, and the next source is taken. */
  negotiated(address: string, port: number): void {
    this.latched = false;
    if (address === this.signalledAddress && port === this.signalledPort) return;
    this.signalledAddress = this.address = address;
    this.signalledPort = this.port = port;
  }

  /** Whether a valid packet from this source belongs to the call. */
  accepts(address: string, port: number): boolean {
    if (!this.latched) {
      this.latched = true;
      this.address = address;
      this.port = port;
    }
    if (address === this.address && port === this.port) return true;
    this.foreign++;
    return false;
  }

  private signalledAddress = '';
  private signalledPort = 0;
}
