import { isIPv6 } from 'node:net';
import { reasonOf } from '../../errors.js';
import type { Store } from '../../store/store.js';
import type { Logger } from '../../telemetry/log.js';
import { parseCSeq, parseNameAddress, split } from '../edge/message/headers.js';
import { parseUri } from '../edge/message/uri.js';
import type { HeaderOf } from '../header-of.js';
import { unescaped, valuesOf } from '../headers/address.js';
import { Authenticator, type Verdict } from './authenticator.js';
import { type Binding, Bindings } from './bindings.js';
import { Nonces } from './nonces.js';
import type { SipUser } from './users.js';

export type { Binding } from './bindings.js';

/** A request as the SIP stack hands it over. */
export interface SipRequestView {
  method: string;
  uri: string;
  /** Address and port that it came from, and by what: `udp`, `tcp`, `tls`. */
  source: string;
  port: number;
  protocol: string;
  header: HeaderOf;
}

/** What to answer a request with. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
}

/** `sip.registrar` of parley.yaml, and whom it serves. */
export interface RegistrarOptions {
  realm: string;
  users: ReadonlyMap<string, SipUser>;
  /** Shortest and longest time of a registration, s. */
  minExpires: number;
  maxExpires: number;
  maxBindings: number;
  /** Whose INVITEs have to show who they are: nobody's, those that say to be from a user, or all. */
  authenticate: 'off' | 'users' | 'all';
}

/** Where SIP users register (RFC 3261 10.3) and by what they are told apart. */
export class Registrar {
  private readonly bindings: Bindings;
  private readonly authenticator: Authenticator;

  constructor(
    private readonly options: RegistrarOptions,
    store: Pick<Store, 'records'>,
    private readonly logger: Logger,
  ) {
    const { records } = store;
    this.bindings = new Bindings(records, options.maxBindings);
    this.authenticator = new Authenticator(options.realm, options.users, new Nonces(records, logger), records, logger);
  }

  /** Whether this is a configured user, registered or not. */
  knows(user: string): boolean {
    return this.options.users.has(user);
  }

  /**
   * Where a user's phones are, the preferred first; none when the user is not registered, or not configured any more.
   *
   * @throws ParleyError PARLEY_ERR_STORE_UNAVAILABLE
   */
  async lookup(user: string): Promise<Binding[]> {
    return this.knows(user) ? this.bindings.of(user) : [];
  }

  /** Everybody who is registered, with their bindings. @throws as {@link lookup} */
  async registered(): Promise<{ user: string; bindings: Binding[] }[]> {
    const users = (await this.bindings.users()).filter((user) => this.knows(user));
    const all = await Promise.all(users.map(async (user) => ({ user, bindings: await this.bindings.of(user) })));
    return all.filter(({ bindings }) => bindings.length > 0);
  }

  /** Answers a REGISTER. Never rejects. */
  async register(request: SipRequestView): Promise<Answer> {
    try {
      return await this.#register(request);
    } catch (error) {
      this.logger.error({ reason: reasonOf(error) }, 'REGISTER failed');
      return { status: 503, headers: { 'Retry-After': '10' } };
    }
  }

  /**
   * Whether an INVITE may come in: who it is from when that was shown, `undefined` when it need not be, or what to answer.
   *
   * @param trunk the trunk that it came by: carriers have no accounts
   */
  async admit(request: SipRequestView, trunk: string | undefined): Promise<{ user: string | undefined } | Answer> {
    const { authenticate } = this.options;
    const claimed = userOf(request.header('From'));
    const free = authenticate === 'off' || trunk !== undefined || (authenticate === 'users' && !this.knows(claimed));
    if (free) return { user: undefined };
    try {
      const verdict = await this.authenticator.judge(request, claimed);
      if (!('user' in verdict)) return this.#refuse(request, verdict);
      // Somebody else's name in From is what the password is there to prevent.
      return this.knows(claimed) && verdict.user !== claimed ? { status: 403, headers: {} } : verdict;
    } catch (error) {
      this.logger.error({ reason: reasonOf(error) }, 'INVITE could not be authenticated');
      return { status: 503, headers: { 'Retry-After': '10' } };
    }
  }

