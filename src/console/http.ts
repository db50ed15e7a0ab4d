import type { IncomingMessage } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { ParleyError, reasonOf } from '../errors.js';
import type { JournalFeed } from '../journal/feed.js';
import type { Alarm } from '../telemetry/alarms.js';
import type { Logger } from '../telemetry/log.js';
import { Access, type Env } from './access.js';
import type { AuditLog } from './audit.js';
import { type CallsApiOptions, type CallsSource, callsApi } from './calls-api.js';
import type { ConsoleConfig } from './config.js';
import { type ForgetSource, forgetApi } from './forget-api.js';
import { type HandoffSource, handoffsApi } from './handoffs-api.js';
import { LiveServer } from './live/live-server.js';
import { refused } from './refusal.js';
import { type ReloadSource, reloadApi } from './reload-api.js';
import type { TokenBook } from './tokens.js';

/** What the HTTP side asks of the server. */
export interface ConsoleSource {
  /** Why calls can't be taken now; undefined when they can. */
  unready: () => string | undefined;
  /** Why the process should be started anew; undefined while it is of use. */
  unhealthy: () => string | undefined;
  /** What somebody should see to. */
  alarms: () => readonly Alarm[];
  /** Live counts; all zero when nothing is going on. */
  stats: () => Promise<Record<string, unknown>>;
  /** Prometheus' text format, and its content type. */
  metrics: () => Promise<{ text: string; contentType: string }>;
  calls: CallsSource;
  handoffs: HandoffSource;
  files: ReloadSource;
  tokens: Pick<TokenBook, 'find'>;
  audit: Pick<AuditLog, 'note' | 'read'>;
  /** Deletes all that is kept of a caller. @throws ParleyError */
  forget: ForgetSource;
  /** Deletes all that is kept of a call. @throws ParleyError */
  remove: CallsApiOptions['remove'];
  recordings: CallsApiOptions['recordings'];
  figures: CallsApiOptions['figures'];
  /** The SIP messages of a call, oldest first; none of an unknown one. @throws ParleyError */
  sip: CallsApiOptions['sip'];
  /** Who wants to be called back. */
  callBacks: { list(): Promise<readonly unknown[]>; remove(call: string): Promise<boolean> };
  /** SIP users who are registered now. */
  registrations: () => Promise<readonly unknown[]>;
}

/** What the live WebSocket reads, and where it says what went wrong. */
export interface LiveSource {
  feed: JournalFeed;
  logger: Logger;
}

/** The HTTP server: health for load balancers, counts for operators. */
export class Console {
  private constructor(
    private readonly server: ReturnType<typeof serve>,
    private readonly live: LiveServer,
    readonly address: string,
  ) {}

  /** @throws ParleyError PARLEY_ERR_HTTP_START when the port can't be had */
  static async start(config: ConsoleConfig, source: ConsoleSource & LiveSource): Promise<Console> {
    const access = new Access(config.token, source.tokens);
    const app = routes(source, access);
    const live = new LiveServer(source.feed, access, source.logger, source.calls, source.audit);
    const server = await new Promise<ReturnType<typeof serve>>((resolve, reject) => {
      const started = serve({ fetch: app.fetch, hostname: config.host, port: config.port }, () => resolve(started));
      started.once('error', (error: Error) =>
        reject(
          new ParleyError('PARLEY_ERR_HTTP_START', { host: config.host, port: config.port, reason: reasonOf(error) }),
        ),
      );
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      void live.upgrade(request, socket, head);
    });
    const { port } = server.address() as AddressInfo;
    return new Console(server, live, `${isIPv6(config.host) ? `[${config.host}]` : config.host}:${port}`);
  }

  async close(): Promise<void> {
    this.live.close();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      if ('closeAllConnections' in this.server) this.server.closeAllConnections();
    });
  }
}

export function routes(source: ConsoleSource, access: Access): Hono<Env> {
  const app = new Hono<Env>();
  app.get('/healthz', (c) => {
    const reason = source.unhealthy();
    return reason === undefined ? c.json({ ok: true }) : c.json({ ok: false, reason }, 503);
  });
  app.get('/readyz', (c) => {
    const reason = source.unready();
    const alarms = source.alarms();
    return reason === undefined ? c.json({ ready: true, alarms }) : c.json({ ready: false, reason, alarms }, 503);
  });
  app.get('/v1/stats', async (c) => c.json(await source.stats()));
  app.get('/metrics', async (c) => {
    const { text, contentType } = await source.metrics();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
  app.route('/v1/calls', callsApi(source.calls, { ...source, access }));
  app.route('/v1/handoffs', handoffsApi(source.handoffs, access));
  app.route('/v1/reload', reloadApi(source.files, access, source.audit));
  app.get('/v1/callbacks', access.requires('viewer'), async (c) =>
    c.json({ callbacks: await source.callBacks.list() }),
  );
  app.delete('/v1/callbacks/:call', access.requires('supervisor'), async (c) => {
    const call = c.req.param('call');
    const there = await source.callBacks.remove(call);
    void source.audit.note(c.get('principal'), 'callback.done', call, there ? 'done' : 'failed');
    return there ? c.json({ ok: true }) : refused(c, new ParleyError('PARLEY_ERR_HTTP_NO_CALL', { call }));
  });
  app.get('/v1/registrations', access.requires('viewer'), async (c) =>
    c.json({ registrations: await source.registrations() }),
  );
  app.route('/v1/forget', forgetApi(source.forget, source.audit, access));
  app.get('/v1/audit', access.requires('admin'), async (c) => {
    const limit = Number(c.req.query('limit') ?? 100);
    const good = Number.isInteger(limit) && limit > 0 && limit <= 1000;
    if (!good) return refused(c, new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: 'limit is 1 to 1000' }));
    return c.json({ entries: await source.audit.read(limit) });
  });
  app.notFound((c) => c.json({ error: `no ${c.req.path} here` }, 404));
  app.onError((error, c) => refused(c, error));
  return app;
}
