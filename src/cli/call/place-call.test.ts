import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AudioRing } from '../../audio/ring.js';
import { answerOffer, SdpSession } from '../../rtp/sdp/sdp.js';
import { sipConfig } from '../../sip/config.js';
import type { Dialog } from '../../sip/dialog.js';
import type { Invite } from '../../sip/invite.js';
import { UserAgent } from '../../sip/user-agent.js';
import { monotonicMs } from '../../telemetry/clock.js';
import { createLogger } from '../../telemetry/log.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import { MediaHost } from '../../workers/media/media-host.js';
import { HeardAudio } from './heard.js';
import type { PreparedLine } from './lines.js';
import { Phone } from './phone.js';
import { type PlacedCall, placeCall } from './place-call.js';
import { type CallScript, DEFAULTS, type Step } from './script.js';

const RATE = 8000;
const AUDIO = { codecs: ['PCMU'], opus: { bitrate: 24_000, dtx: false } } as const;

/** A voice without words: the meter only listens for level. */
function hum(ms: number): Int16Array {
  return Int16Array.from({ length: (RATE * ms) / 1000 }, (_, n) => 6000 * Math.sin((2 * Math.PI * 440 * n) / RATE));
}

/** An agent that hums a greeting, and hums again some time after whatever it hears has ended. */
class HummingAgent {
  private readonly leaving: (() => Promise<unknown>)[] = [];
  /** How the transfer ended for the agent. */
  transferred: Promise<{ accepted: boolean }> | undefined;

  private constructor(
    private readonly media: MediaHost,
    private readonly sip: { agent?: UserAgent },
    readonly answerAfterMs: number,
  ) {}

