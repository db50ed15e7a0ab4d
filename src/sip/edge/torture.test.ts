import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EdgeBench } from '../../../test/kit/edge-bench.js';

const MESSAGES = join(process.env.PARLEY_TEST_DATA ?? '../shared/data', 'sip-torture');

/** The documented behaviour: message name and what the edge does with it. */
function documented(): [string, string][] {
  const page = readFileSync('docs/reference/sip-torture.md', 'utf8');
  return [...page.matchAll(/^\| `(\w+)` \|[^|]*\|[^|]*\| (\w+) \|/gm)].map((row) => [row[1] ?? '', row[2] ?? '']);
}

/** What comes back for a message: `application` when it was one that answered. */
async function outcome(bench: EdgeBench, message: Buffer, host: string): Promise<string> {
  const via = /^v(?:ia)?[ \t]*:[^;\r\n]*?:(\d{2,5})[\s;]/im.exec(message.toString('latin1'));
  const socket = createSocket('udp4');
  const seen: string[] = [];
  const probed = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const text = data.toString('latin1');
      if (text.includes('Call-ID: probe')) resolve();
      else if (!text.startsWith('SIP/2.0 100')) seen.push(text);
    });
  });
  // A response goes to the address that was sent from, at the port of the message's Via.
  socket.bind(via ? Number(via[1]) : 5060, host);
  await once(socket, 'listening');
  socket.send(message, bench.edge.sipPort, '127.0.0.1');
  probe(bench, socket, host);
  await probed;
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  const [first] = seen;
  if (first === undefined) return 'dropped';
  return first.includes('Server: application') ? 'application' : first.slice(8, 11);
}

/** A request that is surely answered: once its answer is here, so is any answer to what was sent before it. */
function probe(bench: EdgeBench, socket: Socket, host: string): void {
  const lines = [
    'OPTIONS sip:8001@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP ${host};rport;branch=z9hG4bK${Math.random()}`,
    'From: <sip:probe@127.0.0.1>;tag=1',
    'To: <sip:8001@127.0.0.1>',
    `Call-ID: probe-${host}`,
    'CSeq: 1 OPTIONS',
  ];
  socket.send(`${lines.join('\r\n')}\r\n\r\n`, bench.edge.sipPort, '127.0.0.1');
}

it.runIf(existsSync(MESSAGES))(
  'each message of RFC 4475 is treated as docs/reference/sip-torture.md says',
  async () => {
    const table = documented();
    const names = readdirSync(MESSAGES).map((file) => file.replace('.dat', ''));
    expect(table.map(([name]) => name).sort()).toEqual(names.sort());
    const found: [string, string][] = [];
    for (const [i, [name]] of table.entries()) {
      // Some share a branch: for one edge they would be the same request again.
      const bench = await EdgeBench.start();
      await bench.application((srf) => {
        const headers = { Server: 'application' };
        srf.invite((_req, res) => res.send(486, { headers }));
        for (const method of ['options', 'register', 'message']) {
          srf.use(method, (_req, res) => res.send(200, { headers }));
        }
      });
      found.push([name, await outcome(bench, readFileSync(join(MESSAGES, `${name}.dat`)), `127.0.2.${i + 1}`)]);
      await bench.close();
    }
    expect(found).toEqual(table);
  },
);
