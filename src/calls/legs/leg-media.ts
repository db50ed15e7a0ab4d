import { isIP } from 'node:net';
import { ParleyError } from '../../errors.js';
import type { NegotiatedMedia } from '../../rtp/negotiated.js';
import { type AudioOptions, acceptAnswer, answerOffer, legRate, makeOffer, SdpSession } from '../../rtp/sdp/sdp.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { MediaHost } from '../../workers/media/media-host.js';
import type { FromMedia, LegStats } from '../../workers/messages.js';
import { mediaOf, onlyMedium, redirected, unheard, usedMedium } from './sdp-lines.js';

/** One leg's media with its offer/answer state (RFC 3264): who offered what, and what was agreed. */
export class LegMedia {
  private agreed: NegotiatedMedia | undefined;
  private pendingOffer: string | undefined;
  private sdp = '';
  /** We have put the caller on hold. */
  private holding = false;
  private heldByCaller = false;

  private times = 0;
  private closed = false;

  private constructor(
    private readonly host: MediaHost,
    private opened: MediaLeg,
    private readonly session: SdpSession,
    private readonly audio: AudioOptions,
    private readonly listener: (event: FromMedia) => void,
  ) {}

  /**
   * Binds a port and answers the offer, or makes one when the INVITE had none, or is ours; a leg that we call listens for the beep of a mailbox. Legs of one `call` can be mixed. A call of a wideband codec is heard and
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
    call: string = leg,
  ): Promise<LegMedia> {
    const inband = audio.inbandDtmf ?? 'auto';
    const opened = await host.open(leg, listener, legRate(offer, audio), { call, inband, beeps: call !== leg });
    const media = new LegMedia(host, opened, new SdpSession(), audio, listener);
    try {
      media.describe(offer);
      return media;
    } catch (error) {
      await media.close();
      throw error;
    }
  }

  /** The present one: {@link reopen} takes another. */
  get leg(): MediaLeg {
    return this.opened;
  }

  /**
   * Its worker is lost: opens the leg in another, at the same port where that can be had, and goes on as was agreed. The
   * peer is to be told by {@link movedOffer}; until it knows, only what we send arrives where the port is another.
   *
   * @returns whether the peer need not know: it is the same port, and there are no keys that were lost
   * @throws ParleyError as `MediaHost.open`
   */
  async reopen(): Promise<boolean> {
    const { opened: after, audio, listener } = this;
    const { leg, call, sampleRate } = after;
    const name = `${leg.replace(/~\d+$/, '')}~${++this.times}`;
    const inband = audio.inbandDtmf ?? 'auto';
    this.opened = await this.host.open(name, listener, sampleRate, { call, inband, beeps: call !== leg, after });
    if (this.closed) {
      await this.opened.close();
      throw new ParleyError('PARLEY_ERR_MEDIA_LOST', { reason: 'the call is over' });
    }
    if (this.agreed) this.tellLeg(this.agreed);
    return this.opened.port === after.port && this.agreed?.security === undefined;
  }

  /** Our offer after {@link reopen}: a new port, new keys. Nothing changes until the answer. */
  movedOffer(): string {
    return this.ownOffer();
  }

  /** The peer took it. @returns as `held` of {@link reoffered} @throws ParleyError as {@link accept} */
  movedAccepted(offer: string, answer: string): boolean | undefined {
    return this.offerAccepted(offer, answer, this.holding);
  }

  /** Our side's SDP: the answer, or our own offer. */
  get localSdp(): string {
    return this.sdp;
  }

  get codec(): string {
    return this.agreed?.codec.name ?? 'none';
  }

  /** How the peer takes keys. */
  get keyMethod(): 'rfc4733' | 'inband' {
    return this.agreed?.telephoneEvent ? 'rfc4733' : 'inband';
  }

  /** Whether the caller can hear us now. */
  get heard(): boolean {
    const direction = this.agreed?.direction;
    return direction === 'sendrecv' || direction === 'sendonly';
  }

  /** Whether we have put the caller on hold. */
  get holds(): boolean {
    return this.holding;
  }

  /** Whether the caller has put us on hold. */
  get held(): boolean {
    return this.heldByCaller;
  }

