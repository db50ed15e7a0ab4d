import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EdgeBench, SECRET } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SeenMessage, type SipPeer } from '../../../test/kit/edge-peer.js';
import type { JournalEvent } from '../../journal/events.js';
import type { NegotiatedMedia } from '../../rtp/negotiated.js';
import { sipConfig } from '../../sip/config.js';
import type { Dialog } from '../../sip/dialog.js';
import type { Invite } from '../../sip/invite.js';
import { UserAgent } from '../../sip/user-agent.js';
import { createLogger } from '../../telemetry/log.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { MediaHost } from '../../workers/media/media-host.js';
import { CallSession } from './call-session.js';
import { LegMedia } from './leg-media.js';

// Long enough for what the caller does meanwhile.
vi.mock('../../sip/glare.js', () => ({ glareBackoffMs: () => 200 }));

const AUDIO = { codecs: ['PCMU', 'PCMA'], opus: { bitrate: 24_000, dtx: false } } as const;
const TIMED = ['Supported: timer', 'Session-Expires: 600;refresher=uac'];

/** A session on a real dialog, over the wire to a scripted caller; only its media are none. */
class Bench {
  readonly events: JournalEvent[] = [];
  readonly music: boolean[] = [];
  readonly holds: boolean[] = [];
  readonly directions: string[] = [];
  readonly lost: string[] = [];
  session!: CallSession;
  dialog!: Dialog;
  call!: ScriptedCall;
  version = 1;

  private constructor(
    readonly edge: EdgeBench,
    readonly agent: UserAgent,
    readonly peer: SipPeer,
  ) {}

  static async start(): Promise<Bench> {
    const edge = await EdgeBench.start(20);
    const drachtio = { host: '127.0.0.1', port: edge.edge.controlPort, secret: SECRET };
    let taken: (invite: Invite) => void = () => undefined;
    const invited = new Promise<Invite>((resolve) => {
      taken = resolve;
    });
    const agent = await UserAgent.start({
      config: sipConfig.parse({ drachtio }),
      logger: createLogger('silent'),
      logLevel: 'silent',
      onInvite: (invite) => taken(invite),
      onLost: () => undefined,
    });
    const bench = new Bench(edge, agent, await edge.udpPeer());
    bench.peer.absorbs = true;
    bench.call = new ScriptedCall(bench.peer, edge.uri);
    await bench.set(invited);
    return bench;
  }

  private async set(invited: Promise<Invite>): Promise<void> {
    const { call } = this;
    call.send('INVITE', { body: this.sdp(), extra: TIMED });
    const invite = await invited;
    const media = await LegMedia.open(this.host(), 'a', invite.offer, AUDIO, () => undefined);
    this.dialog = await invite.answer(media.localSdp);
    this.session = new CallSession({
      call: 'a',
      dialog: this.dialog,
      media,
      recorded: () => true,
      control: { music: (on) => this.music.push(on), keys: async (keys) => keys.length, record: () => undefined },
      record: (event) => this.events.push(event),
      held: (on) => this.holds.push(on),
      lost: (reason) => {
        this.lost.push(reason);
        void this.dialog.bye(reason);
      },
    });
    const acked = new Promise<void>((resolve) => {
      this.dialog.listen({
        ack: (answer) => {
          this.session.acked(answer);
          resolve();
        },
        ended: () => this.session.end(),
        offered: async (offer) => this.session.offered(offer),
      });
    });
    await call.response(200, 'INVITE');
    call.send('ACK');
    await acked;
  }

  /** Each leg has the next of these ports. */
  readonly ports = [20_000];

  private host(): MediaHost {
    const leg = (name: string): Partial<MediaLeg> => ({
      leg: name,
      call: 'a',
      address: '127.0.0.1',
      port: this.ports.shift() ?? 0,
      negotiated: (media: NegotiatedMedia) => this.directions.push(`${name} ${media.direction}`),
    });
    return { open: async (name: string) => leg(name) as MediaLeg } as unknown as MediaHost;
  }

