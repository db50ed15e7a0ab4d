import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { levelDb } from '../src/audio/level.js';
import { Phone } from './kit/phone.js';
import { toSound } from './kit/rtp-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { Server } from './kit/server.js';
import { until } from './kit/until.js';

/** Whoever watches over calls holds them, sends keys, pauses their recording and ends them, over HTTP. */
describe('control of a live call', () => {
  let server: Server;
  let folder: ReturnType<typeof scratchFolder>;

  beforeAll(async () => {
    folder = scratchFolder('control');
    const entries = [{ name: 'all', default: true, answer: { agent: 'orders', record: { announcement: false } } }];
    writeFileSync(join(folder.path, 'test.yaml'), JSON.stringify(entries));
    const env = { PARLEY_DIALPLANS: folder.path, PARLEY_RECORDING_FOLDER: join(folder.path, 'recordings') };
    server = await Server.start({ env });
  });

  afterEach(async () => {
    await server.waitForIdle();
    expect(server.noise).toEqual([]);
  });

  afterAll(async () => {
    await server?.stop();
    folder?.remove();
  });

  async function ask(path: string, body?: unknown): Promise<{ status: number; answer: Record<string, unknown> }> {
    const options = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${server.http}/v1/calls${path}`, options);
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  }

  it('holds it with music, takes it back, sends keys, pauses its recording, and ends it', async () => {
    const phone = await Phone.dial(server);
    try {
      await phone.greeted();
      const { calls } = (await ask('')).answer as { calls: { id: string; state: string }[] };
      const call = calls[0]!;
      expect(call).toMatchObject({ to: '8001', agent: 'orders', state: 'talking', onHold: false });
      const since = () => performance.now();
      const heard = (from: number) => toSound(phone.rtp.heard.filter(({ at }) => at > from)).pcm;

      expect((await ask(`/${call.id}/hold`, {})).status).toBe(200);
      const offer = await phone.peer.message('re-INVITE', ({ method, body }) => method === 'INVITE' && body !== '');
      expect(offer.body).toMatch(/^a=sendonly/m);
      const held = since();
      await until('two seconds of music', () => heard(held).length > 16_000);
      expect(levelDb(heard(held).slice(8000))).toBeGreaterThan(-50);
      expect((await ask('')).answer).toMatchObject({ calls: [{ onHold: true }] });
      // A key pressed over the music counts.
      phone.rtp.press('7');
      await server.event('dtmf', { sipCallId: phone.callId, where: ({ digit }) => digit === '7' });

      expect((await ask(`/${call.id}/recording`, { action: 'pause' })).status).toBe(200);
      const paused = since();
      await until('a second without recording', () => heard(paused).length > 8000);
      expect((await ask(`/${call.id}/recording`, { action: 'resume' })).status).toBe(200);

      expect((await ask(`/${call.id}/resume`, {})).status).toBe(200);
      expect((await ask(`/${call.id}/dtmf`, { digits: '4w2' })).status).toBe(200);
      const keys = new Set(phone.rtp.heard.filter(({ payloadType }) => payloadType === 101).map((p) => p.payload[0]));
      expect([...keys]).toEqual([4, 2]);
      expect((await ask(`/${call.id}/dtmf`, { digits: 'x' })).status).toBe(422);

      expect((await ask(`/${call.id}/end`, {})).status).toBe(200);
      await until('BYE', () => !phone.call.open);
      await server.waitForIdle();
      expect((await ask(`/${call.id}/hold`, {})).status).toBe(404);
      const journal = server.journal(phone.callId);
      const types = journal.map((event) => event.type);
      expect(types).toEqual(
        expect.arrayContaining(['recording.started', 'hold', 'recording.paused', 'dtmf.sent', 'media.quality']),
      );
      const finished = journal.find((event) => event.type === 'recording.finished');
      if (finished?.type !== 'recording.finished' || !finished.file) throw new Error('no recording');
      expect(finished.complete).toBe(true);
      expect(existsSync(finished.file)).toBe(true);
      const wav = new wavefile.WaveFile(readFileSync(finished.file));
      const [, agent] = wav.getSamples(false, Int16Array) as unknown as [Int16Array, Int16Array];
      // The greeting is in it, and a second of true silence where it was paused.
      expect(levelDb(agent.subarray(0, 16_000))).toBeGreaterThan(-45);
      let quiet = 0;
      let longest = 0;
      for (const sample of agent) {
        quiet = sample === 0 ? quiet + 1 : 0;
        longest = Math.max(longest, quiet);
      }
      expect(longest).toBeGreaterThan(7000);
    } finally {
      await phone.close();
    }
  });
});