  /**
   * An ACK has come, with the answer if the offer was ours.
   *
   * @returns as `held` of {@link reoffered}
   * @throws ParleyError PARLEY_ERR_SDP_INVALID, PARLEY_ERR_SDP_NO_CODEC: there is no media to talk over
   */
  accept(answer: string | undefined): boolean | undefined {
    if (!this.pendingOffer || (!answer && this.agreed)) return undefined;
    if (!answer) throw new ParleyError('PARLEY_ERR_SDP_INVALID', { reason: 'the ACK brings no answer to our offer' });
    const held = this.answered(this.pendingOffer, answer);
    this.pendingOffer = undefined;
    return held;
  }

  /**
   * A new offer mid-call, or the wish for one. `held` tells when the caller put us on hold or took us back.
   *
   * @throws ParleyError as {@link open}; everything stays as it was then
   */
  reoffered(offer: string | undefined): { sdp: string; held: boolean | undefined } {
    const before = this.heldByCaller;
    this.describe(offer);
    return { sdp: this.sdp, held: this.heldByCaller === before ? undefined : this.heldByCaller };
  }

  /** Our offer to hold the caller, who may still hear us, or to take them back. Nothing changes until the answer. */
  offer(holding: boolean): string {
    // Who is what in the DTLS handshake stays, and is for the answer to say (RFC 8842, 5).
    const body = redirected(this.sdp, holding ? 'sendonly' : 'sendrecv').replace(/^a=setup:\w+/m, 'a=setup:actpass');
    return this.session.write(this.leg.address, body);
  }

  /**
   * The caller took it.
   *
   * @returns as `held` of {@link reoffered}
   * @throws ParleyError as {@link accept}
   */
  offerAccepted(offer: string, answer: string, holding: boolean): boolean | undefined {
    this.holding = holding;
    const held = this.answered(offer, answer);
    this.sdp = offer;
    return held;
  }

  /** As the session is now. @returns makes it so again */
  save(): () => void {
    const { agreed, pendingOffer, sdp, heldByCaller } = this;
    return () => {
      Object.assign(this, { pendingOffer, sdp });
      if (!agreed || agreed === this.agreed) return;
      Object.assign(this, { agreed, heldByCaller });
      this.tellLeg(agreed);
    };
  }

  close(): Promise<LegStats> {
    this.closed = true;
    return this.leg.close();
  }

  private answered(offer: string, answer: string): boolean | undefined {
    const before = this.heldByCaller;
    const place = usedMedium(offer);
    this.agree(acceptAnswer(onlyMedium(offer, place), onlyMedium(answer, place), this.audio));
    return this.heldByCaller === before ? undefined : this.heldByCaller;
  }

  private describe(offer: string | undefined): void {
    const { address, port } = this.leg;
    if (offer === undefined) {
      this.sdp = this.ownOffer();
      this.pendingOffer = this.sdp;
      return;
    }
    const heard = this.holding ? unheard(offer) : offer;
    const { sdp, media } = answerOffer(heard, { address, port }, this.session, this.audio);
    this.agree(media, true);
    this.sdp = sdp;
    this.pendingOffer = undefined;
  }

  /** All that we can do, what is spoken now first; media that were refused before keep their places. */
  private ownOffer(): string {
    const { address, port } = this.leg;
    const { codecs } = this.audio;
    const now = this.agreed?.codec.name;
    const ordered = now === undefined ? codecs : [now, ...codecs.filter((name) => name !== now)];
    const direction = this.holding ? 'sendonly' : 'sendrecv';
    const plain = makeOffer({ address, port }, this.session, { ...this.audio, codecs: ordered }, direction);
    const before = mediaOf(this.sdp);
    if (before.length < 2) return plain;
    const place = usedMedium(this.sdp);
    const body = before.map((medium, n) => (n === place ? mediaOf(plain).join('') : medium)).join('');
    return this.session.write(address, body);
  }

  /** @param offered by the peer: an answer to a hold of ours does not tell whether they hold us, too */
  private agree(media: NegotiatedMedia, offered = false): void {
    const { address: remote } = media.remote;
    const { address: local } = this.leg;
    // A host name (0) is looked up later.
    if (isIP(remote) !== 0 && isIP(remote) !== isIP(local)) {
      throw new ParleyError('PARLEY_ERR_SDP_FAMILY', { remote, local });
    }
    const held = media.direction === 'recvonly' || media.direction === 'inactive';
    if (offered || !this.holding) this.heldByCaller = held;
    this.agreed = media;
    this.tellLeg(media);
  }

  /** The music that comes while we are on hold is not the caller speaking. */
  private tellLeg(media: NegotiatedMedia): void {
    this.leg.negotiated(this.heldByCaller ? { ...media, direction: 'inactive' } : media);
  }
}
