import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Desk } from '../../../test/kit/desk.js';
import { EdgeBench, SECRET } from '../../../test/kit/edge-bench.js';
import { ScriptedCall, type SipPeer } from '../../../test/kit/edge-peer.js';
import { until } from '../../../test/kit/until.js';
import { ParleyError } from '../../errors.js';
import type { JournalEvent, StoredEvent } from '../../journal/events.js';
import { EventMask } from '../../journal/masking.js';
import { listeningRing } from '../../media/listening.js';
import { sipConfig } from '../../sip/config.js';
import type { Dialog } from '../../sip/dialog.js';
import type { Invite } from '../../sip/invite.js';
import { UserAgent } from '../../sip/user-agent.js';
import { createLogger } from '../../telemetry/log.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { MediaHost } from '../../workers/media/media-host.js';
import type { LegEvent } from '../../workers/messages.js';
import type { SayRequest } from '../../workers/speaker.js';
import type { StreamEvent } from '../../workers/speech/speech-stream.js';
import { CallPeople } from '../call-people.js';
import { JoinedLegs } from '../legs/joined-legs.js';
import { LegMedia } from '../legs/leg-media.js';
import { targetsConfig, transferConfig } from '../targets/config.js';
import { CallQueues } from '../targets/queues.js';
import { type Plan, Targets } from '../targets/targets.js';
import { CallVoice } from '../voice/call-voice.js';
import type { CallBack, TransferServices } from './transfer.js';
import type { TransferOutcome } from './transfer-state.js';

const AUDIO = { codecs: ['PCMU', 'PCMA'], opus: { bitrate: 24_000, dtx: false } } as const;
const LOG = createLogger('silent');
const VOICE = { engine: 'flite', speed: 1 };
const REPORT = ['Event: refer', 'Subscription-State: terminated;reason=noresource', 'Content-Type: message/sipfrag'];

/** Media that are none: what is asked of them is noted, what is said is heard at once. */
class Media {
  readonly asked: string[] = [];
  readonly said: string[] = [];
  open = 0;
  readonly hearing = new Map<string, (event: StreamEvent) => void>();
  private readonly listeners = new Map<string, (event: LegEvent) => void>();

  readonly host = {
    open: async (name: string, listener: (event: LegEvent) => void) => {
      this.open++;
      this.listeners.set(name, listener);
      return this.leg(name);
    },
  } as unknown as MediaHost;

  readonly speaker = {
    say: async (leg: MediaLeg, { utterance, text, epoch }: SayRequest) => {
      this.said.push(`${leg.leg}: ${text}`);
      const at = performance.now();
      setImmediate(() => {
        const ended = {
          type: 'utterance.ended',
          leg: leg.leg,
          epoch,
          utterance,
          at,
          played: 1,
          total: 1,
          stopped: false,
        } as const;
        this.listeners.get(leg.leg)?.(ended);
      });
      return { pcm: new Int16Array(1), sampleRate: 8000, words: undefined };
    },
  } as unknown as TransferServices['speaker'];

  /** Its worker is lost. */
  lose(leg: string): void {
    if (this.listeners.delete(leg)) this.open--;
  }

  tell(leg: string, event: Record<string, unknown>): void {
    this.listeners.get(leg)?.({ leg, at: performance.now(), ...event } as unknown as LegEvent);
  }

  /** What is recognised on a leg. */
  hear(leg: string, text: string): void {
    this.hearing.get(leg)?.({ type: 'final', text, position: 2 } as StreamEvent);
  }

  private leg(name: string): MediaLeg {
    const note = (what: string) => void this.asked.push(`${name} ${what}`);
    const none = () => undefined;
    return {
      leg: name,
      call: name,
      worker: 0,
      address: '127.0.0.1',
      port: 20_000,
      ring: listeningRing(8000).shared,
      sampleRate: 8000,
      ...{
        negotiated: none,
        listen: none,
        enqueue: none,
        clip: none,
        skip: none,
        stop: none,
        gain: none,
        reflex: none,
        hold: none,
      },
      ...{ monitor: none, monitorAudio: none, monitorEnd: none },
      ...{ resume: none, record: none, pauseRecording: none, maskRecording: none },
      sound: (kind) => note(`sound ${kind ?? 'none'}`),
      mix: (mode) => note(`mix ${mode.mode}`),
      digits: async (digits) => {
        note(`keys ${digits}`);
        return digits.length;
      },
      close: async () => {
        if (this.listeners.delete(name)) this.open--;
        return { sent: 0, received: 0, lost: 0, late: 0, malformed: 0 };
      },
    };
  }
}

