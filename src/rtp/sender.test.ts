import { describe, expect, it } from 'vitest';
import { MU_LAW } from '../audio/g711.js';
import { opusLibrary } from '../audio/opus.js';
import type { NegotiatedMedia } from './negotiated.js';
import { parseRtp, type RtpFields, rtpFields } from './packet.js';
import { RtpSender } from './sender.js';

function media(ptime: number): NegotiatedMedia {
  return {
    remote: { address: '127.0.0.1', port: 4000 },
    codec: { name: 'PCMU', payloadType: 0, clockRate: 8000 },
    receives: [{ payloadType: 0, name: 'PCMU' }],
    ptime,
    direction: 'sendrecv',
  };
}

/** Runs `frames` ticks of 20 ms; a rising ramp is rendered. */
function run(sender: RtpSender, frames: number): (RtpFields & { size: number; first: number })[] {
  const out: (RtpFields & { size: number; first: number })[] = [];
  for (let n = 0; n < frames; n++) {
    sender.advance(
      20,
      (frame) => frame.fill(MU_LAW.decode[0x80 + (n & 0x7f)]!),
      (packet) => {
        const fields = rtpFields();
        expect(parseRtp(packet, fields)).toBe(true);
        out.push({ ...fields, size: packet.length - 12, first: packet[12]! });
      },
    );
  }
  return out;
}

