import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasSox, keysBySox } from '../../../test/kit/sox-keys.js';
import { A_LAW, decodeG711, encodeG711, type G711Law, MU_LAW } from '../../audio/g711.js';
import { resample } from '../../audio/resample.js';
import { DTMF_COLUMNS, DTMF_ROWS, dtmfDigit, once, ToneGenerator } from '../../audio/tones.js';
import { readWav } from '../../audio/wav.js';
import { DtmfDetector } from './detector.js';

const ALL = '123A456B789C*0#D';

interface Line {
  rate?: number;
  /** Of the low group, dBm0; the high group is `twist` dB above. */
  level?: number;
  twist?: number;
  /** Factor of the frequencies. */
  off?: number;
  toneMs?: number;
  gapMs?: number;
  /** Noise so far below the tone, dB. */
  snr?: number;
  law?: G711Law;
}

/** A generator of uniform noise that is the same every time. */
function noise(): () => number {
  let state = 12_345;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  };
}

/** Keys in a row, each followed by a gap, 100 ms of silence before. */
function dial(keys: string, line: Line = {}): Int16Array {
  const { rate = 8000, level = -10, twist = 0, off = 1, toneMs = 50, gapMs = 50, snr, law } = line;
  const step = ((toneMs + gapMs) * rate) / 1000;
  const pcm = new Int16Array(0.1 * rate + keys.length * step + 0.1 * rate);
  for (const [n, key] of [...keys].entries()) {
    const at = ALL.indexOf(key);
    const frequencies = [DTMF_ROWS[at >> 2]! * off, DTMF_COLUMNS[at & 3]! * off];
    const begins = 0.1 * rate + n * step;
    new ToneGenerator(once(frequencies, toneMs, [0, twist]), rate, level).add(pcm.subarray(begins, begins + step));
  }
  if (snr !== undefined) {
    const random = noise();
    const tone = pcm.subarray(0.1 * rate, 0.1 * rate + (toneMs * rate) / 1000);
    const rms = Math.sqrt(tone.reduce((sum, sample) => sum + sample * sample, 0) / tone.length);
    const peak = Math.sqrt(3) * rms * 10 ** (-snr / 20);
    for (let n = 0; n < pcm.length; n++) pcm[n] = Math.max(-32768, Math.min(32767, pcm[n]! + random() * peak));
  }
  if (law) {
    const bytes = new Uint8Array(pcm.length);
    encodeG711(law, pcm, pcm.length, bytes, 0);
    decodeG711(law, bytes, 0, bytes.length, pcm);
  }
  return pcm;
}

interface Press {
  digit: string;
  start: number;
  ms: number;
}

function listen(pcm: Int16Array, rate = 8000, frame = (20 * rate) / 1000, mute = false): Press[] {
  const found: Press[] = [];
  const detector = new DtmfDetector(rate, (digit, start, ms) => found.push({ digit, start, ms }), mute);
  for (let at = 0; at < pcm.length; at += frame) {
    const part = pcm.subarray(at, Math.min(pcm.length, at + frame));
    detector.process(part, part.length);
  }
  detector.end();
  return found;
}

const heard = (keys: string, line: Line = {}): string =>
  listen(dial(keys, line), line.rate)
    .map(({ digit }) => digit)
    .join('');

