import type { RtpFields } from '../packet.js';
import type { ReportBlock } from './packets.js';

/** A jump forward up to this is loss, one back up to that is reordering (RFC 3550, A.1). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** What is counted of one received stream (RFC 3550, A.1, A.3, A.8). Allocates nothing. */
export class Reception {
  ssrc = 0;
  /** Packets that came, duplicates included, since the source began. */
  received = 0;
  /** Times that one or more packets in a row were missing when the next came. */
  lossRuns = 0;
  private begun = false;
  private first = 0;
  private highest = 0;
  private wraps = 0;
  /** After a wild jump: the number that proves that the sender began anew. */
  private suspect = -1;
  private jitterTicks = 0;
  private transit = Number.NaN;
  private clockRate = 0;
  private timestamp = -1;
  private reportedExpected = 0;
  private reportedReceived = 0;

  /**
   * Counts a packet.
   *
   * @param clockRate of its audio, Hz; 0 for what says nothing about jitter, as keys do, which repeat a timestamp
   */
  packet(fields: RtpFields, clockRate: number): void {
    if (!this.begun || fields.ssrc !== this.ssrc) this.restart(fields);
    else if (!this.follows(fields)) return;
    this.received++;
    if (clockRate > 0 && fields.timestamp !== this.timestamp) this.measure(fields, clockRate);
  }

  /** Packets that should have come. */
  get expected(): number {
    return this.begun ? this.extended - this.first + 1 : 0;
  }

  /** Below zero when duplicates outnumber losses. */
  get lost(): number {
    return this.expected - this.received;
  }

  /** Highest sequence number, its wraps in the upper 16 bits. */
  get extended(): number {
    return this.wraps * 0x1_0000 + this.highest;
  }

  /** Interarrival jitter, ms. */
  get jitterMs(): number {
    return this.clockRate > 0 ? (this.jitterTicks * 1000) / this.clockRate : 0;
  }

  /**
   * How much longer the gaps are than by chance (BurstR of ITU-T G.107): 1 for random loss, more for bursts.
   */
  get burstRatio(): number {
    const share = this.lost / Math.max(1, this.expected);
    return share > 0 && this.lossRuns > 0 ? Math.max(1, (this.lost / this.lossRuns) * (1 - share)) : 1;
  }

  /** What a report says of it; begins the next interval. Nothing before the first packet. */
  report(lastReport: number, sinceLastReport: number): ReportBlock | undefined {
    if (!this.begun) return undefined;
    const expected = this.expected - this.reportedExpected;
    const lost = expected - (this.received - this.reportedReceived);
    this.reportedExpected = this.expected;
    this.reportedReceived = this.received;
    return {
      ssrc: this.ssrc,
      fractionLost: expected > 0 && lost > 0 ? lost / expected : 0,
      lost: this.lost,
      highestSequence: this.extended % 0x1_0000_0000,
      jitter: Math.floor(this.jitterTicks),
      lastReport,
      sinceLastReport,
    };
  }

  private restart({ ssrc, sequence }: RtpFields): void {
    this.begun = true;
    this.ssrc = ssrc;
    this.first = this.highest = sequence;
    this.wraps = this.received = this.lossRuns = 0;
    this.reportedExpected = this.reportedReceived = 0;
    this.suspect = -1;
    this.jitterTicks = 0;
    this.transit = Number.NaN;
  }

  /** Whether the packet belongs to the numbering, which then goes on with it. */
  private follows(fields: RtpFields): boolean {
    const ahead = (fields.sequence - this.highest) & 0xffff;
    if (ahead < MAX_DROPOUT) {
      if (fields.sequence < this.highest && ahead > 0) this.wraps++;
      if (ahead > 1) this.lossRuns++;
      this.highest = fields.sequence;
    } else if (ahead < 0x1_0000 - MAX_MISORDER) {
      if (fields.sequence !== this.suspect) {
        this.suspect = (fields.sequence + 1) & 0xffff;
        return false;
      }
      this.restart(fields);
    }
    this.suspect = -1;
    return true;
  }

  private measure({ timestamp, at }: RtpFields, clockRate: number): void {
    // In whole and broken ticks modulo 2^32, as the timestamps are.
    const transit = ((at * clockRate) / 1000 - timestamp) % 0x1_0000_0000;
    if (clockRate === this.clockRate && !Number.isNaN(this.transit)) {
      const difference = modulo(transit - this.transit);
      // A pause in which the sender's timestamps stood still, or a jump of them, is no jitter.
      if (Math.abs(difference) < clockRate) this.jitterTicks += (Math.abs(difference) - this.jitterTicks) / 16;
    }
    this.transit = transit;
    this.clockRate = clockRate;
    this.timestamp = timestamp;
  }
}

/** The difference nearest to zero. */
function modulo(ticks: number): number {
  return ticks - Math.round(ticks / 0x1_0000_0000) * 0x1_0000_0000;
}