  static async start(answerAfterMs: number): Promise<HummingAgent> {
    const vad = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 160, windowMs: 32 } as const;
    const ports = { from: 34_000, to: 34_099 };
    const media = await MediaHost.start({ workers: 1, bind: '127.0.0.1', ports, vad, logLevel: 'error' });
    const agent = new HummingAgent(media, {}, answerAfterMs);
    agent.sip.agent = await UserAgent.start({
      config: sipConfig.parse({ port: 0 }),
      logger: createLogger('error'),
      logLevel: 'error',
      onInvite: (invite) => void agent.take(invite),
      onLost: () => undefined,
    });
    return agent;
  }

  uri(number = '8001'): string {
    return `sip:${number}@${this.sip.agent?.address}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.leaving.map((leave) => leave()));
    await this.sip.agent?.close();
    await this.media.close();
  }

  private async take(invite: Invite): Promise<void> {
    if (invite.to === '486') return invite.reject(486);
    if (invite.to === 'silent') return;
    const leg = await this.media.open(invite.sipCallId, () => undefined);
    const { sdp, media } = answerOffer(invite.offer ?? '', { address: leg.address, port: leg.port }, new SdpSession());
    const dialog = await invite.answer(sdp);
    leg.negotiated(media);
    const answer = () => this.answer(invite.to, leg, dialog);
    const talk = setInterval(() => this.react(heard, spoken, answer), 5);
    const end = () => {
      clearInterval(talk);
      return leg.close();
    };
    this.leaving.push(end);
    dialog.listen({ ack: () => play(leg, hum(400)), ended: () => void end(), offered: async () => sdp });
    const heard = new HeardAudio(new AudioRing(leg.ring), RATE);
    const spoken = { answers: 0 };
  }

  private react(heard: HeardAudio, spoken: { answers: number }, answer: () => void): void {
    const now = monotonicMs();
    heard.take(now);
    const spurt = heard.spurts()[spoken.answers];
    if (!spurt || now - spurt.endedAt < this.answerAfterMs) return;
    spoken.answers++;
    answer();
  }

  private answer(number: string, leg: MediaLeg, dialog: Dialog): void {
    if (number === 'bye') void dialog.bye('work is done');
    else if (number === 'refer') this.transferred = dialog.refer('sip:person@127.0.0.1', 5000);
    else play(leg, hum(400));
  }
}

let plays = 0;
function play(leg: MediaLeg, pcm: Int16Array): void {
  const utterance = `hum-${++plays}`;
  leg.enqueue(1, utterance);
  leg.clip({ leg: leg.leg, epoch: 1, utterance, pcm, sampleRate: RATE });
}

const line: PreparedLine = { said: 'Hm?', pcm: hum(500), span: { start: 0, end: RATE / 2 } };
const say = (more: Partial<Step> = {}): Step => ({
  action: { kind: 'say', pieces: [{ kind: 'text', text: 'Hm?' }] },
  after: { kind: 'agent' },
  ...more,
});

let agent: HummingAgent;
let phone: Phone;
beforeAll(async () => {
  agent = await HummingAgent.start(450);
  phone = await Phone.start({ host: '127.0.0.1', port: 0, local: '127.0.0.1', loopback: true }, AUDIO, 'error');
});
afterAll(async () => {
  await phone?.close();
  await agent?.close();
});

function place(steps: Step[], more: Partial<CallScript> = {}, uri = agent.uri()): Promise<PlacedCall> {
  const script: CallScript = { ...DEFAULTS, quietMs: 350, headers: {}, steps, ...more };
  return placeCall(uri, script, { phone, lines: new Map(steps.map((_, index) => [index, line])) });
}

describe('placeCall', () => {
  it('greets, asks twice, and measures what the agent takes', async () => {
    const { report } = await place([say(), say()]);
    expect(report).toMatchObject({ ok: true, answered: true, status: 200, ended: { by: 'caller' }, greeting: '' });
    expect(report.greetingMs).toBeGreaterThanOrEqual(0);
    expect(report.turns).toHaveLength(2);
    for (const turn of report.turns) {
      expect(turn).toMatchObject({ said: 'Hm?', heard: '', cutOff: false });
      // The agent counts from its arrival; what lies between is packets of 20 ms on both ways.
      expect(turn.voiceToVoiceMs).toBeGreaterThanOrEqual(450);
      expect(turn.voiceToVoiceMs).toBeLessThan(900);
    }
  });

  it('says who hung up when the agent did, and where to when it transferred', async () => {
    const [bye, transfer] = await Promise.all([
      place([say(), say()], { expectEnd: 'agent' }, agent.uri('bye')),
      place([say()], {}, agent.uri('refer')),
    ]);
    expect(bye.report.ended).toEqual({ by: 'agent', reason: 'work is done' });
    expect(bye.report.turns).toHaveLength(1);
    expect(bye.report.ok).toBe(true);
    expect(transfer.report.ended).toMatchObject({ by: 'transfer', target: 'sip:person@127.0.0.1' });
    expect(await agent.transferred).toMatchObject({ accepted: true });
  });

  it('hangs up at the moment the script names', async () => {
    const ends = await Promise.all([
      place([{ ...say(), action: { kind: 'listen' }, hangUp: 'greeting' }]),
      place([say({ hangUp: 'speech' })]),
      place([say({ hangUp: 'thinking' })]),
      place([say({ hangUp: 'reply' })]),
    ]);
    expect(ends.map(({ report }) => report.ended)).toEqual(Array(4).fill({ by: 'caller' }));
    expect(ends.map(({ report }) => report.turns.map((turn) => turn.voiceToVoiceMs !== null))).toEqual([
      [],
      [false],
      [false],
      [true],
    ]);
  });

  it('tells a refusal, a cancelled INVITE and one without answer', async () => {
    const refused = await place([say()], {}, agent.uri('486'));
    expect(refused.report).toMatchObject({
      ok: false,
      answered: false,
      status: 486,
      reason: 'Busy Here',
      ended: { by: 'rejected', reason: 'Busy Here' },
      turns: [],
    });
    const cancel: Step = { ...say(), action: { kind: 'listen' }, hangUp: 'invite' };
    const cancelled = await place([cancel], {}, agent.uri('silent'));
    expect(cancelled.report).toMatchObject({ ok: true, answered: false, ended: { by: 'cancelled' } });
    const silent = await place([say()], { timeoutMs: 300 }, agent.uri('silent'));
    expect(silent.report).toMatchObject({ ok: false, answered: false, ended: { by: 'timeout' } });
  });
});
