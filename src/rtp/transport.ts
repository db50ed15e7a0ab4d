import type { RemoteInfo } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { reasonOf } from '../errors.js';
import { monotonicMs } from '../telemetry/clock.js';
import { answerCheck, type IceSession } from './ice/responder.js';
import { SourceLatch } from './latch.js';
import type { NegotiatedMedia } from './negotiated.js';
import { COMFORT_NOISE, isRtcp, parseRtp, type RtpFields, rtpFields } from './packet.js';
import { protectedPackets } from './packet-memory.js';
import { bindPair, type SocketPair } from './sockets.js';
import { SRTP_OVERHEAD, type SrtpFailure } from './srtp/session.js';
import { PacketSecurity } from './transport-security.js';

/**
 * Gets what belongs to the call: plain, authentic where that was agreed, from the right source, of a payload type that was
 * negotiated. A datagram and its fields are valid during the call only; behind the payload there may be what is none of the packet's. `at` is the arrival of RTCP, ms of the monotonic clock.
 */
export interface TransportListener {
  rtp(datagram: Uint8Array, fields: RtpFields): void;
  rtcp(datagram: Uint8Array, at: number): void;
  /** Something went wrong; the transport goes on. */
  error(error: Error): void;
}

/** Datagrams that came and were not passed on. */
export interface TransportCounts {
  /** Of a source that is not the call's. */
  foreign: number;
  /** Not made with the peer's key. */
  unauthenticated: number;
  /** That had come before, or too long ago. */
  replayed: number;
  malformed: number;
}

/** Pairs that ICE has checked are remembered up to this many. */
const MAX_CHECKED = 32;

/**
 * Everything between a leg and its two sockets: which source is the peer's ({@link SourceLatch}), SRTP, DTLS, ICE-lite, and
 * RTCP on its own port or on that of RTP. What comes is told apart by its first octet (RFC 7983) and RTCP from RTP by its
 * type (RFC 5761, 4). Plain packets pass without allocation.
 */
export class MediaTransport {
  private readonly latch = new SourceLatch();
  private readonly rtcpLatch = new SourceLatch();
  private readonly security = new PacketSecurity(
    (datagram, address, port) => this.sendTo(datagram, address, port),
    (reason) => this.listener.error(new Error(`DTLS: ${reason}`)),
  );
  /** Where RTCP has a port of its own, it has a DTLS handshake of its own there (RFC 5764, 3). */
  private readonly rtcpSecurity = new PacketSecurity(
    (datagram, address, port) => this.sockets?.sendRtcp(datagram, address, port),
    (reason) => this.listener.error(new Error(`DTLS of RTCP: ${reason}`)),
  );
  private readonly fields: RtpFields = rtpFields();
  private readonly expected = new Uint8Array(128);
  private readonly tally = { unauthenticated: 0, replayed: 0, malformed: 0 };
  private sockets: SocketPair | undefined;
  private media: NegotiatedMedia | undefined;
  private checked = new Set<string>();

  private constructor(private readonly listener: TransportListener) {}

  /**
   * Binds `port`, which is even, for RTP and the one above for RTCP. Rejects with the system's error, of which EADDRINUSE
   * means that another port may do.
   */
  static async bind(address: string, port: number, listener: TransportListener): Promise<MediaTransport> {
    const transport = new MediaTransport(listener);
    transport.sockets = await bindPair(address, port, {
      rtp: (datagram, source) => transport.arrived(datagram, source, false),
      rtcp: (datagram, source) => transport.arrived(datagram, source, true),
      error: (error) => listener.error(error),
    });
    return transport;
  }

  /** After offer and answer, also each later time: what did not change goes on undisturbed. */
  negotiated(media: NegotiatedMedia): void {
    this.media = media;
    this.expected.fill(0);
    for (const { payloadType } of media.receives) this.expected[payloadType] = 1;
    this.expected[COMFORT_NOISE] = 1;
    this.security.negotiated(media.security);
    this.rtcpSecurity.negotiated(hasOwnRtcpKeys(media) ? media.security : undefined);
    if (!media.ice) this.checked.clear();
    // What ICE has found holds until it finds another; SDP has the pair of before.
    if (media.ice && !media.ice.remoteLite && this.latch.nominated) return this.reach();
    const { remote, rtcp } = media;
    this.locate(this.latch, remote.address, remote.port);
    this.locate(this.rtcpLatch, rtcp?.address ?? remote.address, rtcp?.port ?? remote.port + 1);
    this.reach();
  }

  /** Whether a packet would go out: it is known where to, and under which key. */
  get canSend(): boolean {
    return this.latch.port !== 0 && (!this.security.required || this.security.sender !== undefined);
  }

  /** What came and was not passed on, since the beginning. */
  get counts(): TransportCounts {
    return { foreign: this.latch.foreign + this.rtcpLatch.foreign, ...this.tally };
  }

  /** Sends an RTP packet, protected when that was agreed; its buffer may be used again at once. */
  sendRtp(packet: Uint8Array): void {
    if (!this.canSend) return;
    const { sender } = this.security;
    const { address, port } = this.latch;
    if (!sender) return this.sendTo(packet, address, port);
    const length = sender.protectRtp(packet, protectedPackets.bytes);
    this.sendTo(protectedPackets.view(length), address, port);
  }

