import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { levelDb } from '../src/audio/level.js';
import { recoverRecordings } from '../src/media/recording/recover.js';
import { createLogger } from '../src/telemetry/log.js';
import { Phone } from './kit/phone.js';
import { toSound } from './kit/rtp-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { Server } from './kit/server.js';
import { until } from './kit/until.js';

const has = (program: string) => spawnSync(program, ['--version']).error === undefined;
const FORMATS = [
  { format: 'wav', decode: (file: string) => file },
  {
    format: 'opus',
    decode: (file: string) => {
      execFileSync('opusdec', ['--quiet', '--rate', '8000', file, `${file}.wav`]);
      return `${file}.wav`;
    },
  },
].filter(({ format }) => has('sox') && (format === 'wav' || has('opusdec')));

/** Both sides as sox reads them, 8 kHz. */
function readBySox(file: string): { caller: Int16Array; agent: Int16Array } {
  const side = (channel: string) => {
    const raw = execFileSync('sox', [file, '-t', 'raw', '-e', 'signed', '-b', '16', '-', 'remix', channel], {
      maxBuffer: 1 << 26,
    });
    return new Int16Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
  };
  return { caller: side('1'), agent: side('2') };
}

/** How many stretches of 40 ms are a tone of 1400 Hz and nothing else. */
function beeps(pcm: Int16Array): number {
  let found = 0;
  for (let at = 0; at + 320 <= pcm.length; at += 320) {
    let [re, im, all] = [0, 0, 0];
    for (let n = 0; n < 320; n++) {
      const sample = pcm[at + n]!;
      const angle = (2 * Math.PI * 1400 * n) / 8000;
      re += sample * Math.cos(angle);
      im += sample * Math.sin(angle);
      all += sample * sample;
    }
    if (all > 320 * 500 ** 2 && (2 * (re * re + im * im)) / 320 > 0.9 * all) found++;
  }
  return found;
}

describe('a recording', () => {
  it.concurrent.each(FORMATS)(
    'in $format lacks at most its last second when the process is killed',
    async ({ format, decode }) => {
      const folder = scratchFolder(`killed-${format}`);
      const entries = [
        { name: 'all', default: true, answer: { agent: 'orders', record: { announcement: false, beep: true } } },
      ];
      writeFileSync(join(folder.path, 'test.yaml'), JSON.stringify(entries));
      const recordings = join(folder.path, 'recordings');
      const server = await Server.start({
        env: {
          PARLEY_DIALPLANS: folder.path,
          PARLEY_RECORDING_FOLDER: recordings,
          PARLEY_RECORDING_FORMAT: format,
          PARLEY_RECORDING_BEEP_EVERY_MS: '2000',
        },
      });
      const phone = await Phone.dial(server);
      try {
        const began = performance.now();
        await phone.greeted();
        await until('a beep on the line', () => beeps(toSound(phone.rtp.heard).pcm) > 0);
        const beeped = performance.now();
        await until('a call of some length', () => performance.now() - Math.max(began + 4000, beeped) > 1000);
        const ms = performance.now() - began;
        process.kill(server.pid, 'SIGKILL');
        await until('the process is gone', () => !server.alive);
        const [file = ''] = await recoverRecordings(recordings, createLogger('silent', 'test'), 0);
        expect(file).toMatch(new RegExp(`\\.${format}$`));
        const { caller, agent } = readBySox(decode(file));
        expect(agent.length).toBe(caller.length);
        expect(agent.length / 8).toBeGreaterThan(ms - 1000);
        expect(levelDb(agent.subarray(0, 16_000)), 'the greeting').toBeGreaterThan(-45);
        expect(beeps(agent), 'in the recording').toBeGreaterThan(0);
        expect(beeps(caller), 'on the side of a caller who says nothing').toBe(0);
        const types = server.journal(phone.callId).map(({ type }) => type);
        expect(types).toContain('recording.started');
        expect(types).not.toContain('caller.started');
        const sidecar = file.replace(/\.\w+$/, '.json');
        expect(existsSync(sidecar)).toBe(true);
        const info = JSON.parse(readFileSync(sidecar, 'utf8')) as { complete: boolean; seconds: number };
        expect(info.complete).toBe(false);
        expect(info.seconds).toBeCloseTo(agent.length / 8000, 1);
      } finally {
        phone.rtp.close();
        phone.peer.close();
        await server.stop();
        folder.remove();
      }
    },
  );
});
