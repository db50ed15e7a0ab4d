import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { decodeG711, MU_LAW } from '../audio/g711.js';
import { opusLibrary } from '../audio/opus.js';
import { ParleyError } from '../errors.js';
import type { NegotiatedMedia } from './negotiated.js';
import { parseRtp, type RtpFields, rtpFields } from './packet.js';
import { RtpSender } from './sender.js';
import { TelephoneEvents } from './telephone-event.js';

const EVENT = 101;

function media(ptime: number, eventClock: number): NegotiatedMedia {
  const opus = { bitrate: 16_000, fec: false, dtx: false };
  return {
    remote: { address: '127.0.0.1', port: 4000 },
    codec:
      eventClock === 48_000
        ? { name: 'opus', payloadType: 96, clockRate: 48_000, opus }
        : { name: 'PCMU', payloadType: 0, clockRate: 8000 },
    telephoneEvent: eventClock === 0 ? undefined : { payloadType: EVENT, clockRate: eventClock },
    receives: [{ payloadType: 0, name: 'PCMU' }],
    ptime,
    direction: 'sendrecv',
  };
}

const hasMultimon = ['sox', 'multimon-ng'].every((program) => spawnSync(program, ['-h']).error === undefined);

/** The keys that another program hears, which wants 22,050 Hz. */
function keysByMultimon({ buffer, byteOffset, byteLength }: Int16Array): string {
  const raw = ['-t', 'raw', '-e', 'signed', '-b', '16', '-c', '1'];
  const input = Buffer.from(buffer, byteOffset, byteLength);
  const fast = execFileSync('sox', [...raw, '-r', '8000', '-', ...raw, '-r', '22050', '-'], { input });
  const heard = execFileSync('multimon-ng', ['-q', '-a', 'DTMF', '-t', 'raw', '-'], { input: fast, encoding: 'utf8' });
  return [...heard.matchAll(/DTMF: (\S)/g)].map(([, key]) => key).join('');
}

interface Sent extends RtpFields {
  payload: Uint8Array;
  /** Tick it was sent in. */
  tick: number;
}

class Line {
  readonly sent: Sent[] = [];
  rendered = 0;
  tick = 0;

  constructor(readonly sender: RtpSender) {}

  run(ticks: number): void {
    for (let n = 0; n < ticks; n++, this.tick++) {
      this.sender.advance(
        20,
        (frame) => {
          this.rendered += frame.length;
          frame.fill(1000);
        },
        (packet) => {
          const fields = rtpFields();
          expect(parseRtp(packet, fields)).toBe(true);
          this.sent.push({ ...fields, payload: Uint8Array.from(packet.subarray(12)), tick: this.tick });
        },
      );
    }
  }

  /** The keys that a receiver makes of it, with how long they were held, ms. */
  keys(clockRate: number): string[] {
    const keys: string[] = [];
    const events = new TelephoneEvents((digit, ms) => keys.push(`${digit}/${ms}`));
    events.clockRate = clockRate;
    for (const { payloadType, payload, timestamp, marker, tick } of this.sent) {
      events.poll(tick * 20);
      if (payloadType === EVENT) events.push(payload, 0, payload.length, timestamp, tick * 20, marker);
    }
    events.poll(Number.POSITIVE_INFINITY);
    return keys;
  }

  audio(): Int16Array {
    const pcm = new Int16Array(this.sent.length * 480);
    let length = 0;
    for (const { payloadType, payload } of this.sent) {
      if (payloadType === 0) length += decodeG711(MU_LAW, payload, 0, payload.length, pcm.subarray(length));
    }
    return pcm.subarray(0, length);
  }
}

function line(ptime = 20, eventClock = 8000): Line {
  const sender = new RtpSender(8000);
  sender.configure(media(ptime, eventClock));
  return new Line(sender);
}

