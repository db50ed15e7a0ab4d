import { randomBytes } from 'node:crypto';
import { assessQuality, type QualityMeasures } from '../../media/quality.js';
import type { MediaWatchConfig } from '../../media/quality-config.js';
import { MediaWatch } from '../../media/quality-watch.js';
import type { NegotiatedMedia } from '../../rtp/negotiated.js';
import { RTP_HEADER_BYTES, type RtpFields } from '../../rtp/packet.js';
import { RtcpSession } from '../../rtp/rtcp/session.js';
import type { RtpSender } from '../../rtp/sender.js';
import type { FromMedia } from '../messages.js';

/** How often main is told of the quality, ms. */
const QUALITY_MS = 30_000;
/** Directions are looked at so often, ms. */
const WATCH_MS = 1000;
/** What stands between network and ear besides the packets, on either side, ms: a usual jitter buffer. */
const BUFFER_MS = 40;

/** How a leg's streams fare: RTCP, quality by the E-model, and an alarm when a direction falls silent. */
export class LegHealth {
  private readonly watch: MediaWatch;
  private readonly cname = randomBytes(12).toString('base64');
  private rtcp: RtcpSession | undefined;
  private ssrc = -1;
  private media: NegotiatedMedia | undefined;
  private watchAt = 0;
  private qualityAt: number;

  constructor(
    private readonly leg: string,
    config: MediaWatchConfig,
    private readonly sender: RtpSender,
    /** Of the present tick, ms monotonic. */
    public now: number,
    private readonly post: (event: FromMedia) => void,
  ) {
    this.qualityAt = now + QUALITY_MS;
    this.watch = new MediaWatch(config, now, (event) => {
      const { direction } = event;
      const seconds = Math.round(event.forMs / 1000);
      if (event.type === 'timeout') post({ type: 'silence.timeout', leg, direction, seconds, action: event.action });
      else post({ type: 'silent', leg, direction, seconds, on: event.type === 'silent' });
    });
  }

  /** What should flow from now on; on hold nothing is missed. */
  negotiated(media: NegotiatedMedia, now: number): void {
    const { direction, remote } = media;
    const before = this.media?.remote;
    if (before && (before.port !== remote.port || before.address !== remote.address)) this.watch.moved(now);
    this.media = media;
    this.now = now;
    const both = direction === 'sendrecv';
    this.watch.expect(both || direction === 'recvonly', both || direction === 'sendonly', now);
  }

  /** A packet leaves. */
  sent(packet: Uint8Array): void {
    const clockRate = this.media?.codec.clockRate ?? 8000;
    this.session().onRtpSent(packet.length - RTP_HEADER_BYTES, this.sender.mediaTimestamp, this.now, clockRate);
  }

  /** Packets left in this tick as they should, or there was silence that need not be sent. */
  spoke(now: number): void {
    this.watch.onSent(now);
  }

  /** @param clockRate of its timestamp, Hz; 0 for keys and comfort noise */
  received(fields: RtpFields, clockRate: number): void {
    this.session().onRtpReceived(fields, clockRate);
    this.watch.onReceived(fields);
  }

  /** A datagram of RTCP; false when it is none. */
  report(datagram: Uint8Array, at: number): boolean {
    const session = this.session();
    if (!session.received(datagram, at)) return false;
    this.watch.onRtcp(at);
    if (session.arrival) this.watch.onArrival(session.arrival, at);
    return true;
  }

  /** @param send takes a report that is due */
  tick(now: number, send: (report: Uint8Array) => void): void {
    if (!this.media) return;
    const report = this.session().due(now);
    if (report) send(report);
    if (now >= this.watchAt) {
      this.watchAt = now + WATCH_MS;
      this.watch.tick(now);
    }
    if (now < this.qualityAt) return;
    this.qualityAt = now + QUALITY_MS;
    this.assess();
  }

  /** The last report, and the last word on quality. */
  close(now: number, send: (report: Uint8Array) => void): void {
    const bye = this.rtcp?.bye(now);
    if (bye) send(bye);
    this.assess();
  }

  /** A stream of another clock has another source, and reports of its own. */
  private session(): RtcpSession {
    if (!this.rtcp || this.ssrc !== this.sender.ssrc) {
      this.ssrc = this.sender.ssrc;
      this.rtcp = new RtcpSession({ ssrc: this.ssrc, cname: this.cname, now: this.now });
    }
    return this.rtcp;
  }

  private assess(): void {
    const { rtcp, media } = this;
    if (!rtcp || !media) return;
    const { name: codec } = media.codec;
    const { reception, remote, roundTripMs } = rtcp;
    const shared = { codec, roundTripMs, bufferMs: BUFFER_MS + media.ptime };
    if (reception.received > 0) {
      const { received: packets, lost, jitterMs, burstRatio } = reception;
      this.tell({ ...shared, direction: 'received', packets, lostPackets: Math.max(0, lost), burstRatio, jitterMs });
    }
    if (!remote) return;
    const { lost, jitterMs } = remote;
    const packets = Math.max(0, rtcp.sentPackets - lost);
    this.tell({ ...shared, direction: 'sent', packets, lostPackets: Math.max(0, lost), burstRatio: 1, jitterMs });
  }

  private tell(measures: QualityMeasures): void {
    const { direction, packets, mos, r, lossPercent, jitterMs, roundTripMs } = assessQuality(measures);
    this.post({ type: 'quality', leg: this.leg, direction, packets, mos, r, lossPercent, jitterMs, roundTripMs });
  }
}
