import type { RtpFields } from '../packet.js';
import { parseRtcp, type ReportBlock, type RtcpPacket, writeBye, writeDescription, writeReport } from './packets.js';
import { Reception } from './reception.js';

/** Least mean time between reports, ms (RFC 3550, 6.2); the first comes after half of it. */
const INTERVAL_MS = 5000;
/** Makes up for what the randomisation does to the mean (RFC 3550, 6.3.1). */
const COMPENSATION = Math.E - 1.5;
/** Seconds from 1900, where NTP time begins, to 1970. */
const NTP_EPOCH = 2_208_988_800;
/** A sender that has sent nothing for two intervals reports as a receiver (RFC 3550, 6.3.8). */
const SENDER_MS = 2 * INTERVAL_MS;
const MAX_CNAME = 255;
/** Fewer packets between two reports prove nothing: they may be on their way. */
const EVIDENCE = 50;

/** What a session is made from. */
export interface RtcpOptions {
  /** Of the stream that we send. */
  ssrc: number;
  /** Our canonical name: one for all streams of a call, ASCII. */
  cname: string;
  /** Now, ms monotonic. */
  now: number;
  /** The same moment, ms since 1970. */
  wallClock?: number;
  /** In [0, 1). */
  random?: () => number;
}

/** How the peer receives what we send, by its last report. */
export interface RemoteReport {
  /** When it came, ms monotonic. */
  at: number;
  /** Since its report before, 0 to 1. */
  fractionLost: number;
  lost: number;
  highestSequence: number;
  jitterMs: number;
}

/**
 * What the peer's reports say of what we send: it arrives, or did and does no more. Who reports on nobody hears nothing, or
 * leaves reports on us out.
 */
export type Arrival = 'arrives' | 'stalls' | 'unheard';

/** RTCP of one leg (RFC 3550, 6): counts what is sent and received, says so, and reads what the peer says. */
export class RtcpSession {
  readonly reception = new Reception();
  /** From our report to the peer's answer and back, without the time it lay there, ms; undefined before the first. */
  roundTripMs: number | undefined;
  /** The peer's last report about our stream. */
  remote: RemoteReport | undefined;
  /** By the last report that told; undefined before. */
  arrival: Arrival | undefined;
  /** Packets that the peer says it has sent; undefined before its first sender report. */
  peerSent: number | undefined;
  /** The peer said that it leaves. */
  left = false;
  sentPackets = 0;
  /** {@link sentPackets} when the peer's last report came. */
  private sentBefore = 0;
  private sentOctets = 0;
  private sentTimestamp = 0;
  private sentAt = Number.NEGATIVE_INFINITY;
  private sendClock = 8000;
  /** Middle bits of the peer's last sender report, and when it came. */
  private lastReport = 0;
  private lastReportAt = 0;
  private readonly cname: string;
  private readonly ssrc: number;
  /** Wall clock minus monotonic, ms. */
  private readonly wallOffset: number;
  private readonly random: () => number;
  private nextAt: number;
  private readonly buffer = new Uint8Array(400);
  private readonly view = new DataView(this.buffer.buffer);

  constructor({ ssrc, cname, now, wallClock = Date.now(), random = Math.random }: RtcpOptions) {
    this.ssrc = ssrc;
    this.cname = cname.slice(0, MAX_CNAME);
    this.wallOffset = wallClock - now;
    this.random = random;
    this.nextAt = now + this.interval() / 2;
  }

  /**
   * A packet of ours leaves. @param octets of its payload
   *
   * @param at ms monotonic
   * @param clockRate of its timestamp, Hz
   */
  onRtpSent(octets: number, timestamp: number, at: number, clockRate: number): void {
    this.sentPackets++;
    this.sentOctets += octets;
    this.sentTimestamp = timestamp;
    this.sentAt = at;
    this.sendClock = clockRate;
  }

  /** A packet came; see {@link Reception.packet}. */
  onRtpReceived(fields: RtpFields, clockRate: number): void {
    if (fields.ssrc !== this.reception.ssrc) {
      this.lastReport = 0;
      this.left = false;
    }
    this.reception.packet(fields, clockRate);
  }