  async #register(request: SipRequestView): Promise<Answer> {
    const user = userOf(request.header('To'));
    const verdict = await this.authenticator.judge(request, user);
    if (!('user' in verdict)) return this.#refuse(request, verdict);
    if (verdict.user !== user) return { status: 403, headers: {} };
    const wanted = readContacts(request, this.options);
    if ('status' in wanted) return wanted;
    const bindings = wanted.query ? await this.bindings.of(user) : await this.bindings.change(user, wanted.change);
    if (bindings === 'old') return { status: 400, headers: { Reason: 'SIP;cause=400;text="CSeq is not higher"' } };
    if (bindings === 'many') return { status: 403, headers: { Reason: 'SIP;cause=403;text="too many contacts"' } };
    if (!wanted.query) this.logger.info({ user, contacts: bindings.length, source: request.source }, 'registered');
    return { status: 200, headers: { ...contactsOf(bindings), Date: new Date().toUTCString() } };
  }

  #refuse({ source, method }: SipRequestView, verdict: Exclude<Verdict, { user: string }>): Answer {
    this.logger.debug({ source, method, reason: verdict.reason }, 'credentials asked for');
    return { status: verdict.status, headers: verdict.headers };
  }
}

type Wanted = Answer | { query: true } | { query: false; change: Parameters<Bindings['change']>[1] };

/** RFC 3261 10.3, steps 6 and 7. */
function readContacts(request: SipRequestView, limits: RegistrarOptions): Wanted {
  const { header } = request;
  const written = header('Contact')?.trim() ?? '';
  const cseq = parseCSeq(header('CSeq') ?? '')?.number;
  const callId = header('Call-ID') ?? '';
  const general = seconds(header('Expires'));
  if (cseq === undefined || general === 'malformed') return { status: 400, headers: {} };
  if (written === '') return { query: true };
  if (written === '*') {
    return general === 0 ? { query: false, change: { removeAll: { callId, cseq } } } : { status: 400, headers: {} };
  }
  const set: Binding[] = [];
  for (const value of valuesOf(written)) {
    const address = parseNameAddress(value);
    const own = seconds(address?.params.get('expires'));
    if (!address || !parseUri(address.uri) || own === 'malformed') return { status: 400, headers: {} };
    const asked = own ?? general ?? limits.maxExpires;
    if (asked > 0 && asked < limits.minExpires)
      return { status: 423, headers: { 'Min-Expires': String(limits.minExpires) } };
    set.push({
      contact: address.uri,
      received: receivedFrom(request),
      expiresAt: Date.now() + Math.min(asked, limits.maxExpires) * 1000,
      q: preference(address.params.get('q')),
      userAgent: header('User-Agent')?.slice(0, 200),
      callId,
      cseq,
    });
  }
  return { query: false, change: { set } };
}

function contactsOf(bindings: readonly Binding[]): Record<string, string> {
  const values = bindings.map(({ contact, expiresAt }) => {
    return `<${contact}>;expires=${Math.max(1, Math.ceil((expiresAt - Date.now()) / 1000))}`;
  });
  return values.length > 0 ? { Contact: values.join(', ') } : {};
}

function seconds(text: string | undefined): number | undefined | 'malformed' {
  if (text === undefined) return undefined;
  return /^\s*\d{1,10}\s*$/.test(text) ? Number(text) : 'malformed';
}

function preference(text: string | undefined): number {
  return text !== undefined && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}

function receivedFrom({ source, port, protocol }: SipRequestView): string {
  const host = isIPv6(source) ? `[${source}]` : source;
  const transport = protocol.toLowerCase();
  return `sip:${host}:${port}${transport === 'udp' || transport === '' ? '' : `;transport=${transport}`}`;
}

/** The user part of a From or To value, decoded; empty when there is none. */
function userOf(value: string | undefined): string {
  const [first = ''] = split(value ?? '', ',');
  const address = parseNameAddress(first);
  return unescaped((address && parseUri(address.uri)?.user.split(/[;:]/, 1)[0]) ?? '');
}
