import { isIP } from 'node:net';
import { ParleyError } from '../errors.js';
import type { NegotiatedMedia } from '../rtp/negotiated.js';
import { type AudioOptions, acceptAnswer, answerOffer, legRate, makeOffer, SdpSession } from '../rtp/sdp.js';
import type { MediaHost, MediaLeg } from '../workers/media-host.js';
import type { FromMedia, LegStats } from '../workers/messages.js';

/** One leg's media with its offer/answer state (RFC 3264): who offered what, and what was agreed. */
export class LegMedia {
  private agreed: NegotiatedMedia | undefined;
  private pendingOffer: string | undefined;
  private sdp = '';

  private constructor(
    readonly leg: MediaLeg,
    private readonly session: SdpSession,
    private readonly audio: AudioOptions,
  ) {}

  /**
   * Binds a port and answers the offer, or makes one when the INVITE had none. A call of a wideband codec is heard and
   * spoken in wideband; what is negotiated later is converted to the rate it began with.
   *
   * @throws ParleyError PARLEY_ERR_SDP_INVALID, PARLEY_ERR_SDP_NO_CODEC, PARLEY_ERR_SDP_FAMILY, PARLEY_ERR_RTP_NO_PORT
   */
  static async open(
    host: MediaHost,
    leg: string,
    offer: string | undefined,
    audio: AudioOptions,
    listener: (event: FromMedia) => void,
  ): Promise<LegMedia> {
    const opened = await host.open(leg, listener, legRate(offer, audio));
    const media = new LegMedia(opened, new SdpSession(), audio);
    try {
      media.describe(offer);
      return media;
    } catch (error) {
      await media.close();
      throw error;
    }
  }

  /** Our side's SDP: the answer, or our own offer. */
  get localSdp(): string {
    return this.sdp;
  }

  get codec(): string {
    return this.agreed?.codec.name ?? 'none';
  }

  /**
   * An ACK has come, with the answer if the offer was ours.
   *
   * @throws ParleyError PARLEY_ERR_SDP_INVALID, PARLEY_ERR_SDP_NO_CODEC: there is no media to talk over
   */
  accept(answer: string | undefined): void {
    if (!this.pendingOffer || (!answer && this.agreed)) return;
    if (!answer) throw new ParleyError('PARLEY_ERR_SDP_INVALID', { reason: 'the ACK brings no answer to our offer' });
    this.agree(acceptAnswer(this.pendingOffer, answer, this.audio));
    this.pendingOffer = undefined;
  }

  /** A new offer mid-call, or the wish for one. `held` tells when the caller put us on hold or took us back. */
  reoffered(offer: string | undefined): { sdp: string; held: boolean | undefined } {
    const before = this.held;
    this.describe(offer);
    return { sdp: this.sdp, held: this.held === before ? undefined : this.held };
  }

  close(): Promise<LegStats> {
    return this.leg.close();
  }

  private get held(): boolean {
    const direction = this.agreed?.direction;
    return direction === 'recvonly' || direction === 'inactive';
  }

  private describe(offer: string | undefined): void {
    const { address, port } = this.leg;
    if (offer === undefined) {
      this.sdp = makeOffer({ address, port }, this.session, this.audio);
      this.pendingOffer = this.sdp;
      return;
    }
    const { sdp, media } = answerOffer(offer, { address, port }, this.session, this.audio);
    this.sdp = sdp;
    this.agree(media);
  }

  private agree(media: NegotiatedMedia): void {
    const { address: remote } = media.remote;
    const { address: local } = this.leg;
    // A host name (0) is looked up later.
    if (isIP(remote) !== 0 && isIP(remote) !== isIP(local)) {
      throw new ParleyError('PARLEY_ERR_SDP_FAMILY', { remote, local });
    }
    this.agreed = media;
    this.leg.negotiated(media);
  }
}
