import { describe, expect, it } from 'vitest';
import { ParleyError } from '../errors.js';
import { Access } from './access.js';
import type { CallControls } from './calls-api.js';
import { routes } from './http.js';

const TOKEN = 'a-token-of-many-letters';
const KNOWN = (['viewer', 'supervisor', 'admin'] as const).map((role) => ({
  token: `token-of-${role}`,
  entry: { id: role, name: role, role, createdAt: '' },
}));

const files = { since: '', agents: [], dialplans: [], dialplan: 'd1', problems: [], restartNeeded: false };
let outcome: 'unchanged' | 'refused' = 'unchanged';

async function* sound(): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from('RI');
  yield Buffer.from('FF');
}

/** The API over one call that notes what it is asked for. */
function api(token?: string, address = '127.0.0.1') {
  const asked: unknown[][] = [];
  const audited: unknown[][] = [];
  const call: CallControls = {
    hold: async () => void asked.push(['hold']),
    resume: async () => {
      throw new ParleyError('PARLEY_ERR_CALL_NOT_UP', { call: 'c1', reason: 'it is over' });
    },
    sendDigits: async (...given) => void asked.push(['dtmf', ...given]),
    recording: (...given) => void asked.push(['recording', ...given]),
    hangUp: (...given) => void asked.push(['end', ...given]),
    supervision: {
      say: (...given) => void asked.push(['say', ...given]),
      whisper: () => {
        throw new ParleyError('PARLEY_ERR_AGENT_NOT_GUIDED');
      },
      pause: (...given) => void asked.push(['agent', ...given]),
      sendOn: async (...given) => void asked.push(['transfer', ...given]),
      takeBack: (...given) => void asked.push(['take-back', ...given]),
      listen: () => ({ say: () => undefined, talkTo: () => undefined, end: () => undefined }),
    },
    participants: {
      add: async (...given) => {
        asked.push(['add', ...given]);
        return 'g1';
      },
      remove: (participant) => {
        throw new ParleyError('PARLEY_ERR_PARTICIPANT_UNKNOWN', { participant });
      },
    },
    audit: (...given) => void audited.push(given),
  };
  const source = {
    unready: () => undefined,
    unhealthy: () => undefined,
    alarms: () => [],
    metrics: async () => ({ text: '', contentType: 'text/plain' }),
    stats: async () => ({}),
    tokens: { find: async (given: string) => KNOWN.find(({ token: one }) => one === given)?.entry },
    audit: {
      note: async (who: { name: string }, ...what: unknown[]) => void audited.push([who.name, ...what]),
      read: async () => [],
    },
    figures: () => ({ turns: 2, interruptions: 0, speaks: 'agent' as const }),
    forget: async () => ({
      calls: ['old'],
      live: [],
      events: 3,
      recordings: 1,
      handoffs: 0,
      callbacks: 0,
      unreadable: [],
      failed: [],
    }),
    remove: async (id: string) => {
      if (id !== 'old') throw new ParleyError('PARLEY_ERR_CALL_LIVE', { call: id });
      return { events: 3, recordings: 1 };
    },
    recordings: {
      list: async () => [{ name: 'c1.wav', bytes: 4 }],
      open: async (_: string, name: string) => (name === 'c1.wav' ? sound() : undefined),
    },
    sip: async (id: string) => (id === 'c1' ? [{ at: 1 }] : []),
    callBacks: { list: async () => [{ call: 'old' }], remove: async (call: string) => call === 'old' },
    registrations: async () => [],
    files: { state: () => files, reload: async () => ({ ...files, outcome, changed: [] }) },
    handoffs: { create: async () => ({ token: 't', expiresAt: '' }) },
    calls: {
      list: () => [
        { id: 'c1', from: 'a', to: 'b', agent: 'orders', participants: [], state: 'talking', onHold: false, ageMs: 5 },
      ],
      get: (id: string) => (id === 'c1' ? call : undefined),
    },
  };
  const app = routes(source, new Access(token, source.tokens, () => address));
  const post = (path: string, body?: unknown, headers = {}) =>
    app.request(`/v1/calls/${path}`, {
      method: 'POST',
      headers,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return { app, asked, audited, post };
}

describe('control of live calls', () => {
  it('lists them and passes on what is to be done', async () => {
    const { app, asked, post } = api();
    expect(await (await app.request('/v1/calls')).json()).toMatchObject({
      calls: [{ id: 'c1', state: 'talking', turns: 2, speaks: 'agent' }],
    });
    expect((await post('c1/hold')).status).toBe(200);
    expect((await post('c1/dtmf', { digits: '12,3', method: 'info' })).status).toBe(200);
    expect((await post('c1/recording', { action: 'pause' })).status).toBe(200);
    expect((await post('c1/end')).status).toBe(200);
    expect(asked).toEqual([['hold'], ['dtmf', '12,3', 'info'], ['recording', 'pause', 'API'], ['end', 'ended by API']]);
  });

  it('lets supervisors put words into its mouth, have it wait, send it on and take it back, by name', async () => {
    const { asked, post } = api();
    for (const [path, body] of [
      ['say', { text: ' One moment. ' }],
      ['agent', { action: 'pause' }],
      ['agent', { action: 'resume' }],
      ['transfer', { target: 'desk' }],
      ['take-back', undefined],
    ] as const) {
      expect((await post(`c1/${path}`, body)).status).toBe(200);
    }
    expect(await (await post('c1/participants', { target: 'expert' })).json()).toEqual({ ok: true, participant: 'g1' });
    const by = 'this machine';
    expect(asked).toEqual([
      ['say', 'One moment.', by],
      ['agent', true, by],
      ['agent', false, by],
      ['transfer', 'desk', by],
      ['take-back', by],
      ['add', 'expert', by],
    ]);
  });

  it.each([
    ['an agent that can be told nothing', 'c1/whisper', { text: 'be kind' }, 409, 'PARLEY_ERR_AGENT_NOT_GUIDED'],
    ['nobody to remove', 'c1/participants/remove', { participant: 'g7' }, 404, 'PARLEY_ERR_PARTICIPANT_UNKNOWN'],
    ['nothing to say', 'c1/say', { text: ' ' }, 400, 'PARLEY_ERR_HTTP_BODY'],
    ['no such call', 'c2/hold', undefined, 404, 'PARLEY_ERR_HTTP_NO_CALL'],
    ['a call that is over', 'c1/resume', undefined, 409, 'PARLEY_ERR_CALL_NOT_UP'],
    ['no JSON', 'c1/dtmf', '{', 400, 'PARLEY_ERR_HTTP_BODY'],
    ['a wrong body', 'c1/dtmf', { digits: 5 }, 400, 'PARLEY_ERR_HTTP_BODY'],
    ['a wrong action', 'c1/recording', { action: 'erase' }, 400, 'PARLEY_ERR_HTTP_BODY'],
    ['a long body', 'c1/dtmf', { digits: '1'.repeat(20_000) }, 400, 'PARLEY_ERR_HTTP_BODY'],
  ])('says what is wrong: %s', async (_, path, body, status, code) => {
    const { asked, post } = api();
    const answer = await post(path, body);
    expect([answer.status, await answer.json()]).toEqual([status, { code, message: expect.any(String) }]);
    expect(asked).toEqual([]);
  });

  it('asks for the token where one is set, and lets in this machine only where none is', async () => {
    const guarded = api(TOKEN);
    expect((await guarded.post('c1/hold')).status).toBe(401);
    expect((await guarded.post('c1/hold', undefined, { Authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await guarded.app.request('/v1/calls')).status).toBe(401);
    expect((await guarded.post('c1/hold', undefined, { Authorization: `Bearer ${TOKEN}` })).status).toBe(200);
    expect((await api(undefined, '192.0.2.1').post('c1/hold')).status).toBe(403);
    expect((await guarded.app.request('/healthz')).status).toBe(200);
  });

  it('lets each role do its part, and puts on record who did it', async () => {
    const { app, asked, audited } = api(TOKEN);
    const statuses = async (method: string, path: string, body?: string) =>
      Promise.all(
        [...KNOWN.map(({ token }) => token), 'unknown'].map(async (token) => {
          const headers = { Authorization: `Bearer ${token}` };
          return (await app.request(path, { method, headers, ...(body && { body }) })).status;
        }),
      );
    expect(await statuses('GET', '/v1/calls')).toEqual([200, 200, 200, 401]);
    expect(await statuses('GET', '/v1/calls/c1/recordings')).toEqual([403, 200, 200, 401]);
    expect(await statuses('GET', '/v1/calls/c1/recordings/c1.wav')).toEqual([403, 200, 200, 401]);
    expect(await statuses('GET', '/v1/calls/c1/recordings/other.wav')).toEqual([403, 404, 404, 401]);
    expect(audited).toContainEqual(['admin', 'recording.read', 'c1 c1.wav', 'done']);
    expect(await statuses('GET', '/v1/calls/c1/sip')).toEqual([200, 200, 200, 401]);
    expect(await statuses('GET', '/v1/calls/old/sip')).toEqual([404, 404, 404, 401]);
    expect(await statuses('GET', '/v1/registrations')).toEqual([200, 200, 200, 401]);
    expect(await statuses('POST', '/v1/calls/c1/hold')).toEqual([403, 200, 200, 401]);
    expect(await statuses('POST', '/v1/handoffs', '{}')).toEqual([403, 201, 201, 401]);
    expect(await statuses('DELETE', '/v1/calls/old')).toEqual([403, 403, 200, 401]);
    expect(await statuses('DELETE', '/v1/calls/c1')).toEqual([403, 403, 409, 401]);
    const caller = JSON.stringify({ number: '+49 30 1234567', country: '49' });
    expect(await statuses('POST', '/v1/forget', caller)).toEqual([403, 403, 200, 401]);
    const name = expect.stringMatching(/^[0-9a-f]{24}$/);
    expect(audited).toContainEqual(['admin', 'caller.forget', name, 'done']);
    expect(await statuses('GET', '/v1/callbacks')).toEqual([200, 200, 200, 401]);
    expect(await statuses('DELETE', '/v1/callbacks/old')).toEqual([403, 200, 200, 401]);
    expect(await statuses('DELETE', '/v1/callbacks/none')).toEqual([403, 404, 404, 401]);
    expect(await statuses('GET', '/v1/audit')).toEqual([403, 403, 200, 401]);
    expect(asked).toEqual([['hold'], ['hold']]);
    expect(audited).toContainEqual(['hold', 'supervisor', 'supervisor']);
    expect(audited).toContainEqual(['admin', 'call.delete', 'old', 'done']);
    expect(audited).toContainEqual(['admin', 'call.delete', 'c1', 'failed']);
  });

  it('has admins read agents and dialplans again, and tells what stands against the files', async () => {
    const { app, audited } = api(TOKEN);
    const ask = (role: string, method: string) =>
      app.request('/v1/reload', { method, headers: { Authorization: `Bearer token-of-${role}` } });
    expect((await ask('viewer', 'GET')).status).toBe(200);
    expect((await ask('supervisor', 'POST')).status).toBe(403);
    expect(await (await ask('admin', 'POST')).json()).toMatchObject({ outcome: 'unchanged', dialplan: 'd1' });
    outcome = 'refused';
    const refused = await ask('admin', 'POST');
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({ code: 'PARLEY_ERR_RELOAD', outcome: 'refused' });
    expect(audited).toContainEqual(['admin', 'reload', '', 'failed']);
  });

  it('lets no page of another site act for who works on this machine', async () => {
    const { app } = api();
    const status = async (headers: Record<string, string>) => (await app.request('/v1/calls', { headers })).status;
    expect(await status({ Host: '127.0.0.1:8060', Origin: 'http://127.0.0.1:8060' })).toBe(200);
    expect(await status({ Host: '127.0.0.1:8060', Origin: 'https://evil.example' })).toBe(403);
    expect(await status({ Host: 'evil.example:8060' })).toBe(403);
  });
});
