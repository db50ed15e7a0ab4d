import { RtpPeer } from './rtp-peer.js';
import type { Server } from './server.js';
import { type PeerCall, SipPeer } from './sip-peer.js';
import { speak } from './speech.js';
import { until } from './until.js';

/** A caller of the kit in a call with Parley: raw SIP and RTP peers, put together. */
export class Phone {
  private constructor(
    private readonly server: Server,
    readonly peer: SipPeer,
    readonly rtp: RtpPeer,
    readonly call: PeerCall,
  ) {}

  /** Sends the INVITE and does not wait for anything. */
  static async invite(server: Server, number = '8001', headers: readonly string[] = []): Promise<Phone> {
    const peer = await SipPeer.open(server.sip);
    const rtp = await RtpPeer.open();
    return new Phone(server, peer, rtp, peer.invite(number, rtp.sdp(), headers));
  }

  /** Calls, and waits until the call stands and RTP flows to the server. */
  static async dial(server: Server, number = '8001'): Promise<Phone> {
    const phone = await Phone.invite(server, number);
    const answer = await phone.call.answered();
    phone.rtp.start(answer.body);
    return phone;
  }

  get callId(): string {
    return this.call.callId;
  }

  /** Waits until the agent's greeting is over. */
  async greeted(): Promise<void> {
    await this.server.event('agent.turn', { sipCallId: this.callId, where: ({ kind }) => kind === 'greeting' });
  }

  /** Says a line, and waits for the agent's whole reply to it; returns what was heard of it. */
  async ask(line: string): Promise<string> {
    const before = this.replies();
    await this.rtp.play(await speak(line));
    await until(`reply to "${line}"`, () => this.replies() > before, { ms: 30_000 });
    const reply = this.server.journal(this.callId).findLast((event) => event.type === 'agent.turn');
    return reply?.type === 'agent.turn' ? reply.heard : '';
  }

  /** Waits for the first RTP packet from the server. */
  async firstSound(): Promise<void> {
    await until('RTP from the server', () => this.rtp.heard.length > 0, { everyMs: 5 });
  }

  async hangUp(): Promise<void> {
    await this.call.bye();
    await this.server.event('call.ended', { sipCallId: this.callId });
  }

  close(): void {
    this.rtp.close();
    this.peer.close();
  }

  private replies(): number {
    const events = this.server.journal(this.callId);
    return events.filter((event) => event.type === 'agent.turn' && event.kind === 'reply').length;
  }
}
