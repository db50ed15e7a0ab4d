import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { StoredEvent } from '../src/journal/events.js';
import { Phone } from './kit/phone.js';
import { assertComplete, CLI, ROOT, Server } from './kit/server.js';
import { until } from './kit/until.js';

const SECRET = 'the key of the signatures';
/** What comes with the call and the configuration, and is nobody's business. */
const CANARIES = {
  signatures: SECRET,
  password: 'canary-of-a-user',
  pin: '918273',
  digest: 'ca9a4dca9a4dca9a4dca9a4dca9a4dca',
  header: 'canary-of-a-header',
  srtp: 'Q2FuYXJ5T2ZBS2V5T2ZTUlRQQ2FuYXJ5T2ZBS2V5',
};

/** Other programs follow a call while it happens, each within its role; afterwards it is deleted. */
describe('live journal and accounts', () => {
  let server: Server;
  const posted: StoredEvent[] = [];
  /** Names of spans by trace. */
  const spans = new Map<string, string[]>();
  /** All that went out by HTTP. */
  const told: string[] = [];
  let refusals = 2;
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      told.push(body, JSON.stringify(request.headers));
      if (request.url === '/all') return response.writeHead(204).end();
      if (request.url === '/v1/traces') {
        noteSpans(body, spans);
        return response.writeHead(200).end('{}');
      }
      const [, time, hash] = /^t=(\d+),v1=(\w+)$/.exec(String(request.headers['parley-signature'])) ?? [];
      const right = hash === createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex');
      const taken = right && refusals-- <= 0;
      if (taken) posted.push(JSON.parse(body));
      response.writeHead(taken ? 204 : 503).end();
    });
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const hooks = [
      { name: 'test', url, events: ['call.*'], secret: SECRET },
      { name: 'all', url: `${url}all`, events: ['*'], secret: SECRET },
    ];
    const secrets = {
      PARLEY_LOG_LEVEL: 'trace',
      PARLEY_SIP_USERS: JSON.stringify([{ name: '201', password: CANARIES.password }]),
    };
    const traces = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_BSP_SCHEDULE_DELAY: '50' };
    server = await Server.start({ env: { PARLEY_WEBHOOKS: JSON.stringify(hooks), ...traces, ...secrets } });
  });

  afterAll(async () => {
    await server?.stop();
    receiver.close();
    receiver.closeAllConnections();
  });

  const tokenFor = (role: string) =>
    execFileSync(process.execPath, [CLI, 'tokens', 'create', `a ${role}`, '--role', role, '--data', server.data], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim();

  async function status(method: string, path: string, token: string): Promise<number> {
    const headers = { Authorization: `Bearer ${token}` };
    return (await fetch(`${server.http}${path}`, { method, headers })).status;
  }

  async function text(path: string, token: string): Promise<string> {
    return (await fetch(`${server.http}${path}`, { headers: { Authorization: `Bearer ${token}` } })).text();
  }

  /** What an IVR knows, a secret among it; the token that the call brings. */
  async function handOver(token: string): Promise<string> {
    const digits = [{ name: 'pin', digits: CANARIES.pin, sensitive: true }];
    const response = await fetch(`${server.http}/v1/handoffs`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: JSON.stringify({ ivr: 'front desk', digits }),
    });
    expect(response.status).toBe(201);
    return ((await response.json()) as { token: string }).token;
  }

  function read(path: string, token: string): { socket: WebSocket; frames: (StoredEvent & { after?: number })[] } {
    const socket = new WebSocket(server.http.replace('http', 'ws') + path, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const frames: (StoredEvent & { after?: number })[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    return { socket, frames };
  }

  it('a reader that loses its connection misses nothing; roles hold; a failing receiver gets all in order', async () => {
    const [viewer, admin] = [tokenFor('viewer'), tokenFor('admin')];
    const handoff = await handOver(admin);
    await using phone = await Phone.dial(server, '8001', {
      headers: [
        `X-Handoff: ${handoff}`,
        `X-Canary: ${CANARIES.header}`,
        `Authorization: Digest username="kit", realm="x", nonce="n", uri="sip:8001@x", response="${CANARIES.digest}"`,
      ],
      // Of no suite that there is: it is passed over.
      describe: (sdp) => `${sdp}a=crypto:1 A_SUITE_TO_COME inline:${CANARIES.srtp}\r\n`,
    });
    const received = await server.event('call.received');
    const { call } = received;
    const path = `/v1/calls/${call}/events`;
    const first = read(path, viewer);
    await until('the beginning', () => first.frames.length >= 2);
    first.socket.terminate();
    const stored = first.frames.filter(({ seq }) => seq !== undefined);
    expect(await status('POST', `/v1/calls/${call}/end`, viewer)).toBe(403);
    expect(await status('POST', `/v1/calls/${call}/end`, 'nobody')).toBe(401);
    await phone.greeted();
    const second = read(`${path}?after=${stored.at(-1)?.seq}`, viewer);
    await until('what came meanwhile', () => second.frames.some(({ type }) => type === 'agent.turn'));
    expect(await status('DELETE', `/v1/calls/${call}`, admin)).toBe(409);
    expect(await status('POST', `/v1/calls/${call}/end`, admin)).toBe(200);
    await until('end', () => second.socket.readyState === WebSocket.CLOSED);
    await server.waitForIdle();
    const frames = [...stored, ...second.frames].filter(({ seq }) => seq !== undefined);
    const journal = server.journal();
    assertComplete(journal);
    expect(frames.map(({ seq, type }) => [seq, type])).toEqual(journal.map(({ seq, type }) => [seq, type]));
    expect(journal).toContainEqual(expect.objectContaining({ type: 'audit', action: 'end', by: 'a admin' }));
    expect(journal.at(-2)).toMatchObject({ type: 'call.summary', disposition: 'abandoned' });

    const own = journal.filter(({ type }) => type.startsWith('call.')).map(({ seq }) => seq);
    await until('webhooks', () => posted.length === own.length, { ms: 15_000 });
    expect(posted.map(({ seq }) => seq)).toEqual(own);

    await until('the spans of the call', () => [...spans.values()].some((names) => names.includes('call')));
    expect([...spans.values()]).toEqual([expect.arrayContaining(['call', 'setup', 'greeting', 'agent speaks'])]);
    const ladder = await text(`/v1/calls/${call}/sip`, viewer);
    expect(ladder).toMatch(/X-Canary: \*\*\*.*A_SUITE_TO_COME inline:\*\*\*/s);
    await until('the hook of all events', () => told.some((body) => /"caller.turn"|"agent.turn"/.test(body)));

    // The log is that of level trace; the folder of the store has the journal, the wire, what was handed over, and tokens.
    const kept = execFileSync('grep', ['-ra', '', server.data], { encoding: 'utf8', maxBuffer: 2 ** 27 });
    const pages = [await text('/metrics', viewer), await text('/readyz', viewer), await text('/v1/calls', viewer)];
    const seen = Object.entries({
      log: JSON.stringify(server.log) + server.noise.join(),
      told: told.join(),
      read: JSON.stringify([...first.frames, ...second.frames]),
      ladder,
      kept,
      pages: pages.join(),
    });
    for (const [where, words] of seen) {
      if (where !== 'pages') expect(words, where).toContain(where === 'ladder' ? 'INVITE' : call);
      for (const [what, secret] of Object.entries({ ...CANARIES, viewer, admin, handoff }))
        expect(words.includes(secret), `${what} in ${where}`).toBe(false);
    }

    expect(await status('DELETE', `/v1/calls/${call}`, viewer)).toBe(403);
    expect(await status('DELETE', `/v1/calls/${call}`, admin)).toBe(200);
    expect(server.journals().has(call)).toBe(false);
    expect(await status('DELETE', `/v1/calls/${call}`, admin)).toBe(404);
    expect(server.noise).toEqual([]);
  });
});

/** Of an export request of OTLP in JSON. */
function noteSpans(body: string, spans: Map<string, string[]>): void {
  const { resourceSpans } = JSON.parse(body);
  for (const { scopeSpans } of resourceSpans) {
    for (const { traceId, name } of scopeSpans.flatMap((scope: { spans: object[] }) => scope.spans)) {
      spans.set(traceId, [...(spans.get(traceId) ?? []), name]);
    }
  }
}
