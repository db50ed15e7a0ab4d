import { type PeerCall, RawPeer } from './raw-peer.js';
import type { RoughLine } from './rough-line.js';
import { RtpPeer, toSound } from './rtp-peer.js';
import type { Server } from './server.js';
import { speak } from './speech.js';
import { until } from './until.js';
import type { Sound } from './wav.js';

/** What is not as with every caller of the kit. */
export interface CallerOptions {
  /** User part of From: `kit`. */
  name?: string;
  /** Address of this machine that SIP is sent from. */
  host?: string;
  /** More headers of the INVITE. */
  headers?: readonly string[];
  /** Changes the offer. */
  describe?: (sdp: string) => string;
}

/** A caller of the kit in a call with Parley: raw SIP and RTP peers, put together. */
export class Phone {
  private constructor(
    readonly peer: RawPeer,
    readonly rtp: RtpPeer,
    readonly call: PeerCall,
  ) {}

  /** Sends the INVITE and does not wait for anything. */
  static async invite(server: Pick<Server, 'sip'>, number = '8001', as: CallerOptions = {}): Promise<Phone> {
    const peer = await RawPeer.open(server.sip, as.host, as.name);
    const rtp = await RtpPeer.open();
    return new Phone(peer, rtp, peer.invite(number, as.describe?.(rtp.sdp()) ?? rtp.sdp(), as.headers));
  }

  /** Calls, and waits until the call stands and RTP flows to the server. */
  static async dial(server: Pick<Server, 'sip'>, number = '8001', as: CallerOptions = {}): Promise<Phone> {
    return (await Phone.invite(server, number, as)).stands((sdp) => sdp);
  }

  /** The same with its RTP, not its SIP, over a bad line. */
  static async dialOver(line: RoughLine, server: Pick<Server, 'sip'>, number = '8001'): Promise<Phone> {
    const phone = await Phone.invite(server, number, { describe: (sdp) => line.fromCaller(sdp) });
    return phone.stands((sdp) => line.fromServer(sdp));
  }

  /** Waits for the answer, and goes where there is none. */
  private async stands(from: (sdp: string) => string): Promise<Phone> {
    try {
      this.rtp.start(from((await this.call.answered()).body));
      this.call.reoffered = (sdp) => this.rtp.aim(from(sdp));
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get callId(): string {
    return this.call.callId;
  }

  /** Waits until the agent's greeting is over, as heard on the wire. */
  greeted(): Promise<void> {
    return this.rtp.spoken(0);
  }

  /** Says a line, and waits for the agent's whole reply to it; returns what was heard of it. */
  async ask(line: string): Promise<Sound> {
    await this.rtp.play(await speak(line));
    const said = performance.now();
    await this.rtp.spoken(said);
    return toSound(this.rtp.heard.filter((packet) => packet.at > said));
  }

  /** What was heard since then (`performance.now()`) of the stream that came last. */
  since(at: number): Sound {
    const last = this.rtp.heard.at(-1)?.ssrc;
    return toSound(this.rtp.heard.filter((packet) => packet.at > at && packet.ssrc === last));
  }

  /** Waits for the first RTP packet from the server. */
  async firstSound(): Promise<void> {
    await until('RTP from the server', () => this.rtp.heard.length > 0, { everyMs: 5 });
  }

  /** BYE. */
  async hangUp(): Promise<void> {
    await this.call.bye();
  }

  /** Goes, and takes a call that a failed test has left standing along; twice does no harm. */
  async close(): Promise<void> {
    if (this.call.open) await this.call.bye().catch(() => undefined);
    this.rtp.close();
    this.peer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
