import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { ANSWER, OFFER } from './kit/edge-bench.js';
import { ScriptedCall, SipPeer } from './kit/edge-peer.js';
import { CLI } from './kit/server.js';

const ends: (() => unknown)[] = [];

afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
});

/** A program, and the lines it writes. */
function program(...args: string[]): { child: ChildProcess; line(test: RegExp): Promise<string>; errors: string[] } {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  ends.push(() => child.kill());
  const errors: string[] = [];
  if (!child.stdout || !child.stderr) throw new Error('no pipes');
  createInterface(child.stderr).on('line', (line) => errors.push(line));
  const lines = createInterface(child.stdout);
  const line = async (test: RegExp) => {
    for (;;) {
      const [text] = await once(lines, 'line');
      if (test.test(String(text))) return String(text);
    }
  };
  return { child, line, errors };
}

describe('parley edge', () => {
  it('runs the example of its guide: a call through it, counted, and gone with it', async () => {
    const at = ['--sip', '127.0.0.1:0', '--control', '127.0.0.1:0', '--http', '127.0.0.1:0', '--json'];
    const edge = program(CLI, 'edge', ...at, '--secret', 'a secret');
    const ready: { sip: string; control: string; http: string } = JSON.parse(await edge.line(/"ready":true/));
    const port = Number(ready.sip.split(':')[1]);
    const caller = await SipPeer.udp(port);
    const callee = await SipPeer.udp(port);
    ends.push(
      () => caller.close(),
      () => callee.close(),
    );
    const controlPort = ready.control.split(':')[1] ?? '';
    const app = program('examples/edge/forward.mjs', `127.0.0.1:${callee.port}`, controlPort, 'a secret');
    expect(await app.line(/connected/)).toContain(`udp/${ready.sip}`);

    const call = new ScriptedCall(caller, `sip:8001@${ready.sip}`);
    call.send('INVITE', { body: OFFER });
    const invite = await callee.request('INVITE');
    expect(invite.startLine).toBe(`INVITE sip:8001@127.0.0.1:${callee.port} SIP/2.0`);
    callee.answer(invite, '200 OK', 'b', [`Contact: <sip:b@127.0.0.1:${callee.port}>`], ANSWER);
    expect((await call.response(200, 'INVITE')).body).toBe(ANSWER);
    call.send('ACK');
    await callee.request('ACK');
    const metrics = await (await fetch(`http://${ready.http}/metrics`)).text();
    expect(metrics).toMatch(/^parley_edge_dialogs 2$/m);
    expect(metrics).toMatch(/^parley_edge_messages_total\{direction="in",kind="INVITE"\} 1$/m);

    const exit = once(edge.child, 'exit');
    edge.child.kill('SIGTERM');
    for (const peer of [caller, callee]) peer.answer(await peer.request('BYE'), '200 OK');
    expect(await exit).toEqual([0, null]);
    expect(edge.errors.map((line) => JSON.parse(line).msg)).toContain('application connected');
  });
});