  /** Reads a datagram that came at `at`, ms monotonic; false when it is not valid RTCP, of which nothing is believed. */
  received(datagram: Uint8Array, at: number): boolean {
    const packets = parseRtcp(datagram);
    if (!packets) return false;
    for (const packet of packets) this.read(packet, at);
    return true;
  }

  /**
   * The report that is due; to be called now and then, every 20 ms or less often. `now` in ms monotonic.
   *
   * @returns a view that is overwritten by the next report; undefined while none is due
   */
  due(now: number): Uint8Array | undefined {
    if (now < this.nextAt) return undefined;
    this.nextAt = now + this.interval();
    return this.buffer.subarray(0, this.write(now));
  }

  /** The last report, that we leave; undefined when nothing was ever sent, RTP or RTCP (RFC 3550, 6.3.7). */
  bye(now: number): Uint8Array | undefined {
    if (this.sentPackets === 0) return undefined;
    return this.buffer.subarray(0, writeBye(this.view, this.write(now), this.ssrc));
  }

  private interval(): number {
    return (INTERVAL_MS * (0.5 + this.random())) / COMPENSATION;
  }

  private write(now: number): number {
    const since = this.lastReport === 0 ? 0 : Math.round(((now - this.lastReportAt) * 65_536) / 1000);
    const block = this.reception.report(this.lastReport, since);
    const sends = now - this.sentAt < SENDER_MS;
    const end = writeReport(this.view, 0, this.ssrc, sends ? this.senderInfo(now) : undefined, block ? [block] : []);
    return writeDescription(this.view, end, this.ssrc, this.cname);
  }

  private senderInfo(now: number) {
    const [ntpSeconds, ntpFraction] = this.ntp(now);
    return {
      ntpSeconds,
      ntpFraction,
      // What the timestamp would be at this very moment.
      rtpTimestamp: (this.sentTimestamp + Math.round(((now - this.sentAt) * this.sendClock) / 1000)) >>> 0,
      packets: this.sentPackets % 0x1_0000_0000,
      octets: this.sentOctets % 0x1_0000_0000,
    };
  }

  private ntp(now: number): [seconds: number, fraction: number] {
    const wall = now + this.wallOffset;
    const seconds = Math.floor(wall / 1000);
    const fraction = Math.floor(((wall - seconds * 1000) / 1000) * 0x1_0000_0000);
    return [(seconds + NTP_EPOCH) % 0x1_0000_0000, fraction];
  }

  private read(packet: RtcpPacket, at: number): void {
    if (packet.type === 'bye') {
      if (packet.ssrcs.includes(this.reception.ssrc)) this.left = true;
    } else if (packet.type === 'sr') {
      this.peerSent = packet.sender.packets;
      // Zero means none, and stands for one in 2^32 instants only.
      this.lastReport = (((packet.sender.ntpSeconds & 0xffff) << 16) | (packet.sender.ntpFraction >>> 16)) >>> 0;
      this.lastReportAt = at;
      this.readReports(packet.reports, at);
    } else if (packet.type === 'rr') this.readReports(packet.reports, at);
  }

  private readReports(reports: readonly ReportBlock[], at: number): void {
    const report = reports.find(({ ssrc }) => ssrc === this.ssrc);
    this.arrival = this.judge(report, reports.length) ?? this.arrival;
    this.sentBefore = this.sentPackets;
    if (!report) return;
    const { fractionLost, lost, highestSequence, jitter } = report;
    this.remote = { at, fractionLost, lost, highestSequence, jitterMs: (jitter * 1000) / this.sendClock };
    if (report.lastReport === 0) return;
    const [seconds, fraction] = this.ntp(at);
    const arrival = (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
    const ticks = (arrival - report.lastReport - report.sinceLastReport) | 0;
    // Beyond a minute it is somebody's clock, or a report about another's.
    if (ticks >= -66 && ticks < 60 * 65_536) this.roundTripMs = (Math.max(0, ticks) * 1000) / 65_536;
  }

  private judge(report: ReportBlock | undefined, reports: number): Arrival | undefined {
    if (report && report.highestSequence !== this.remote?.highestSequence) return 'arrives';
    // Of other sources only: somebody between us reports on its own.
    if (this.sentPackets - this.sentBefore < EVIDENCE || (!report && reports > 0)) return undefined;
    return this.remote ? 'stalls' : 'unheard';
  }
}
