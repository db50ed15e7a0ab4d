import { setImmediate } from 'node:timers/promises';
import { listeningRing } from '../../media/listening.js';
import type { CodecName, NegotiatedMedia, PcmRate } from '../../rtp/negotiated.js';
import { parseRtp, rtpFields } from '../../rtp/packet.js';
import { RtpSender } from '../../rtp/sender.js';
import { monotonicMs } from '../../telemetry/clock.js';
import { LegHearing } from './leg-hearing.js';
import { LegSpeaking } from './leg-speaking.js';
import type { LegContext } from './media-leg.js';

const FRAME_MS = 20;
/** The agent's echo is found and taken out in the first half of a call; in the second the caller speaks over it. */
const CALL_MS = 1200;
/** What comes back of the agent: so late, ms, and this share of it. */
const ECHO = { lateMs: 60, share: 0.3 };
const PAYLOAD_TYPE = 96;

/** What of a worker a rehearsal goes through. */
export type Rehearsed = Pick<LegContext, 'detection' | 'sounds' | 'stages'>;

/**
 * Two made-up voices talk through all stages of a leg but its socket, at once rather than in real time, and nobody is told:
 * code is slow until it was compiled, and echo control's first second would hold up every call of the worker.
 *
 * @param codecs one call each at 8 and 16 kHz, with the first codec of that rate
 * @param idle asked before each frame: once the thread has something better to do, the rest is left out
 */
export async function rehearse(worker: Rehearsed, codecs: readonly CodecName[], idle: () => boolean): Promise<void> {
  for (const rate of [8000, 16_000] as const) {
    // What the thread was told before comes first.
    await setImmediate();
    if (!idle()) return;
    const codec = codecs.find((name) => rateOf(name) === rate);
    if (codec) await rehearseCall(worker, codec, idle);
  }
}

async function rehearseCall(worker: Rehearsed, codec: CodecName, idle: () => boolean): Promise<void> {
  const rate = rateOf(codec);
  const { detection, sounds, stages } = worker;
  const hearing = new LegHearing(
    listeningRing(rate),
    rate,
    detection[rate],
    { stages, inband: 'always', beeps: false },
    NOBODY,
  );
  try {
    const speaking = new LegSpeaking('', rate, ignore, sounds, (frame) => hearing.played(frame));
    const peer = new RtpSender(rate);
    const media = agreed(codec);
    for (const side of [speaking, peer]) side.configure(media);
    hearing.expect(media);
    const agent = voice(rate, 110);
    speaking.playout.enqueue(0, '');
    speaking.playout.clip(0, '', agent);
    const line = callersLine(agent, rate);
    const fields = rtpFields();
    const arrive = (packet: Uint8Array) => {
      if (parseRtp(packet, fields)) hearing.push(fields, packet);
    };
    const began = monotonicMs();
    for (let ms = 0; ms < CALL_MS && idle(); ms += FRAME_MS) {
      fields.at = began + ms;
      peer.advance(FRAME_MS, line, arrive);
      hearing.tick(fields.at);
      speaking.tick(1, ignore);
      await detection[rate].poll();
      await setImmediate();
    }
  } finally {
    hearing.close();
  }
}

const ignore = () => undefined;
const NOBODY = { key: ignore, beep: ignore, stir: ignore, mark: ignore };

/** Rate of the leg that a codec makes, Hz. */
function rateOf(codec: CodecName): PcmRate {
  return codec === 'PCMU' || codec === 'PCMA' ? 8000 : 16_000;
}

function agreed(name: CodecName): NegotiatedMedia {
  return {
    remote: { address: '127.0.0.1', port: 9 },
    codec: { name, payloadType: PAYLOAD_TYPE, clockRate: name === 'opus' ? 48_000 : 8000 },
    receives: [{ payloadType: PAYLOAD_TYPE, name }],
    ptime: FRAME_MS,
    direction: 'sendrecv',
  };
}

/** Fills one frame after another with what comes from the caller. */
function callersLine(agent: Int16Array, rate: PcmRate): (frame: Int16Array) => void {
  const caller = voice(rate, 190).fill(0, 0, agent.length / 2);
  const late = (ECHO.lateMs * rate) / 1000;
  let at = 0;
  return (frame) => {
    for (let n = 0; n < frame.length; n++, at++) frame[n] = ECHO.share * (agent[at - late] ?? 0) + (caller[at] ?? 0);
  };
}

/** Glottal pulses through two moving formants, in syllables: near enough to a voice for the detector. */
function voice(rate: PcmRate, pitchHz: number): Int16Array<ArrayBuffer> {
  return Int16Array.from({ length: (rate * CALL_MS) / 1000 }, (_, n) => {
    const t = n / rate;
    const open = Math.max(0, Math.sin(Math.PI * 5 * t));
    const pulse = (t * (pitchHz + 15 * Math.sin(2 * Math.PI * 2 * t))) % 1;
    const formants = Math.sin(2 * Math.PI * 650 * t) + 0.6 * Math.sin(2 * Math.PI * (1200 + 500 * open) * t);
    return 8000 * open * Math.exp(-6 * pulse) * formants;
  });
}
