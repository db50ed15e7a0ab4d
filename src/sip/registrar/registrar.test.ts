import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { storeConfig } from '../../store/config.js';
import { openStore } from '../../store/open.js';
import type { Store } from '../../store/store.js';
import { createLogger } from '../../telemetry/log.js';
import { ha1, parseCredentials, responseOf } from './digest.js';
import { Nonces } from './nonces.js';
import { type Answer, Registrar, type SipRequestView } from './registrar.js';
import { sipUsers, usersConfig } from './users.js';

const logger = createLogger('silent');
const PASSWORD = 'correct horse';
let store: Store;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-registrar-'));
  store = await openStore(storeConfig.parse({}), folder, logger);
});

afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

it('computes what RFC 7616 3.9.1 computes', () => {
  const nonce = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
  const given = { username: 'Mufasa', realm: 'http-auth@example.org', nonce, uri: '/dir/index.html', nc: '00000001' };
  const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
  const response = (algorithm: 'MD5' | 'SHA-256') =>
    responseOf(ha1(algorithm, 'Mufasa', given.realm, 'Circle of Life'), 'GET', { ...given, cnonce, algorithm });
  expect(response('MD5')).toBe('8ca523f5e9506fed4657c9700eebdbec');
  expect(response('SHA-256')).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
});

it('reads credentials of any shape, or none', () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseCredentials(`Digest ${text}`)));
  const whole =
    'Digest username="a", realm="r", nonce="n", uri="sip:x", qop=auth, nc=00000001, cnonce="c", response="ab"';
  expect(parseCredentials(whole)).toMatchObject({ username: 'a', algorithm: 'MD5' });
  expect(parseCredentials(`${whole}, username="b"`)).toBeUndefined();
  expect(parseCredentials(whole.replace('qop=auth, ', ''))).toBeUndefined();
  expect(parseCredentials(`${whole}, algorithm=SHA-512-256`)).toBeUndefined();
});

/** A phone, with its own digest arithmetic. */
class Phone {
  cseq = 0;
  nc = 0;
  readonly callId = `${Math.random()}`;

  constructor(
    private readonly registrar: Registrar,
    readonly user = '201',
    private readonly password = PASSWORD,
    readonly source = `192.0.2.${Math.ceil(Math.random() * 250)}`,
  ) {}

  ask(headers: Record<string, string>, method = 'REGISTER'): Promise<Answer> {
    this.cseq++;
    const all: Record<string, string> = {
      to: `<sip:${this.user}@parley>`,
      from: `<sip:${this.user}@parley>;tag=1`,
      'call-id': this.callId,
      cseq: `${this.cseq} ${method}`,
      contact: `<sip:${this.user}@10.0.0.9:5070>`,
      ...headers,
    };
    const header = (name: string) => all[name.toLowerCase()] || undefined;
    const request: SipRequestView = {
      method,
      uri: 'sip:parley',
      source: this.source,
      port: 40000,
      protocol: 'tcp',
      header,
    };
    if (method === 'REGISTER') return this.registrar.register(request);
    return this.registrar
      .admit(request, undefined)
      .then((one) => ('status' in one ? one : { status: 200, headers: {} }));
  }

  /** Asks, and again with credentials for the challenge of that algorithm. */
  async log(algorithm: 'MD5' | 'SHA-256', headers: Record<string, string> = {}, method = 'REGISTER'): Promise<Answer> {
    const challenge = await this.ask(headers, method);
    expect(challenge.status).toBe(401);
    return this.ask({ ...headers, authorization: this.credentials(nonceOf(challenge), algorithm, method) }, method);
  }

  credentials(nonce: string, algorithm: 'MD5' | 'SHA-256', method = 'REGISTER', nc = ++this.nc): string {
    const hash = (text: string) =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const count = nc.toString(16).padStart(8, '0');
    const secret = hash(`${this.user}:parley:${this.password}`);
    const response = hash(`${secret}:${nonce}:${count}:xyz:auth:${hash(`${method}:sip:parley`)}`);
    return `Digest username="${this.user}", realm="parley", nonce="${nonce}", uri="sip:parley", response="${response}", algorithm=${algorithm}, cnonce="xyz", qop=auth, nc=${count}`;
  }
}

function nonceOf({ headers }: Answer): string {
  return /nonce="([^"]+)"/.exec(headers['WWW-Authenticate'] ?? '')?.[1] ?? '';
}