/** A caller and telephones on the wire, a transfer between them; media and speech are none. */
class Bench {
  readonly media = new Media();
  readonly events: JournalEvent[] = [];
  readonly outcomes: TransferOutcome[] = [];
  readonly wishes: CallBack[] = [];
  readonly queues = new CallQueues();
  bridged = 0;
  readonly overheard: string[] = [];
  /** Of the caller's INVITE, besides the usual ones. */
  headers: string[] = [];
  people!: CallPeople;
  dialog!: Dialog;
  voice!: CallVoice;

  private constructor(
    readonly edge: EdgeBench,
    readonly agent: UserAgent,
    readonly peer: SipPeer,
    readonly caller: ScriptedCall,
    readonly invited: Promise<Invite>,
    readonly desk: Desk,
  ) {}

  static async start(): Promise<Bench> {
    const edge = await EdgeBench.start(50);
    let taken: (invite: Invite) => void = () => undefined;
    const invited = new Promise<Invite>((resolve) => {
      taken = resolve;
    });
    const agent = await UserAgent.start({
      config: sipConfig.parse({ drachtio: { host: '127.0.0.1', port: edge.edge.controlPort, secret: SECRET } }),
      logger: LOG,
      logLevel: 'silent',
      onInvite: (invite) => taken(invite),
      onLost: () => undefined,
    });
    const peer = await edge.udpPeer();
    peer.absorbs = true;
    return new Bench(edge, agent, peer, new ScriptedCall(peer, edge.uri), invited, await Desk.open());
  }

  /** Hands the call over to a target of these. */
  async begin(name: string, targets: Record<string, object>, more: object = {}): Promise<void> {
    const { media, agent, caller } = this;
    const speech = {
      openStream: (leg: MediaLeg, listener: (event: StreamEvent) => void) => {
        media.hearing.set(leg.leg, listener);
        return { expect() {}, agentSays() {}, commit() {}, finalise() {}, close() {} };
      },
    } as unknown as TransferServices['speech'];
    const services: TransferServices = {
      media: media.host,
      speech,
      speaker: media.speaker,
      dial: (request, events) => agent.call(request, events),
      audioFor: () => AUDIO,
      targets: new Targets(targetsConfig.parse(targets), [], { lookup: async () => [] }),
      queues: this.queues,
      transfer: transferConfig.parse(more),
      callBack: async (wish) => void this.wishes.push(wish),
      logger: LOG,
    };
    caller.send('INVITE', { body: SDP, extra: this.headers.map(octets) });
    const invite = await this.invited;
    const legMedia = await LegMedia.open(media.host, 'c1', invite.offer, AUDIO, () => undefined);
    const answering = invite.answer(legMedia.localSdp);
    await caller.response(200, 'INVITE');
    caller.send('ACK');
    this.dialog = await answering;
    const voice = new CallVoice({
      leg: legMedia.leg,
      speech,
      speaker: media.speaker,
      settings: VOICE,
      lexicon: undefined,
      stopWords: [],
      byWords: false,
      logger: LOG,
    });
    this.voice = voice;
    const plan = await services.targets.plan(name);
    if (!plan) throw new Error(`no target ${name}`);
    const mask = new EventMask(new Set());
    const joined = new JoinedLegs(() => legMedia.leg);
    const agentSide = { voice: VOICE, lexicon: undefined };
    const conversation = {
      masked: (event: JournalEvent) => mask.mask(event),
      overhear: (text: string, by: string) => void this.overheard.push(`${by}: ${text}`),
    };
    this.people = new CallPeople({
      id: 'c1',
      services: { ...services, limits: { referMs: 2000 } },
      invite,
      origin: 0,
      events: () => FACTS,
      up: () => true,
      prepared: () => ({
        ...{ voice, media: legMedia, joined, secrets: { pin: '9137' }, given: {} },
        agent: agentSide,
        conversation,
      }),
      leg: () => ({ dialog: this.dialog }),
      record: (event) => this.events.push(event),
      notUp: () => new ParleyError('PARLEY_ERR_CALL_NOT_UP', { call: 'c1', reason: 'over' }),
      bridged: () => this.bridged++,
      over: (outcome) => this.outcomes.push(outcome),
    });
    this.dialog.listen({
      ack: () => undefined,
      ended: () => this.people.callerLeft(this.dialog.handingOver),
      offered: async () => SDP,
    });
    await this.people.handOver(Promise.resolve(plan), 'request');
  }