describe('sending keys', () => {
  it.each([10, 20, 30, 40, 60])('as events in packets of %i ms, in one stream with true time', (ptime) => {
    const phone = line(ptime);
    phone.run(6);
    phone.sender.digits('1A#');
    phone.run(60);
    expect(phone.keys(8000)).toEqual(['1/100', 'A/100', '#/100']);
    for (const [n, packet] of phone.sent.entries()) {
      if (n > 0) expect((packet.sequence - phone.sent[n - 1]!.sequence) & 0xffff).toBe(1);
      expect(packet.ssrc).toBe(phone.sender.ssrc);
      const ticks = n * ptime * 8;
      if (packet.payloadType === 0) expect((packet.timestamp - phone.sent[0]!.timestamp) >>> 0).toBe(ticks);
    }
    const press = phone.sent.filter(({ payloadType, payload }) => payloadType === EVENT && payload[0] === 12);
    expect(new Set(press.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(press.map(({ marker }) => marker)).toEqual(press.map((_, n) => n === 0));
    expect(press.filter(({ payload }) => payload[1]! & 0x80).length).toBe(3);
    const index = phone.sent.findIndex((packet) => packet.timestamp === press[0]!.timestamp);
    expect(phone.sent[index]!.payloadType).toBe(EVENT);
    const after = phone.sent.slice(index).find(({ payloadType }) => payloadType === 0);
    expect(after?.marker).toBe(true);
  });

  it('holds speech back while a key is sent, and lets it go on in a pause', () => {
    const phone = line();
    const told: string[] = [];
    phone.sender.digits('5,w6', { toneMs: 60, gapMs: 60, done: (sent) => told.push(sent) });
    phone.run(3 + 3);
    expect(phone.rendered).toBe(0);
    phone.run(75);
    expect(phone.rendered).toBe(12_000);
    expect(told).toEqual([]);
    phone.run(7);
    expect(phone.rendered).toBe(12_160);
    expect(told).toEqual(['56']);
  });

  it.each(opusLibrary.problem === undefined ? [8000, 48_000] : [8000])(
    'holds a key longer than a duration can say, clock %i Hz',
    (clockRate) => {
      const phone = line(20, clockRate);
      phone.sender.digits('7', { toneMs: 20_000 });
      phone.run(1100);
      expect(phone.keys(clockRate)).toEqual(['7/20000']);
      const stamps = new Set(phone.sent.filter(({ payloadType }) => payloadType === EVENT).map((p) => p.timestamp));
      expect(stamps.size).toBe(Math.ceil((20 * clockRate) / 0xffff));
    },
  );

  it('survives hold, and events that are negotiated away', () => {
    const phone = line();
    phone.sender.digits('12', { toneMs: 200 });
    phone.run(3);
    phone.sender.pause(60_000);
    phone.run(60);
    expect(phone.keys(8000)).toEqual(['1/60', '2/200']);
    phone.sender.digits('34', { toneMs: 200 });
    phone.run(3);
    phone.sender.configure(media(20, 0));
    phone.run(60);
    expect(phone.keys(8000)).toEqual(['1/60', '2/200', '3/60']);
  });

  it('as sound where events are not agreed: exact, without clicks, speech held back', () => {
    const phone = line(20, 0);
    phone.sender.digits('5', { toneMs: 70, gapMs: 60 });
    phone.run(10);
    expect(phone.rendered).toBe(160 * 3);
    const pcm = phone.audio();
    let last = 0;
    for (let n = 0; n < 1120; n++) if (Math.abs(pcm[n]!) > 10) last = n;
    expect(last).toBeGreaterThan(550);
    expect(last).toBeLessThan(560);
    expect(Math.max(...pcm.subarray(0, 8).map(Math.abs))).toBeLessThan(700);
    expect(Math.max(...pcm.subarray(100, 400).map(Math.abs))).toBeGreaterThan(14_000);
  });

  it.runIf(hasMultimon)('as sound are heard by multimon-ng', () => {
    const phone = line(20, 0);
    phone.sender.digits('123A456B789C*0#D1122');
    phone.run(300);
    expect(keysByMultimon(phone.audio())).toBe('123A456B789C*0#D1122');
  });

  it('refuses what is no key, and queues nothing of it', () => {
    const phone = line();
    expect(() => phone.sender.digits('12x')).toThrow(ParleyError);
    expect(() => phone.sender.digits('1', { toneMs: 0 })).toThrow(/toneMs/);
    expect(() => phone.sender.digits('1', { gapMs: Number.NaN })).toThrow(/gapMs/);
    phone.run(20);
    expect(phone.keys(8000)).toEqual([]);
  });
});
