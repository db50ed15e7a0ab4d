import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { ParleyError } from '../errors.js';
import type { Access, Env } from './access.js';
import { bodyOf, refused } from './refusal.js';

/** Keeps what an IVR hands over. Rejects with ZodError or ParleyError. */
export interface HandoffSource {
  create(document: unknown): Promise<{ token: string; expiresAt: string }>;
}

const MOST_BYTES = 262_144;

/** `POST /v1/handoffs`: see docs/guides/ivr-context.md. */
export function handoffsApi(source: HandoffSource, access: Access): Hono<Env> {
  const app = new Hono<Env>();
  app.use(access.requires('supervisor'));
  const tooLong = new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: `its body is longer than ${MOST_BYTES} bytes` });
  app.use(bodyLimit({ maxSize: MOST_BYTES, onError: (c) => refused(c, tooLong) }));
  app.post('/', async (c) => {
    try {
      return c.json(await source.create(await bodyOf(c)), 201);
    } catch (error) {
      return refused(c, error);
    }
  });
  return app;
}
