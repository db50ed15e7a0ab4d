import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, ROOT, Server } from './kit/server.js';

const run = promisify(execFile);
const FOLDER = join(ROOT, 'examples/calls');

/** What these tests read of `parley call --json`. */
interface Report {
  ok: boolean;
  answered: boolean;
  expectations: { ok: boolean }[];
  ended: { by: string; target?: string };
}

/** Each example script, spoken by Parley's own caller: whole conversations, judged by what was heard. */
describe('the scripted caller', () => {
  let server: Server;

  beforeAll(async () => {
    server = await Server.start();
  });

  afterAll(() => server?.stop());

  const call = async (script: string): Promise<Report> => {
    const uri = `sip:8001@${server.sip.host}:${server.sip.port}`;
    const args = [CLI, 'call', uri, '--script', join(FOLDER, script), '--json'];
    // A script whose expectations fail ends with code 1, and still reports.
    const { stdout } = await run(process.execPath, args, { cwd: ROOT }).catch((error) => error as { stdout: string });
    return JSON.parse(stdout);
  };

  it.concurrent.each(readdirSync(FOLDER))('%s', { timeout: 120_000 }, async (script) => {
    const report = await call(script);
    expect(report, JSON.stringify(report)).toMatchObject({ ok: true, answered: true });
    if (script === 'hand-over.yaml')
      expect(report.ended).toMatchObject({ by: 'transfer', target: expect.stringMatching(/^sip:/) });
  });
});
