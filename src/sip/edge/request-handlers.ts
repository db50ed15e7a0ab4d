/**
 * drachtio's outbound mode: requests that go to no application connected to the control port. Either the edge
 * connects to an application that listens (`srf.listen()`), or a web service says for each request what to do.
 */
import { z } from 'zod';
import { reasonOf } from '../../errors.js';
import type { Application } from './application/application.js';
import { newTag, plainResponse } from './compose.js';
import type { Core } from './core.js';
import { parseNameAddress } from './message/headers.js';
import { fieldOf, type Header, header } from './message/message.js';
import { parseUri } from './message/uri.js';
import type { Passed } from './passage.js';
import type { SipProxy } from './proxy/proxy.js';
import type { ReceivedRequest } from './transport/received.js';
import type { Uas } from './ua/uas.js';

/** Where the requests of one method go. */
export interface RequestHandler {
  /** Upper or lower case; `*` is any method. */
  readonly method: string;
  /** `tcp://host:port` of an application, or an `http:` or `https:` URL of a service. */
  readonly url: string;
}

/** ms for the service to answer. */
const ANSWER_MS = 4000;

/** Port of a listening application when its address names none. */
const APPLICATION_PORT = 9021;

const targets = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** What the service may say; drachtio-server's words and defaults. */
const instruction = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('reject'),
    data: z.object({ status: z.number().int().min(300).max(699), reason: z.string().default('Rejected') }),
  }),
  z.object({ action: z.literal('redirect'), data: z.object({ contact: targets }) }),
  z.object({
    action: z.literal('proxy'),
    data: z.object({
      destination: targets,
      recordRoute: z.boolean().default(false),
      followRedirects: z.boolean().default(true),
      simultaneous: z.boolean().default(false),
      provisionalTimeout: z.string().default('5s'),
      finalTimeout: z.string().default('60s'),
    }),
  }),
  z.object({ action: z.literal('route'), data: z.object({ uri: z.string().optional(), tag: z.string().optional() }) }),
]);

export class RequestHandlers {
  readonly #core: Core;
  readonly #uas: Uas;
  readonly #proxy: SipProxy;
  readonly #byMethod: ReadonlyMap<string, string>;

  constructor(core: Core, uas: Uas, proxy: SipProxy, handlers: readonly RequestHandler[]) {
    this.#core = core;
    this.#uas = uas;
    this.#proxy = proxy;
    this.#byMethod = new Map(handlers.map(({ method, url }) => [method.toUpperCase(), url]));
  }

  /** Takes a new request outside any dialog, when its method has a handler. */
  take(received: ReceivedRequest): boolean {
    const url = this.#byMethod.get(received.message.method) ?? this.#byMethod.get('*');
    if (url === undefined) return false;
    const passed = this.#uas.passages.open(received);
    let wanted = true;
    this.#uas.passages.follow(passed, {
      cancel: () => {
        wanted = false;
        this.#answer(passed, 487, 'Request Terminated');
      },
      ended: () => {
        wanted = false;
      },
    });
    void this.#decide(received, url).then((act) => {
      this.#core.guard('request handler', () => {
        if (wanted) act(passed);
      });
    });
    return true;
  }

  /** @returns what is to be done with the request; never rejects */
  async #decide(received: ReceivedRequest, url: string): Promise<(passed: Passed) => void> {
    try {
      if (url.startsWith('tcp://')) return this.#toApplication(await this.#dial(url.slice('tcp://'.length)));
      return await this.#follow(await ask(received, url));
    } catch (error) {
      this.#core.log.warn({ url, reason: reasonOf(error) }, 'request handler failed');
      const [status, reason] =
        error instanceof DialError ? [480, 'Temporarily Unavailable'] : [500, 'Internal Server Error'];
      return (passed) => this.#answer(passed, Number(status), String(reason));
    }
  }

  async #follow(told: z.infer<typeof instruction>): Promise<(passed: Passed) => void> {
    const { action, data } = told;
    if (action === 'reject') return (passed) => this.#answer(passed, data.status, data.reason);
    if (action === 'redirect') {
      const contacts = data.contact.map((uri) => header('Contact', uri.startsWith('<') ? uri : `<${uri}>`));
      return (passed) => this.#answer(passed, 302, 'Moved Temporarily', contacts);
    }
    if (action === 'proxy') return (passed) => this.#proxy.forward(passed, data);
    if (data.uri !== undefined) return this.#toApplication(await this.#dial(data.uri));
    return this.#toApplication(this.#core.applications.tagged(data.tag ?? ''));
  }

  #toApplication(app: Application | undefined): (passed: Passed) => void {
    return (passed) => {
      if (app && !app.closed) this.#uas.adopt(passed, app);
      else this.#answer(passed, 480, 'Temporarily Unavailable');
    };
  }

  async #dial(address: string): Promise<Application> {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:;/]+))(?::(\d{1,5}))?/.exec(address) ?? [];
    const host = bracketed ?? plain;
    if (host === undefined) throw new DialError(`no address: ${address}`);
    try {
      return await this.#core.applications.dial(host, Number(port ?? APPLICATION_PORT));
    } catch (error) {
      throw new DialError(reasonOf(error));
    }
  }

  #answer(passed: Passed, status: number, reason: string, extra: readonly Header[] = []): void {
    passed.transaction.respond(plainResponse(passed.received.message, status, reason, newTag(), extra));
  }
}

/** The application that a request was to go to can't be reached. */
class DialError extends Error {}

async function ask(received: ReceivedRequest, url: string): Promise<z.infer<typeof instruction>> {
  const { message, source } = received;
  const userOf = (value: string | undefined) => parseUri(parseNameAddress(value ?? '')?.uri ?? '')?.user ?? '';
  const uri = parseUri(message.uri);
  const query = new URL(url);
  const fields = {
    method: message.method,
    domain: uri?.host ?? '',
    protocol: source.protocol,
    source_address: source.host,
    fromUser: userOf(fieldOf(message, 'from')),
    toUser: userOf(fieldOf(message, 'to')),
    uriUser: uri?.user ?? '',
    contentType: fieldOf(message, 'content-type') ?? '',
    uri: message.uri,
  };
  for (const [name, value] of Object.entries(fields)) query.searchParams.set(name, value);
  const response = await fetch(query, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return instruction.parse(await response.json());
}