  /** The caller hangs up. */
  async leave(): Promise<void> {
    this.caller.send('BYE');
    await this.caller.response(200, 'BYE');
  }

  get dispositions(): string[] {
    return this.events.flatMap((event) =>
      event.type === 'transfer.attempt' ? [`${event.target} ${event.disposition}`] : [],
    );
  }

  get finished(): string[] {
    return this.events.flatMap((event) => (event.type === 'transfer.finished' ? [event.disposition] : []));
  }

  /** Ends what stands, and finds nothing left. */
  async close(): Promise<void> {
    this.people.end('the test is over');
    await this.people.released();
    expect(this.people.pending).toBe(0);
    expect(this.queues.waiting).toBe(0);
    // The caller's own.
    expect(this.media.open).toBe(1);
    this.peer.reacts = (message) => message.startLine.startsWith('BYE') && this.peer.answer(message, '200 OK');
    await this.dialog.bye();
    await until('no dialog left', () => this.edge.edge.counts().dialogs === 0);
    this.desk.close();
    await this.agent.close();
    await this.edge.close();
  }
}

const SDP = 'v=0\r\no=c 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';
/** As the kit writes what it sends: a character per byte. */
const octets = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const FACTS = [
  { call: 'c1', seq: 1, at: 0, type: 'topic', turn: 1, topic: 'refund', score: 1, ms: 1 },
  { call: 'c1', seq: 2, at: 0, type: 'entity.heard', name: 'orderNumber', value: '482715' },
] as StoredEvent[];