describe('registrar', () => {
  let registrar: Registrar;
  const make = (authenticate: 'off' | 'users' | 'all' = 'users') => {
    const hashes = { md5: ha1('MD5', '203', 'parley', PASSWORD) };
    const users = usersConfig.parse([
      { name: '201', password: PASSWORD },
      { name: '202', password: PASSWORD, algorithms: ['MD5'] },
      { name: '203', ha1: hashes },
    ]);
    const limits = { minExpires: 60, maxExpires: 3600, maxBindings: 3 };
    return new Registrar({ realm: 'parley', users: sipUsers(users, 'parley'), authenticate, ...limits }, store, logger);
  };

  beforeEach(async () => {
    for (const prefix of ['sip-user:', 'sip-failures:']) {
      for (const key of await store.records.list(prefix)) await store.records.delete(key);
    }
    registrar = make();
  });

  it.each(['MD5', 'SHA-256'] as const)('takes a phone by %s, on any node, and tells where it is', async (algorithm) => {
    const phone = new Phone(registrar);
    const answer = await phone.log(algorithm, { expires: '120', 'user-agent': 'kit' });
    expect(answer).toMatchObject({ status: 200, headers: { Contact: '<sip:201@10.0.0.9:5070>;expires=120' } });
    const [binding] = await make().lookup('201');
    const received = `sip:${phone.source}:40000;transport=tcp`;
    expect(binding).toMatchObject({ contact: 'sip:201@10.0.0.9:5070', received, userAgent: 'kit', q: 1 });
    const away = vi.spyOn(store.records, 'get').mockRejectedValue(new Error('away'));
    expect(await registrar.lookup('201')).toEqual([binding]);
    await expect(make().lookup('201')).rejects.toThrow('away');
    away.mockRestore();
    const gone = await phone.log(algorithm, { expires: '0' });
    expect([gone.status, gone.headers.Contact, await registrar.lookup('201')]).toEqual([200, undefined, []]);
  });

  it('offers SHA-256 before MD5, a header each, and only what is had of a user', async () => {
    const offered = async (user: string) =>
      (await new Phone(registrar, user).ask({})).headers['WWW-Authenticate']?.match(/algorithm=[\w-]+/g);
    expect(await offered('201')).toEqual(['algorithm=SHA-256', 'algorithm=MD5']);
    expect(await offered('nobody')).toEqual(['algorithm=SHA-256', 'algorithm=MD5']);
    expect(await offered('202')).toEqual(['algorithm=MD5']);
    expect((await new Phone(registrar, '203').log('MD5')).status).toBe(200);
  });

  it('keeps several phones, the preferred first, and refuses what is not right', async () => {
    const phone = new Phone(registrar);
    const contact = '<sip:201@10.0.0.1>;q=0.5, <sip:201@10.0.0.2>;q=0.9;expires=90';
    expect((await phone.log('MD5', { contact })).status).toBe(200);
    expect((await registrar.lookup('201')).map((one) => one.contact)).toEqual(['sip:201@10.0.0.2', 'sip:201@10.0.0.1']);
    expect((await phone.log('MD5', { contact: '' })).headers.Contact).toMatch(
      /^<sip:201@10\.0\.0\.2>;expires=(90|89), </,
    );
    expect(await phone.log('MD5', { expires: '30' })).toMatchObject({ status: 423, headers: { 'Min-Expires': '60' } });
    expect((await phone.log('MD5', { expires: 'soon' })).status).toBe(400);
    expect((await phone.log('MD5', { contact: 'mailto:me@x' })).status).toBe(400);
    expect((await phone.log('MD5', { contact: '*' })).status).toBe(400);
    const many = [1, 2, 3, 4].map((n) => `<sip:201@10.1.0.${n}>`).join(', ');
    expect((await phone.log('MD5', { contact: many })).status).toBe(403);
    expect(await registrar.lookup('201')).toHaveLength(2);
    phone.cseq = 0;
    expect((await phone.log('MD5', { contact })).status).toBe(400);
    phone.cseq = 100;
    expect((await phone.log('MD5', { contact: '*', expires: '0' })).status).toBe(200);
    expect(await registrar.lookup('201')).toEqual([]);
  });

  it('lets nobody use credentials twice, or another name, or a nonce that is not ours', async () => {
    const phone = new Phone(registrar);
    const nonce = nonceOf(await phone.ask({}));
    const authorization = phone.credentials(nonce, 'SHA-256');
    expect((await phone.ask({ authorization })).status).toBe(200);
    for (const node of [registrar, make()]) {
      const again = await new Phone(node).ask({ authorization });
      expect(again.headers['WWW-Authenticate']).toContain('stale=true');
    }
    expect((await phone.ask({ authorization: phone.credentials(nonce, 'SHA-256') })).status).toBe(200);
    expect((await phone.ask({ authorization: phone.credentials(nonce, 'MD5'), to: '<sip:202@parley>' })).status).toBe(
      403,
    );
    const foreign = await phone.ask({ authorization: phone.credentials('x'.repeat(40), 'MD5') });
    expect([foreign.status, foreign.headers['WWW-Authenticate']]).toEqual([401, expect.not.stringContaining('stale')]);
  });

  it('asks anew when a nonce is old', async () => {
    let now = Date.now();
    const nonces = new Nonces(store.records, logger, () => now);
    const nonce = await nonces.issue();
    expect(await nonces.use(nonce, 1)).toBe('fresh');
    now += 301_000;
    expect(await nonces.use(nonce, 2)).toBe('stale');
  });

  it('locks out who guesses, from that address only', async () => {
    const guess = new Phone(registrar, '201', 'wrong password', '198.51.100.7');
    for (let i = 0; i < 5; i++) expect((await guess.log('MD5')).status).toBe(401);
    const right = new Phone(registrar, '201', PASSWORD, '198.51.100.7');
    expect(await right.log('MD5')).toMatchObject({ status: 403, headers: { 'Retry-After': '300' } });
    expect((await new Phone(registrar, '201', PASSWORD, '198.51.100.8').log('MD5')).status).toBe(200);
  });

  it('lets users call by their password, and others as the configuration says', async () => {
    expect((await new Phone(registrar).log('SHA-256', {}, 'INVITE')).status).toBe(200);
    expect((await new Phone(registrar, 'somebody').ask({}, 'INVITE')).status).toBe(200);
    const other = new Phone(registrar, '202');
    expect((await other.log('MD5', { from: '<sip:201@parley>;tag=1' }, 'INVITE')).status).toBe(403);
    expect((await new Phone(make('all'), 'somebody').ask({}, 'INVITE')).status).toBe(401);
    expect((await new Phone(make('off')).ask({}, 'INVITE')).status).toBe(200);
  });
});