describe('RtpSender', () => {
  it.each([10, 20, 30, 40, 60])('sends packets of %i ms without drift', (ptime) => {
    const sender = new RtpSender(8000);
    sender.configure(media(ptime));
    const packets = run(sender, 60);
    expect(packets.length).toBe(1200 / ptime);
    packets.forEach((packet, n) => {
      expect(packet.size).toBe(ptime * 8);
      expect(packet.marker).toBe(n === 0);
      expect(packet.ssrc).toBe(sender.ssrc);
      if (n === 0) return;
      expect((packet.sequence - packets[n - 1]!.sequence) & 0xffff).toBe(1);
      expect((packet.timestamp - packets[n - 1]!.timestamp) >>> 0).toBe(ptime * 8);
    });
  });

  it('counts in the clock of the codec, whatever the rate of the leg', () => {
    for (const [name, sampleRate, ticks, octets] of [
      ['PCMU', 16_000, 160, 160],
      ['G722', 16_000, 160, 160],
      ['G722', 8000, 160, 160],
    ] as const) {
      const sender = new RtpSender(sampleRate);
      sender.configure({ ...media(20), codec: { name, payloadType: 9, clockRate: 8000 } });
      const [first, second] = run(sender, 2);
      expect(first!.size).toBe(octets);
      expect((second!.timestamp - first!.timestamp) >>> 0).toBe(ticks);
    }
  });

  it.skipIf(opusLibrary.problem !== undefined)('leaves silence out of Opus with DTX, and marks what follows', () => {
    const sender = new RtpSender(16_000);
    const opus = { bitrate: 24_000, fec: false, dtx: true };
    sender.configure({ ...media(20), codec: { name: 'opus', payloadType: 96, clockRate: 48_000, opus } });
    const packets: RtpFields[] = [];
    const frames = 100;
    for (let n = 0; n < frames; n++) {
      sender.advance(
        20,
        (frame) => frame.fill(0),
        (packet) => {
          const fields = rtpFields();
          parseRtp(packet, fields);
          packets.push(fields);
        },
      );
    }
    expect(packets.length).toBeLessThan(frames / 2);
    packets.slice(1).forEach((packet, n) => {
      const before = packets[n]!;
      expect((packet.sequence - before.sequence) & 0xffff).toBe(1);
      expect(packet.marker).toBe((packet.timestamp - before.timestamp) >>> 0 > 960);
    });
    const last = (packets.at(-1)!.timestamp - packets[0]!.timestamp) >>> 0;
    expect(last % 960).toBe(0);
    expect(last).toBeGreaterThan(960 * (frames - 30));
  });

  it('lets the timestamp, not the sequence, go on while nothing is sent', () => {
    const sender = new RtpSender(8000);
    sender.advance(
      20,
      () => undefined,
      () => expect.unreachable('nothing is negotiated'),
    );
    sender.configure(media(20));
    const [before] = run(sender, 1);
    sender.pause(1000);
    const [after] = run(sender, 1);
    expect((after!.timestamp - before!.timestamp) >>> 0).toBe(160 + 8000);
    expect((after!.sequence - before!.sequence) & 0xffff).toBe(1);
    expect(after!.marker).toBe(true);
  });

  it('stays one stream when media is negotiated again', () => {
    const sender = new RtpSender(8000);
    sender.configure(media(20));
    const [before] = run(sender, 1);
    sender.configure({ ...media(30), codec: { name: 'PCMA', payloadType: 8, clockRate: 8000 } });
    const [after] = run(sender, 2);
    expect(after).toMatchObject({ payloadType: 8, size: 240, ssrc: before!.ssrc });
    expect((after!.sequence - before!.sequence) & 0xffff).toBe(1);
  });

  it('keeps time that no packet has carried when the packet time changes', () => {
    const sender = new RtpSender(8000);
    sender.configure(media(60));
    const before = run(sender, 5).at(-1)!;
    sender.configure(media(20));
    const after = run(sender, 1);
    expect(after.length).toBe(3);
    expect((after[0]!.timestamp - before.timestamp) >>> 0).toBe(480);
    expect(after[0]!.marker).toBe(false);
  });

  it('goes on in its codec where only other things change', () => {
    const [constant, changed] = [0, 1].map((change) => {
      const sender = new RtpSender(16_000);
      const g722 = { ...media(20), codec: { name: 'G722' as const, payloadType: 9, clockRate: 8000 } };
      const octets: number[] = [];
      for (let n = 0; n < 20; n++) {
        sender.configure(n < 10 || change === 0 ? g722 : { ...g722, codec: { ...g722.codec, payloadType: 99 } });
        sender.advance(
          20,
          (frame) => frame.set(frame.map((_, k) => 8000 * Math.sin((n * 320 + k) / 3))),
          (packet) => octets.push(...packet.subarray(12)),
        );
      }
      return octets;
    });
    expect(changed).toEqual(constant);
  });

  it.skipIf(opusLibrary.problem !== undefined)('is another stream when the RTP clock is another', () => {
    const sender = new RtpSender(16_000);
    sender.configure(media(20));
    const [before] = run(sender, 3);
    expect([sender.packets, sender.octets]).toEqual([3, 480]);
    const opus = { bitrate: 24_000, fec: false, dtx: false };
    sender.configure({ ...media(20), codec: { name: 'opus', payloadType: 96, clockRate: 48_000, opus } });
    const [first, second] = run(sender, 2);
    expect(first!.ssrc).not.toBe(before!.ssrc);
    expect(second!.ssrc).toBe(first!.ssrc);
    expect(first!.marker).toBe(true);
    expect(sender.sent).toBe(5);
    expect(sender.packets).toBe(2);
  });

  it('wraps sequence and timestamp', () => {
    const sender = new RtpSender(8000);
    sender.configure(media(10));
    let previous = run(sender, 3).at(-1);
    // 72,000 packets; the pauses between them add up to ten turns of the timestamp.
    let wrong = 0;
    for (let n = 0; n < 120; n++) {
      sender.pause(50_000_000);
      for (const packet of run(sender, 300)) {
        if (((packet.sequence - previous!.sequence) & 0xffff) !== 1) wrong++;
        const ticks = (packet.timestamp - previous!.timestamp) >>> 0;
        if (ticks !== (packet.marker ? 80 + 400_000_000 : 80)) wrong++;
        previous = packet;
      }
    }
    expect(wrong).toBe(0);
  });
});
