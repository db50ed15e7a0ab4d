import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANSWER, EdgeBench, OFFER, until } from '../../test/kit/edge-bench.js';
import { ScriptedCall } from '../../test/kit/edge-peer.js';
import { DialogFile } from './dialog-file.js';
import type { DialogRecord } from './edge/dialog/dialog-record.js';

describe('dialogs of a process that was killed', () => {
  it('are noted without their keys, and ended with BYE by the next', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dialogs-'));
    const path = join(folder, 'dialogs-5060.json');
    const standing = new Map<string, DialogRecord>();
    const file = new DialogFile(path);
    const keep = (id: string, record: DialogRecord | undefined) => {
      if (record) standing.set(id, record);
      file.changed(() => [...standing.values()]);
    };
    const first = await EdgeBench.start(10, { keep });
    await first.application((srf) => srf.invite((req, res) => void srf.createUAS(req, res, { localSdp: ANSWER })));
    const peer = await first.udpPeer();
    const call = new ScriptedCall(peer, first.uri);
    call.send('INVITE', { body: OFFER });
    await call.response(200, 'INVITE');
    call.send('ACK');
    await until(() => standing.size === 1);
    await expect.poll(() => readable(path)).toContain(call.callId);
    expect(readable(path)).not.toContain('m=audio');

    const left = new DialogFile(path).take();
    expect(new DialogFile(path).take()).toEqual([]);
    const second = await EdgeBench.start(10, { left });
    await second.application();
    const bye = await call.request('BYE');
    expect(bye.get('reason')).toContain('started anew');
    peer.answer(bye, '200 OK');
    await second.close();
    await first.close();
    file.close();
    rmSync(folder, { recursive: true });
  });
});

function readable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