  /** Sends a compound RTCP packet. */
  sendRtcp(packet: Uint8Array): void {
    if (!this.canSend || !this.media) return;
    const { required, sender } = hasOwnRtcpKeys(this.media) ? this.rtcpSecurity : this.security;
    if (required && !sender) return;
    let bytes = packet;
    if (sender) {
      const buffer = Buffer.alloc(packet.length + SRTP_OVERHEAD);
      bytes = buffer.subarray(0, sender.protectRtcp(packet, buffer));
    }
    const { latch, rtcpLatch } = this;
    if (this.media.rtcpMux) return this.sendTo(bytes, latch.address, latch.port);
    // A NAT most likely keeps the ports together.
    const guess = latch.locked && !rtcpLatch.locked && !this.media.rtcp;
    const address = guess ? latch.address : rtcpLatch.address;
    const port = guess ? latch.port + 1 : rtcpLatch.port;
    if (port > 0 && port <= 65_535) this.sockets?.sendRtcp(bytes, address, port);
  }

  /** Resolves when both ports are free. */
  async close(): Promise<void> {
    const { sockets } = this;
    this.sockets = undefined;
    this.media = undefined;
    this.security.close();
    this.rtcpSecurity.close();
    await sockets?.close();
  }

  private sendTo(bytes: Uint8Array, address: string, port: number): void {
    if (port !== 0) this.sockets?.send(bytes, address, port);
  }

  /** A name is looked up; "on hold" or "ICE will tell" is no place to go to. */
  private locate(latch: SourceLatch, host: string, port: number): void {
    if (host === '0.0.0.0' || host === '::') return;
    if (isIP(host) !== 0) return latch.negotiated(host, port);
    const asked = this.media;
    lookup(host, (error, address) => {
      if (error) this.listener.error(new Error(`cannot resolve ${host}: ${error.message}`));
      else if (this.media === asked && asked !== undefined) {
        latch.negotiated(address, port);
        this.reach();
      }
    });
  }

  /** It is known where the peer is, perhaps: handshakes that wait for that begin. */
  private reach(): void {
    this.security.reach(this.latch.address, this.latch.port);
    this.rtcpSecurity.reach(this.rtcpLatch.address, this.rtcpLatch.port);
  }

  private arrived(datagram: Buffer, source: RemoteInfo, onRtcpPort: boolean): void {
    if (!this.media) return;
    try {
      const first = datagram[0] ?? 255;
      if (first >= 128 && first <= 191) this.packet(datagram, source, onRtcpPort);
      else if (first <= 3) this.check(datagram, source, onRtcpPort);
      else if (first >= 20 && first <= 63) this.handshake(datagram, source, onRtcpPort);
      else this.tally.malformed++;
    } catch (error) {
      this.listener.error(error instanceof Error ? error : new Error(reasonOf(error)));
    }
  }

  private packet(datagram: Buffer, source: RemoteInfo, onRtcpPort: boolean): void {
    if (isRtcp(datagram)) this.rtcp(datagram, source, onRtcpPort);
    else if (onRtcpPort) this.tally.malformed++;
    else this.rtp(datagram, source);
  }

  private rtp(datagram: Buffer, source: RemoteInfo): void {
    const { required, receiver } = this.security;
    let { length } = datagram;
    if (required) {
      if (!receiver) return;
      const plain = receiver.unprotectRtp(datagram);
      if (typeof plain === 'string') return this.refuse(plain);
      length = plain;
    }
    const { fields } = this;
    if (!parseRtp(datagram, fields, length)) return this.refuse('malformed');
    if (this.expected[fields.payloadType] === 0) return;
    fields.at = monotonicMs();
    if (this.latch.accepts(source.address, source.port, fields, required)) this.listener.rtp(datagram, fields);
  }

  private rtcp(datagram: Buffer, source: RemoteInfo, onRtcpPort: boolean): void {
    const latch = onRtcpPort ? this.rtcpLatch : this.latch;
    const ownKeys = onRtcpPort && this.media !== undefined && hasOwnRtcpKeys(this.media);
    const { required, receiver } = ownKeys ? this.rtcpSecurity : this.security;
    let packet = datagram;
    if (required) {
      if (!receiver) return;
      const length = receiver.unprotectRtcp(datagram);
      if (typeof length === 'string') return this.refuse(length);
      packet = datagram.subarray(0, length);
    }
    const at = monotonicMs();
    if (latch.accepts(source.address, source.port, { ssrc: packet.readUInt32BE(4), at }, required)) {
      this.listener.rtcp(packet, at);
    }
  }

  private refuse(failure: SrtpFailure): void {
    this.tally[failure]++;
  }

  /** A connectivity check of ICE. Who has not agreed on ICE is not answered. */
  private check(datagram: Buffer, source: RemoteInfo, onRtcpPort: boolean): void {
    const ice: IceSession | undefined = this.media?.ice;
    const answer = ice && answerCheck(datagram, ice, source.address, source.port);
    if (!answer) return;
    if (onRtcpPort) this.sockets?.sendRtcp(answer.response, source.address, source.port);
    else this.sendTo(answer.response, source.address, source.port);
    if (!answer.valid) return;
    if (this.checked.size < MAX_CHECKED) this.checked.add(`${source.address} ${source.port}`);
    if (!answer.nominated) return;
    (onRtcpPort ? this.rtcpLatch : this.latch).nominate(source.address, source.port);
    this.reach();
  }

  private handshake(datagram: Buffer, source: RemoteInfo, onRtcpPort: boolean): void {
    const { media } = this;
    if (!media) return;
    const { address, port } = source;
    const { ice, remote } = media;
    const checks = ice !== undefined && !ice.remoteLite;
    if (checks && !this.checked.has(`${address} ${port}`)) return;
    const signalled = checks || (!onRtcpPort && address === remote.address && port === remote.port);
    (onRtcpPort ? this.rtcpSecurity : this.security).handshake(datagram, address, port, signalled);
  }
}

function hasOwnRtcpKeys({ security, rtcpMux }: NegotiatedMedia): boolean {
  return security?.kind === 'dtls' && !rtcpMux;
}
