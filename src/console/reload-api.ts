import { Hono } from 'hono';
import { ParleyError } from '../errors.js';
import type { Access, Env } from './access.js';
import type { AuditLog } from './audit.js';

/** The agents and dialplans that new calls are answered with. */
export interface LoadedFiles {
  /** Since when, ISO 8601. */
  since: string;
  /** `version`: of the content of the file, its articles and modules. */
  agents: readonly { name: string; file: string; version: string }[];
  dialplans: readonly { file: string; version: string }[];
  /** Of all dialplan files together, as calls have it on record. */
  dialplan: string;
  /** What is wrong with the files as they are now: they are not used then. */
  problems: readonly Pick<ParleyError, 'code' | 'message' | 'mend'>[];
  /** parley.yaml is not what it was at the start. */
  restartNeeded: boolean;
}

/** How an attempt to read the files again came out. */
export interface ReloadOutcome extends LoadedFiles {
  outcome: 'done' | 'unchanged' | 'refused';
  /** `agent orders`, `dialplan main.yaml`. */
  changed: readonly string[];
}

/** What reads the files. */
export interface ReloadSource {
  state(): LoadedFiles;
  reload(): Promise<ReloadOutcome>;
}

/** `GET /v1/reload`: what is loaded. `POST /v1/reload`: reads agents and dialplans again. */
export function reloadApi(source: ReloadSource, access: Access, audit: Pick<AuditLog, 'note'>): Hono<Env> {
  const app = new Hono<Env>();
  app.get('/', access.requires('viewer'), (c) => c.json(written(source.state())));
  app.post('/', access.requires('admin'), async (c) => {
    const outcome = await source.reload();
    void audit.note(c.get('principal'), 'reload', '', outcome.outcome === 'refused' ? 'failed' : 'done');
    if (outcome.outcome !== 'refused') return c.json(written(outcome));
    const reason = outcome.problems.map((problem) => problem.message).join('; ');
    const { code, message } = new ParleyError('PARLEY_ERR_RELOAD', { reason });
    return c.json({ code, message, ...written(outcome) }, 422);
  });
  return app;
}

function written<T extends LoadedFiles>(files: T) {
  return { ...files, problems: files.problems.map(({ code, message, mend }) => ({ code, message, mend })) };
}