  /** The caller's description. */
  sdp(direction = 'sendrecv', extra = ''): string {
    const lines = ['v=0', `o=c 1 ${this.version++} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
    return `${[...lines, 'm=audio 4000 RTP/AVP 0', `a=${direction}`, extra].join('\r\n').replace(/\r\n$/, '')}\r\n`;
  }

  accept(request: SeenMessage, direction: string): void {
    const extra = [`Contact: <sip:caller@127.0.0.1:${this.peer.port}>`, 'Session-Expires: 600;refresher=uas'];
    this.peer.answer(request, '200 OK', '', extra, this.sdp(direction));
  }

  /** The caller offers something; resolves with the answer. */
  async offer(direction: string): Promise<SeenMessage> {
    this.call.cseq++;
    this.call.send('INVITE', { body: this.sdp(direction), extra: TIMED });
    const cseq = `${this.call.cseq} INVITE`;
    return this.call.next((m) => m.status >= 200 && m.get('cseq') === cseq);
  }

  async close(): Promise<void> {
    this.session.end();
    const bye = this.dialog.bye();
    this.peer.reacts = (message) => message.method === 'BYE' && message.status === 0 && this.ok(message);
    for (const message of this.peer.seen) if (message.startLine.startsWith('BYE')) this.ok(message);
    await bye;
    await this.agent.close();
    await this.edge.close();
    expect(this.session.pending).toBe(0);
  }

  private ok(bye: SeenMessage): void {
    this.peer.answer(bye, '200 OK');
  }
}

function direction(message: SeenMessage): string {
  return /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(message.body)?.[1] ?? '';
}

function version(message: SeenMessage): number {
  return Number(/^o=\S+ \S+ (\d+)/m.exec(message.body)?.[1]);
}

describe('a session', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.start();
  });

  afterEach(() => bench.close());

  it('holds the caller with music, and takes them back', async () => {
    const { session, call } = bench;
    const held = session.hold(true);
    const hold = await call.request('INVITE');
    expect([direction(hold), hold.get('session-expires')]).toEqual(['sendonly', '600;refresher=uas']);
    bench.accept(hold, 'recvonly');
    await call.request('ACK');
    await held;
    const moved = await bench.offer('sendrecv');
    expect(direction(moved), 'the caller may offer what they like: we do not listen').toBe('sendonly');
    call.send('ACK');
    const resumed = session.hold(false);
    const resume = await call.request('INVITE');
    expect(direction(resume)).toBe('sendrecv');
    expect(version(resume)).toBe(version(hold) + 1);
    bench.accept(resume, 'sendrecv');
    await call.request('ACK');
    await resumed;
    await session.hold(false);
    expect(bench.music).toEqual([true, false]);
    expect(bench.holds).toEqual([true, false]);
    expect(bench.directions).toEqual(['a sendrecv', 'a sendonly', 'a sendonly', 'a sendrecv']);
    expect(bench.events).toEqual([
      { type: 'hold', on: true, by: 'us' },
      { type: 'hold', on: false, by: 'us' },
    ]);
  });

  it('goes on at another port when its media worker is lost: at once, and the caller is told where', async () => {
    const { session, call, ports } = bench;
    ports.push(20_002);
    const moved = vi.fn();
    const recovered = session.recover(moved);
    const offer = await call.request('INVITE');
    expect(offer.body).toContain('m=audio 20002 ');
    expect(moved).toHaveBeenCalledTimes(1);
    bench.accept(offer, 'sendrecv');
    await call.request('ACK');
    await recovered;
    expect(bench.directions).toEqual(['a sendrecv', 'a~1 sendrecv', 'a~1 sendrecv']);
  });

  it.each([
    [20_002, 'is told so, when the caller would have to know'],
    [20_000, 'goes on, when it has the same port again'],
  ])('whose caller refuses the offer of port %d %s', async (port) => {
    const { session, call, peer, ports } = bench;
    ports.push(port);
    const recovered = session.recover(() => undefined);
    // Whoever waits for it does so later.
    recovered.catch(() => undefined);
    peer.answer(await call.request('INVITE'), '488 Not Acceptable Here');
    await call.request('ACK');
    if (port === 20_000) await recovered;
    else await expect(recovered).rejects.toMatchObject({ code: 'PARLEY_ERR_SESSION_REFUSED' });
    expect(bench.lost).toEqual([]);
  });

  it('is held by a caller whose music it does not listen to', async () => {
    expect(direction(await bench.offer('sendonly'))).toBe('recvonly');
    bench.call.send('ACK');
    expect(direction(await bench.offer('sendrecv'))).toBe('sendrecv');
    bench.call.send('ACK');
    expect(bench.directions).toEqual(['a sendrecv', 'a inactive', 'a sendrecv']);
    expect(bench.events.map((event) => event.type === 'hold' && event.on)).toEqual([true, false]);
  });

  it('offers again when offers cross, and takes the other one meanwhile', async () => {
    const { session, call, peer } = bench;
    const held = session.hold(true);
    const first = await call.request('INVITE');
    const crossing = await bench.offer('sendrecv');
    expect(crossing.status).toBe(491);
    call.send('ACK', { sameBranch: true });
    peer.answer(first, '491 Request Pending');
    const theirs = await bench.offer('sendrecv');
    expect(theirs.status).toBe(200);
    call.send('ACK');
    const cseq = first.get('cseq');
    const again = await call.next((m) => m.startLine.startsWith('INVITE') && m.get('cseq') !== cseq);
    expect(direction(again)).toBe('sendonly');
    bench.accept(again, 'recvonly');
    await held;
    expect(session.onHold).toBe(true);
  });

  it('offers nothing before the caller has acknowledged the answer to an offer of theirs', async () => {
    const { session, call, peer } = bench;
    const theirs = await bench.offer('sendrecv');
    expect(theirs.status).toBe(200);
    const held = session.hold(true);
    expect((await bench.offer('sendrecv')).status, 'nor may they').toBe(491);
    call.send('ACK', { sameBranch: true });
    expect(peer.seen.some((message) => message.startLine.startsWith('INVITE'))).toBe(false);
    call.cseq--;
    call.send('ACK');
    bench.accept(await call.request('INVITE'), 'recvonly');
    await held;
  });

  it('stays as it was when the caller refuses, and is asked again next time', async () => {
    const { session, call, peer } = bench;
    const refused = session.hold(true);
    peer.answer(await call.request('INVITE'), '488 Not Acceptable Here');
    await expect(refused).rejects.toMatchObject({ code: 'PARLEY_ERR_SESSION_REFUSED' });
    expect([session.onHold, bench.lost, bench.directions]).toEqual([false, [], ['a sendrecv']]);
    const held = session.hold(true);
    const next = await call.next((m) => m.startLine.startsWith('INVITE') && m.get('cseq').startsWith('2 '));
    bench.accept(next, 'inactive');
    await held;
    expect(bench.events).toEqual([{ type: 'hold', on: true, by: 'us' }]);
  });

  it('asks for a longer interval when told to', async () => {
    const { session, call, peer } = bench;
    const held = session.hold(true);
    peer.answer(await call.request('INVITE'), '422 Session Interval Too Small', '', ['Min-SE: 900']);
    const next = await call.next((m) => m.startLine.startsWith('INVITE') && m.get('cseq').startsWith('2 '));
    expect([next.get('session-expires'), next.get('min-se')]).toEqual(['900;refresher=uas', '900']);
    bench.accept(next, 'recvonly');
    await held;
  });

  it.each(['481 Call/Transaction Does Not Exist', undefined])('is lost when the caller is gone: %s', async (status) => {
    const { session, call, peer } = bench;
    const held = session.hold(true);
    const rejection = expect(held).rejects.toMatchObject({ code: 'PARLEY_ERR_SESSION_REFUSED' });
    const invite = await call.request('INVITE');
    if (status) peer.answer(invite, status);
    await rejection;
    expect(bench.lost).toHaveLength(1);
    await call.request('BYE');
  });

  it('ends with the call while it waits to offer again', async () => {
    const { session, call, peer } = bench;
    const held = session.hold(true);
    const rejection = expect(held).rejects.toMatchObject({ code: 'PARLEY_ERR_CALL_NOT_UP' });
    peer.answer(await call.request('INVITE'), '491 Request Pending');
    call.send('BYE');
    await call.response(200, 'BYE');
    await rejection;
    await expect(session.hold(true)).rejects.toMatchObject({ code: 'PARLEY_ERR_CALL_NOT_UP' });
  });

  it('sends keys by INFO in order, each when the one before was taken', async () => {
    const { session, call, peer } = bench;
    const sent = session.sendDigits('1w#', 'info');
    const first = await call.request('INFO');
    expect([first.get('content-type'), first.body]).toEqual(['application/dtmf-relay', 'Signal=1\r\nDuration=160\r\n']);
    expect(peer.seen.filter((m) => m.startLine.startsWith('INFO'))).toHaveLength(1);
    peer.answer(first, '200 OK');
    const second = await call.next((m) => m.startLine.startsWith('INFO') && m.body.includes('#'));
    peer.answer(second, '200 OK');
    await sent;
    expect(bench.events).toEqual([{ type: 'dtmf.sent', digits: '1w#', sent: 2, method: 'info' }]);
    const refused = session.sendDigits('45', 'info');
    peer.answer(await call.next((m) => m.body.includes('Signal=4')), '415 Unsupported Media Type');
    await expect(refused).rejects.toMatchObject({ code: 'PARLEY_ERR_SESSION_REFUSED' });
    expect(bench.events.at(-1)).toMatchObject({ digits: '45', sent: 0 });
    await expect(session.sendDigits('call me', 'info')).rejects.toMatchObject({ code: 'PARLEY_ERR_DIGITS_INVALID' });
    await session.sendDigits('9', 'rfc4733');
    expect(bench.events.at(-1)).toMatchObject({ digits: '9', sent: 1, method: 'rfc4733' });
  });
});
