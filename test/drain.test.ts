import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { house } from './kit/house.js';
import { Phone } from './kit/phone.js';
import { scratchFolder } from './kit/scratch.js';
import { Server } from './kit/server.js';
import { speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

/** Prints the datagrams of a service manager's socket: Node.js has no such sockets. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;
const CALLS = 20;

describe('SIGTERM under 20 calls, as systemd sends it', () => {
  const folder = scratchFolder('notify');
  /** The people behind the first can be reached without Parley; behind the second there are none. */
  const files = house([{ name: 'desk', escalation: { target: 'sip:desk@127.0.0.1:5070' } }, { name: 'alone' }]);
  const told: string[] = [];
  const phones: Phone[] = [];
  let manager: ChildProcess;
  let server: Server;

  beforeAll(async () => {
    const socket = join(folder.path, 'notify');
    manager = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    manager.stdout?.on('data', (text: Buffer) => told.push(...text.toString().split('\n').filter(Boolean)));
    await until('the service manager', () => told.includes('listening'));
    server = await Server.start({
      cwd: files.path,
      env: { PARLEY_LIMITS_DRAIN_MS: '9000', NOTIFY_SOCKET: socket, WATCHDOG_USEC: '2000000' },
    });
    phones.push(
      ...(await Promise.all(Array.from({ length: CALLS }, (_, n) => Phone.dial(server, String(1 + (n % 2)))))),
    );
    await Promise.all(phones.map((phone) => phone.greeted()));
  });

  afterAll(async () => {
    await Promise.all(phones.map((phone) => phone.close()));
    await server?.stop();
    manager?.kill();
    folder.remove();
    files.remove();
  });

  it('takes no more calls, answers those that are up, and lets nobody go without a word', async () => {
    process.kill(server.pid, 'SIGTERM');
    await until('draining', () => server.lastWords().includes('no more calls'));
    const late = await Phone.invite(server);
    const refused = await late.call.final();
    late.call.acknowledge(refused);
    await late.close();
    expect([refused.status, refused.header('retry-after')]).toEqual([503, '10']);
    expect(await server.get('/readyz', 503)).toContain('draining');

    const [first, ...others] = phones;
    await first?.rtp.play(await speak('What are your opening hours?'));
    const asked = performance.now();
    await first?.rtp.spoken(asked);
    expect(await transcribe(first?.since(asked) ?? EMPTY)).toMatch(/\b(nine|9|seven|7)\b/i);
    await first?.hangUp();

    const silent = performance.now();
    await until('the end of the process', () => !server.alive, { ms: 30_000 });
    for (const { call } of others) expect(call.ended).toBe(true);
    const [desk, alone] = [phones.at(-2), phones.at(-1)];
    const refer = desk?.peer.received.find(({ method }) => method === 'REFER');
    expect(refer?.header('refer-to')).toContain('sip:desk@127.0.0.1:5070');
    expect(await transcribe(alone?.since(silent) ?? EMPTY)).toMatch(/the end|time|good ?bye|thank/i);
    const words = told.join('\n');
    expect(words).toContain('READY=1');
    expect(words).toMatch(/WATCHDOG=1/);
    expect(words).toContain('STOPPING=1');
  });
});

const EMPTY = { pcm: new Int16Array(0), sampleRate: 8000 };
