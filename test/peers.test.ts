import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Baresip } from './kit/baresip.js';
import { RawPeer, type SipTarget } from './kit/raw-peer.js';
import { RtpPeer } from './kit/rtp-peer.js';
import { freePort } from './kit/scratch.js';
import { runSipp } from './kit/sipp.js';
import { overlap, speak, transcribe } from './kit/speech.js';
import { Tap } from './kit/tap.js';
import { until } from './kit/until.js';
import { fromMuLaw, type Sound, toMuLaw } from './kit/wav.js';

/** The test kit against itself: a fault here is no fault of Parley. sipp answers and echoes RTP. */
describe('test peers', () => {
  let echo: { target: SipTarget; child: ChildProcess };
  let line: Sound;

  beforeAll(async () => {
    const port = await freePort();
    const args = ['-sn', 'uas', '-rtp_echo', '-i', '127.0.0.1', '-mi', '127.0.0.1', '-p', String(port), '-mp', '32000'];
    const child = spawn('sipp', [...args, '-nostdin'], { stdio: 'ignore' });
    echo = { target: { host: '127.0.0.1', port }, child };
    line = await speak('What are your opening hours?');
    const probe = await RawPeer.open(echo.target);
    // It is up when it takes a call.
    const rtp = await RtpPeer.open();
    const call = await until('sipp', () => probe.invite('8001', rtp.sdp()).answered(300), { everyMs: 100 });
    expect(call.status).toBe(200);
    rtp.close();
    probe.close();
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => echo.child.once('exit', resolve));
    echo.child.kill('SIGKILL');
    await ended;
  });

  it('mu-law survives a round trip within its step', () => {
    const worst = fromMuLaw(toMuLaw(line.pcm)).reduce((most, sample, i) => {
      const before = line.pcm[i]!;
      return Math.max(most, Math.abs(sample - before) / (Math.abs(before) + 132));
    }, 0);
    expect(worst).toBeLessThan(0.04);
  });

  it('a line is understood', async () => {
    expect(overlap('what are your opening hours', await transcribe(line))).toBe(1);
  });

  it('the raw peer calls, speaks and hears itself', async () => {
    const peer = await RawPeer.open(echo.target);
    const rtp = await RtpPeer.open();
    const call = peer.invite('8001', rtp.sdp());
    const answer = await call.answered();
    rtp.start(answer.body);
    await rtp.play(line);
    await until('the line came back', () => energy(rtp.sound()) > 0.99 * energy(line));
    expect((await call.bye()).status).toBe(200);
    rtp.close();
    peer.close();
  });

  it('baresip says a line and records it', async () => {
    const phone = await Baresip.start();
    try {
      await phone.dial(`sip:8001@127.0.0.1:${echo.target.port}`);
      await phone.say(line);
      await until('the line came back', () => energy(phone.sound()) > 0.9 * energy(line));
      await phone.hangUp();
    } finally {
      await phone.stop();
    }
  });

  it('sipp says a line, and the tap hears the answer', async () => {
    const tap = await Tap.open(echo.target);
    try {
      const result = await runSipp({ scenario: 'caller', target: tap.target, says: line, stayMs: 3000 });
      expect(result).toEqual({ code: 0, succeeded: 1, failed: 0, errors: '' });
      expect(tap.said).toBeGreaterThan(line.pcm.length / 160 - 5);
      expect(energy(tap.sound())).toBeGreaterThan(0.9 * energy(line));
    } finally {
      tap.close();
    }
  });
});

function energy({ pcm }: Sound): number {
  return pcm.reduce((sum, sample) => sum + sample * sample, 0);
}
