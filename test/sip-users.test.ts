import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Baresip } from './kit/baresip.js';
import { fixture } from './kit/fixture.js';
import { type PeerMessage, RawPeer } from './kit/raw-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { Server } from './kit/server.js';
import { until } from './kit/until.js';

const PASSWORD = 'correct-horse';

/** Phones of people register by digest and call in under their name. */
describe('SIP users', () => {
  let server: Server;

  fixture(async (keep) => {
    const folder = keep(scratchFolder('users'));
    writeFileSync(join(folder.path, 'secret'), `${PASSWORD}\n`);
    const users = [
      { name: '201', passwordFile: join(folder.path, 'secret') },
      { name: '202', password: PASSWORD, algorithms: ['MD5'] },
    ];
    server = await Server.start({ env: { PARLEY_SIP_USERS: JSON.stringify(users), PARLEY_LOG_LEVEL: 'trace' } });
    return server;
  });

  it('baresip registers, calls with its password, and is known; a wrong password gets neither', async () => {
    const { host, port } = server.sip;
    const account = (password: string) => `<sip:202@${host}:${port}>;auth_user=202;auth_pass=${password};regint=60`;
    await using phone = await Baresip.start('PCMU', undefined, account(PASSWORD));
    // Its own event may be over before its control connection stands.
    const registered = async () => JSON.parse(await server.get('/v1/registrations')).registrations;
    expect(await until('registration', async () => (await registered())[0])).toMatchObject({ user: '202' });
    await phone.dial(`sip:8001@${host}:${port}`);
    expect(await server.event('call.received')).toMatchObject({ from: '202', user: '202' });
    await phone.hangUp();
    await using stranger = await Baresip.start('PCMU', undefined, account('wrong-password'));
    await until('refusal', () => server.log.find(({ msg }) => msg === 'wrong SIP credentials'));
    await expect(stranger.dial(`sip:8001@${host}:${port}`)).rejects.toThrow();
    expect(server.journals().size).toBe(1);
    expect(JSON.stringify(server.log)).not.toMatch(new RegExp(`${PASSWORD}|wrong-password|response=\\\\?"[0-9a-f]`));
    // Nor has the trace of the call.
    const [call] = server.journals().keys();
    const trace = await server.get(`/v1/calls/${call}/sip`);
    expect(trace).toContain('Authorization: ***');
    expect(trace).not.toContain('response=');
  });

  it('a phone that knows SHA-256 uses it, and learns where it is registered', async () => {
    using peer = await RawPeer.open(server.sip);
    const uri = `sip:${server.sip.host}:${server.sip.port}`;
    const register = async (cseq: number, more: string[]): Promise<PeerMessage> => {
      const lines = [
        `REGISTER ${uri} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${peer.port};rport;branch=z9hG4bKr${cseq}`,
        'Max-Forwards: 70',
        'From: <sip:201@parley>;tag=a',
        'To: <sip:201@parley>',
        'Call-ID: register@kit',
        `CSeq: ${cseq} REGISTER`,
        `Contact: <sip:201@127.0.0.1:${peer.port}>;expires=300`,
        ...more,
        'Content-Length: 0',
      ];
      peer.send(`${lines.join('\r\n')}\r\n\r\n`);
      return peer.message('answer', (m) => m.header('cseq') === `${cseq} REGISTER` && m.status >= 200);
    };
    const challenge = await register(1, []);
    expect(challenge.status).toBe(401);
    const offered = challenge.raw.match(/^WWW-Authenticate: .*$/gim) ?? [];
    expect(offered.map((line) => /algorithm=([\w-]+)/.exec(line)?.[1])).toEqual(['SHA-256', 'MD5']);
    const nonce = /nonce="([^"]+)"/.exec(offered[0] ?? '')?.[1];
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    const response = hash(`${hash(`201:parley:${PASSWORD}`)}:${nonce}:00000001:c:auth:${hash(`REGISTER:${uri}`)}`);
    const credentials = `Authorization: Digest username="201", realm="parley", nonce="${nonce}", uri="${uri}", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c", response="${response}"`;
    const answer = await register(2, [credentials]);
    expect(answer.status).toBe(200);
    expect(answer.header('contact')).toMatch(new RegExp(`^<sip:201@127\\.0\\.0\\.1:${peer.port}>;expires=(300|299)$`));
    expect((await register(3, [credentials])).raw).toContain('stale=true');
  });
});