describe('DtmfDetector', () => {
  it('knows where the keys are', () => {
    expect(ALL).toBe([0, 1, 2, 3].flatMap((row) => [0, 1, 2, 3].map((column) => dtmfDigit(row, column))).join(''));
  });

  it.each([8000, 16_000])('hears every key at every level, twist and offset that Q.24 names, at %i Hz', (rate) => {
    for (const level of [-34, -20, -10, -4]) expect(heard(ALL, { rate, level }), `level ${level}`).toBe(ALL);
    for (const twist of [-8, -4, 4]) expect(heard(ALL, { rate, twist }), `twist ${twist}`).toBe(ALL);
    for (const off of [0.985, 1.015]) {
      expect(heard(ALL, { rate, off, snr: 20 }), `off ${off}`).toBe(ALL);
      expect(heard(ALL, { rate, off, twist: -8, level: -28 }), `off ${off} with twist`).toBe(ALL);
    }
    for (const snr of [20, 15]) expect(heard(ALL, { rate, snr }), `noise ${snr}`).toBe(ALL);
    expect(heard(ALL, { rate, toneMs: 40, gapMs: 40 })).toBe(ALL);
  });

  it.runIf(hasSox)('hears the keys that sox makes', () => {
    expect(
      listen(keysBySox(`${ALL}1122`).pcm)
        .map(({ digit }) => digit)
        .join(''),
    ).toBe(`${ALL}1122`);
  });

  it('hears keys through G.711, at either end of the level', () => {
    for (const law of [MU_LAW, A_LAW]) {
      for (const level of [-34, -3])
        expect(heard(ALL, { level, law, snr: 20, toneMs: 45 }), `level ${level}`).toBe(ALL);
    }
  });

  it('takes what is too short, off, skewed or weak for none', () => {
    expect(heard(ALL, { toneMs: 23 })).toBe('');
    for (const off of [0.965, 1.035]) expect(heard(ALL, { off, toneMs: 100 }), `off ${off}`).toBe('');
    expect(heard(ALL, { twist: -12 })).toBe('');
    expect(heard(ALL, { twist: 8 })).toBe('');
    expect(heard(ALL, { level: -48 })).toBe('');
    expect(heard(ALL, { snr: 0 })).toBe('');
  });

  it('tells the same key pressed twice, and bridges a lost packet', () => {
    expect(heard('5555', { toneMs: 60, gapMs: 40 })).toBe('5555');
    const pcm = dial('7', { toneMs: 400 });
    pcm.fill(0, 1600, 1760);
    expect(listen(pcm).map(({ digit }) => digit)).toEqual(['7']);
  });

  it('says where a key began and how long it was held, whatever the frame size', () => {
    for (const frame of [160, 80, 37, 480, 4000]) {
      for (const [n, { start, ms }] of listen(dial('159', { toneMs: 120, gapMs: 80 }), 8000, frame).entries()) {
        expect(Math.abs(start - (800 + n * 1600))).toBeLessThanOrEqual(48);
        expect(Math.abs(ms - 120)).toBeLessThanOrEqual(10);
      }
    }
  });

  it('silences a key but for its first 26 ms, and nothing around it', () => {
    const pcm = dial('5', { toneMs: 200, gapMs: 200 });
    const random = noise();
    for (let n = 0; n < pcm.length; n++) pcm[n] = pcm[n]! + random() * 100;
    const muted = pcm.slice();
    listen(muted, 8000, 160, true);
    const [from, to] = [800, 800 + 1600];
    expect(muted.subarray(0, from)).toEqual(pcm.subarray(0, from));
    expect(muted.subarray(from + 26 * 8, to).every((sample) => sample === 0)).toBe(true);
    expect(muted.subarray(to + 80)).toEqual(pcm.subarray(to + 80));
    const whole = pcm.slice();
    listen(whole, 8000, whole.length, true);
    expect(Math.max(...whole.subarray(from + 24, to))).toBeLessThan(200);
  });

  it('counts a gap in the stream as silence', () => {
    const found: Press[] = [];
    const detector = new DtmfDetector(8000, (digit, start, ms) => found.push({ digit, start, ms }));
    const pcm = dial('3', { toneMs: 100, gapMs: 100 }).subarray(800, 1600);
    detector.process(pcm, pcm.length);
    expect(detector.sounding).toBe(true);
    detector.process(pcm, pcm.length, 800 + 80_000);
    expect(detector.sounding).toBe(true);
    detector.skip(80_000);
    expect(found.map(({ digit }) => digit)).toEqual(['3', '3']);
    expect(Math.abs(found[1]!.start - 80_800)).toBeLessThanOrEqual(48);
    expect(detector.position).toBe(80_800 + 800 + 80_000);
  });
});

/* Recordings of people and of other sounds, where there are some: they are not part of the project. */
const folder = join(process.env.PARLEY_TEST_DATA ?? '../shared/data', 'speech');
const usable = existsSync(folder) && spawnSync('flac', ['--version']).status === 0;

describe.skipIf(!usable)('speech and noise', () => {
  it('are no keys', () => {
    const files = ['.', 'digits', 'letters', 'not-speech'].flatMap((part) =>
      existsSync(join(folder, part))
        ? readdirSync(join(folder, part))
            .filter((file) => file.endsWith('.flac') && !file.startsWith('dtmf'))
            .map((file) => join(folder, part, file))
        : [],
    );
    const wrong = files.flatMap((file) => {
      const wav = execFileSync('flac', ['-d', '-s', '-c', file], { maxBuffer: 1 << 28 });
      const { pcm, sampleRate } = readWav(wav, file);
      return [8000, 16_000].flatMap((rate) => {
        const found = listen(resample(pcm, sampleRate, rate), rate);
        return found.length > 0 ? [`${file}: ${found.map(({ digit, ms }) => `${digit}/${ms}`).join(' ')}`] : [];
      });
    });
    expect(wrong).toEqual([]);
  });
});