describe('a transfer on the wire', () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = await Bench.start();
  });
  afterEach(() => bench.close());

  const at = (user: string, more: object = {}) => ({ [user]: { uri: bench.desk.uri(user), ...more } });
  const quick = { accept: 'answer', briefing: false };

  it('calls with what is known, briefs, joins at the key, and ends with the caller', async () => {
    bench.headers = ['P-Asserted-Identity: "O\'Neil, \\"Zoë\\"" <sip:+4930123@ims.example.com>'];
    await bench.begin('anna', at('anna', { context: { json: true } }), {
      contextUrl: 'https://console.example.com/{{call}}',
    });
    const call = await bench.desk.called('anna');
    expect(call.invite.get('subject')).toBe('refund, order number 482715');
    expect(call.invite.text).not.toContain('9137');
    expect(call.invite.get('call-info')).toBe('<https://console.example.com/c1>;purpose=info');
    expect(call.invite.get('p-asserted-identity')).toMatch(/^"O'Neil, \\"Zoë\\"" <sip:\+4930123@127\.0\.0\.1(:\d+)?>$/);
    expect(call.invite.get('from')).toMatch(/^"O'Neil, \\"Zoë\\"" <sip:\+4930123@127\.0\.0\.1/);
    expect(bench.media.asked).toContain('c1 sound music');
    call.ring();
    await call.answer();
    await until('the question', () => bench.media.said.some((text) => text.includes('Press 1')));
    expect(bench.media.said.join(' ')).toMatch(/c1\/p1: It is about refund\. .*order number 482715/);
    await call.ask('INFO', ['Content-Type: application/dtmf-relay'], 'Signal=1\r\nDuration=160\r\n');
    await until('joined', () => bench.bridged === 1);
    const key = { type: 'dtmf', at: performance.now(), durationMs: 100, source: 'rfc4733' } as const;
    bench.voice.fromMedia({ ...key, leg: 'c1', digit: '7' });
    bench.media.tell('c1/p1', { ...key, digit: '8' });
    expect(bench.media.asked.splice(-2)).toEqual(['c1/p1 keys 7', 'c1 keys 8']);
    expect(bench.media.asked.slice(-4)).toEqual(expect.arrayContaining(['c1 sound none', 'c1 mix bridge']));
    bench.media.lose('c1/p1');
    bench.media.asked.length = 0;
    await bench.people.recover();
    await call.got('INVITE', (message) => message.body.includes('m=audio'));
    expect(bench.media.asked, 'joined again where their media are now').toContain('c1 mix bridge');
    bench.media.tell('c1/p1~1', { ...key, at: performance.now() + 1000, digit: '9' });
    expect(bench.media.asked.at(-1)).toBe('c1 keys 9');
    await bench.leave();
    await call.got('BYE');
    expect(bench.outcomes).toEqual([{ type: 'caller.left' }]);
    expect(bench.events.map(({ type }) => type.replace('transfer.', ''))).toEqual([
      ...['started', 'dialling', 'ringing', 'answered', 'briefing', 'accepted', 'bridged', 'finished', 'unbridged'],
    ]);
  });

  it('calls for a caller who is withheld, and names them nowhere', async () => {
    bench.headers = ['P-Asserted-Identity: "Zoë" <sip:+4930123@ims.example.com>', 'Privacy: id'];
    await bench.begin('anna', at('anna', { context: { json: true }, accept: 'answer' }));
    const call = await bench.desk.called('anna');
    const { invite } = call;
    expect(invite.get('from')).toMatch(/^"Anonymous" <sip:anonymous@anonymous\.invalid>/);
    expect(invite.get('privacy')).toBe('id');
    expect(invite.text).not.toMatch(/P-Asserted-Identity/i);
    const uui = Buffer.from(invite.get('user-to-user').split(';')[0] ?? '', 'hex').toString();
    expect(uui).toContain('"caller":"anonymous"');
    expect(invite.text + uui).not.toMatch(/4930123|Zoë|sip:caller@/);
    await call.answer();
    await until('joined', () => bench.bridged === 1);
    expect(bench.media.said[0]).toBe('c1/p1: A call from a withheld number.');
    await bench.leave();
  });

  it('tells an IVR’s secret to a target only that is to have it', async () => {
    await bench.begin('anna', at('anna', { context: { sensitive: ['pin'] } }));
    const call = await bench.desk.called('anna');
    const [, hex = ''] = /^([0-9a-f]+);/.exec(call.invite.get('user-to-user')) ?? [];
    expect(JSON.parse(Buffer.from(hex, 'hex').toString())).toMatchObject({ ivr: { pin: '9137' } });
    expect(call.invite.get('subject')).not.toContain('9137');
    call.refuse(486, 'Busy Here');
  });

  it('cancels what rings when the caller hangs up, and hangs up on who answers all the same', async () => {
    await bench.begin('anna', at('anna'));
    const call = await bench.desk.called('anna');
    call.ring();
    await bench.leave();
    // The 200 and the CANCEL cross.
    const answered = call.answer();
    await until('the end', () => call.ended !== undefined);
    await answered;
    await call.got('BYE');
    expect(bench.finished).toEqual(['cancelled-by-caller']);
  });

  it('goes on when one is busy, one declines, one hangs up in the briefing, and says why in the end', async () => {
    const hunt = { team: { hunt: ['anna', 'bert', 'carl'] }, ...at('anna'), ...at('bert'), ...at('carl') };
    await bench.begin('team', hunt);
    (await bench.desk.called('anna')).refuse(486, 'Busy Here');
    (await bench.desk.called('bert')).refuse(603, 'Decline');
    const carl = await bench.desk.called('carl');
    await carl.answer();
    await carl.hangUp();
    await until('the end', () => bench.outcomes.length > 0);
    expect(bench.dispositions).toEqual(['anna busy', 'bert declined', 'carl declined']);
    expect(bench.outcomes).toMatchObject([{ type: 'failed', disposition: 'declined' }]);
  });

  it('calls nobody twice who is next and was sent the call as well, and waits no longer than it must for who says nothing', async () => {
    await bench.begin('team', { team: { hunt: ['anna', 'bert'] }, ...at('anna'), ...at('bert', { acceptMs: 2000 }) });
    const evil = bench.desk.uri('evil');
    (await bench.desk.called('anna')).refuse(302, 'Moved Temporarily', [
      `Contact: <${evil}>, <${bench.desk.uri('bert')}>`,
    ]);
    const bert = await bench.desk.called('bert');
    await bert.answer();
    bert.rtp?.mute(true);
    await until('the end', () => bench.outcomes.length > 0);
    expect(bench.dispositions).toEqual(['anna deflected', 'bert no-answer']);
    expect(bench.desk.calls.map(({ user }) => user)).toEqual(['anna', 'bert']);
    await until('BYE', () => bert.ended === 'bye');
  });

  it('is taken back while it is looked up where the target is, and goes to the next one only', async () => {
    await bench.begin('anna', { ...at('anna') });
    (await bench.desk.called('anna')).refuse(486, 'Busy Here');
    await until('the end', () => bench.outcomes.length > 0);
    const plan = (user: string): Plan => {
      const settings = targetsConfig.parse({ x: { uri: bench.desk.uri(user) } }).x!;
      const destination = { target: user, name: user, uri: bench.desk.uri(user), route: undefined, settings };
      return { target: user, steps: [{ type: 'dial', destinations: [destination] }], queue: undefined };
    };
    let found: (plan: Plan) => void = () => undefined;
    const first = bench.people.handOver(new Promise((resolve) => (found = resolve)), 'supervisor');
    bench.people.takeBack('taken back');
    expect(bench.outcomes).toHaveLength(2);
    const second = bench.people.handOver(Promise.resolve(plan('carl')), 'supervisor');
    found(plan('bert'));
    await Promise.all([first, second]);
    const carl = await bench.desk.called('carl');
    carl.ring();
    bench.people.takeBack('taken back');
    await until('CANCEL', () => carl.ended === 'cancelled');
    expect(bench.outcomes).toHaveLength(3);
    expect(bench.desk.calls.map(({ user }) => user)).toEqual(['anna', 'carl']);
  });

  it('follows a phone that sends the call elsewhere to a target only, and once', async () => {
    await bench.begin('anna', {
      ...at('anna', { fallback: ['bert'] }),
      ...at('bert', quick),
      ...at('carl', quick),
    });
    const moved = (...uris: string[]) => [`Contact: ${uris.map((uri, n) => `<${uri}>;q=0.${n + 1}`).join(', ')}`];
    const evil = 'sip:evil@127.0.0.1';
    const anna = await bench.desk.called('anna');
    anna.refuse(302, 'Moved Temporarily', moved(evil, bench.desk.uri('carl')));
    const carl = await bench.desk.called('carl');
    expect(carl.invite.get('diversion')).toMatch(/^<sip:anna@.*;reason=deflection/);
    carl.refuse(302, 'Moved Temporarily', moved(bench.desk.uri('anna')));
    (await bench.desk.called('bert')).refuse(301, 'Moved Permanently', moved(evil));
    await until('the end', () => bench.outcomes.length > 0);
    expect(bench.dispositions).toEqual(['anna deflected', 'carl deflected', 'bert deflected']);
    expect(bench.outcomes).toMatchObject([
      { type: 'failed', disposition: 'deflected', reason: `sent elsewhere, to ${evil}, which is no target` },
    ]);
    expect(bench.desk.calls.map(({ user }) => user)).toEqual(['anna', 'carl', 'bert']);
    const dialled = bench.events.flatMap((event) => (event.type === 'transfer.dialling' ? [event.sentBy] : []));
    expect(dialled).toEqual([undefined, 'p1', undefined]);
  });

  it('rings several; the quicker has it, the other is cancelled, a second 200 of a fork is hung up', async () => {
    await bench.begin('all', {
      all: { hunt: ['anna', 'bert'], order: 'simultaneous' },
      ...at('anna', quick),
      ...at('bert', quick),
    });
    const [anna, bert] = await Promise.all([bench.desk.called('anna'), bench.desk.called('bert')]);
    anna.ring();
    await bert.answer();
    await anna.got('CANCEL');
    bert.answerTwice();
    await bert.got('BYE', (bye) => bye.get('to').includes('-fork'));
    expect([bench.bridged, bench.dispositions]).toEqual([1, ['anna answered-elsewhere']]);
  });

  it('sends the caller by REFER, follows its reports to the end, and tries the next', async () => {
    await bench.begin('dora', {
      ...at('dora', { method: 'refer', fallback: ['eva'] }),
      ...at('eva', { method: 'refer' }),
    });
    for (const [user, status] of [
      ['dora', '486 Busy Here'],
      ['eva', '200 OK'],
    ] as const) {
      const refer = await bench.caller.request('REFER');
      expect(refer.get('refer-to')).toBe(`<${bench.desk.uri(user)}>`);
      bench.peer.answer(refer, '202 Accepted');
      bench.caller.send('NOTIFY', { extra: REPORT, body: `SIP/2.0 ${status}` });
      await bench.caller.response(200, 'NOTIFY');
    }
    await until('the end', () => bench.outcomes.length > 0);
    expect([bench.dispositions, bench.outcomes]).toEqual([['dora busy'], [{ type: 'gone' }]]);
  });

  it('connects the two by REFER with Replaces, or joins them here when that is refused', async () => {
    await bench.begin('emil', at('emil', { ...quick, method: 'attended' }));
    const emil = await bench.desk.called('emil');
    await emil.answer();
    const refer = await bench.caller.request('REFER');
    expect(decodeURIComponent(refer.get('refer-to'))).toContain(`Replaces=${emil.callId};to-tag=`);
    bench.peer.answer(refer, '501 Not Implemented');
    await until('joined', () => bench.bridged === 1);
    expect(bench.dispositions).toEqual(['emil failed']);
    await emil.hangUp();
    await until('the end', () => bench.outcomes.length > 0);
    expect(bench.outcomes).toMatchObject([{ type: 'person.left', afterwards: 'hangup' }]);
  });

  it('lets a person hand the caller on, to known ones only, attended or not, and hold', async () => {
    await bench.begin('fred', { ...at('fred', quick), ...at('gina') });
    const fred = await bench.desk.called('fred');
    await fred.answer();
    await until('joined', () => bench.bridged === 1);
    const sdp = (direction: string) => fred.rtp?.sdp(direction) ?? '';
    expect((await fred.ask('INVITE', [], sdp('sendonly'))).body).toMatch(/^a=recvonly/m);
    await until('music', () => bench.media.asked.at(-2) === 'c1 sound music');
    await fred.ask('INVITE', [], sdp('sendrecv'));
    expect(bench.events).toContainEqual({ type: 'hold', on: false, by: 'person' });
    expect((await fred.ask('REFER', ['Refer-To: <sip:evil@example.com>'])).status).toBe(403);
    const replaces = 'a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2';
    expect((await fred.ask('REFER', [`Refer-To: <${bench.desk.uri('gina')}?Replaces=${replaces}>`])).status).toBe(202);
    const gina = await bench.desk.called('gina');
    expect(gina.invite.get('replaces')).toBe('a@b;to-tag=1;from-tag=2');
    await gina.answer();
    await fred.got('NOTIFY', ({ body }) => body.startsWith('SIP/2.0 200'));
    await fred.got('BYE');
    await until('joined', () => bench.bridged === 2);
    await bench.leave();
    await gina.got('BYE');
  });

  it('lets another phone take the place of the person’s, or of the caller’s, by INVITE with Replaces', async () => {
    await bench.begin('fred', at('fred', quick));
    const fred = await bench.desk.called('fred');
    expect(fred.invite.get('supported')).toContain('replaces');
    await fred.answer();
    await until('joined', () => bench.bridged === 1);
    await fred.ask('INVITE', [], fred.rtp?.sdp('sendonly') ?? '');
    const other = async (replaces: string, status: number) => {
      const call = new ScriptedCall(bench.peer, bench.edge.uri);
      call.send('INVITE', { extra: [`Replaces: ${replaces}`, 'Require: replaces'], body: SDP });
      await call.response(status, 'INVITE');
      call.send('ACK', { sameBranch: status >= 300 });
      return call;
    };
    await other('nobody@knows;to-tag=1;from-tag=2', 481);
    await other('nonsense', 400);
    await other(`${fred.replaces};early-only`, 486);
    const caller = `${bench.caller.callId};to-tag=${bench.caller.toTag};from-tag=${bench.caller.tag}`;
    await other(caller, 481);
    const gina = await other(fred.replaces, 200);
    await fred.got('BYE');
    expect(bench.events.slice(-2)).toEqual([
      { type: 'hold', on: false, by: 'person' },
      { type: 'transfer.replaced', target: 'fred', leg: 'p1', person: 'Caller', sipCallId: gina.callId },
    ]);
    expect(bench.people.person?.speaker).toBe('Caller');
    await other(fred.replaces, 603);
    gina.send('BYE');
    await gina.response(200, 'BYE');
    await until('the end', () => bench.outcomes.length > 0);
    expect(bench.outcomes).toMatchObject([{ type: 'person.left' }]);
  });

  it('lets another phone pick up for one that rings', async () => {
    await bench.begin('anna', at('anna', quick));
    const anna = await bench.desk.called('anna');
    anna.ring();
    await until('ringing', () => bench.events.some(({ type }) => type === 'transfer.ringing'));
    const other = new ScriptedCall(bench.peer, bench.edge.uri);
    other.send('INVITE', { extra: [`Replaces: ${anna.replaces};early-only`], body: SDP });
    await other.response(200, 'INVITE');
    other.send('ACK');
    await anna.got('CANCEL');
    await until('joined', () => bench.bridged === 1);
    expect(bench.events.at(-2)).toMatchObject({ type: 'transfer.bridged', person: 'Caller' });
    await bench.leave();
    const bye = await other.request('BYE');
    bench.peer.answer(bye, '200 OK');
  });

  it('has others take part beside the caller and the person, and masks what they say', async () => {
    await bench.begin('fred', { ...at('fred', quick), ...at('gina', { ...quick, name: 'Gina' }), ...at('hugo') });
    const fred = await bench.desk.called('fred');
    await fred.answer();
    await until('joined', () => bench.bridged === 1);
    await expect(bench.people.participants.add('evil', 'eve')).rejects.toThrow('evil');
    expect(await bench.people.participants.add('gina', 'eve')).toBe('g1');
    const gina = await bench.desk.called('gina');
    await gina.answer();
    await until('three', () => bench.media.asked.includes('c1 mix conference'));
    expect(bench.people.participants.list).toEqual([{ id: 'g1', target: 'gina', person: 'Gina' }]);
    const at0 = { at: performance.now(), position: 1 };
    for (const type of ['onset', 'offset']) bench.media.tell('c1/g1-1', { type, ...at0 });
    bench.media.hear('c1/g1-1', 'It is 4111 1111 1111 1111.');
    await until('words', () => bench.overheard.length > 0);
    expect(bench.overheard[0]).toMatch(/^Gina: It is .*\*{4}/);
    expect(JSON.stringify(bench.events)).not.toContain('4111');
    await bench.people.participants.add('hugo', 'eve');
    const hugo = await bench.desk.called('hugo');
    hugo.ring();
    await until('ringing', () =>
      bench.events.some((event) => event.type === 'transfer.ringing' && event.leg === 'g2-1'),
    );
    bench.people.participants.remove('g2', 'eve');
    await hugo.got('CANCEL');
    await gina.hangUp();
    await until('two', () => bench.media.asked.filter((one) => one === 'c1 mix bridge').length === 2);
    await bench.leave();
    await fred.got('BYE');
    const told = bench.events.filter(({ type }) => type.startsWith('participant.'));
    expect(told).toMatchObject([
      { type: 'participant.added', participant: 'g1', target: 'gina', by: 'eve' },
      { type: 'participant.joined', participant: 'g1', person: 'Gina' },
      { type: 'participant.added', participant: 'g2' },
      { type: 'participant.failed', participant: 'g2', target: 'hugo' },
      { type: 'participant.left', participant: 'g1' },
    ]);
  });

  it('keeps callers in line, tells them their place, and notes who wants to be called back', async () => {
    const queue = { maxWaitMs: 5000, retryMs: 500, announceMs: 2000 };
    const leave = bench.queues.join('team', () => undefined);
    await bench.begin('team', {
      team: { hunt: ['anna'], queue, fallback: ['later'] },
      ...at('anna'),
      later: { callback: {} },
    });
    await until('the place', () => bench.media.said.some((text) => text.includes('number 2')));
    leave();
    (await bench.desk.called('anna')).refuse(486, 'Busy Here');
    await until('the end', () => bench.outcomes.length > 0);
    expect(bench.outcomes).toMatchObject([{ type: 'callback' }]);
    expect(bench.wishes).toMatchObject([{ number: 'caller', topic: 'refund', facts: { orderNumber: '482715' } }]);
  });
});
