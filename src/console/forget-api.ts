import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { ParleyError } from '../errors.js';
import type { Access, Env } from './access.js';
import type { AuditLog } from './audit.js';
import { type ForgetRequest, type Forgotten, numberName } from './forget.js';
import { bodyOf, refused } from './refusal.js';

export type ForgetSource = (request: ForgetRequest) => Promise<Forgotten>;

const MOST_BYTES = 1024;

const asked = z.strictObject({
  number: z.string().trim().min(2).max(100),
  country: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'is a country code without +')
    .optional(),
  dryRun: z.boolean().default(false),
});

/** `POST /v1/forget`: see docs/guides/privacy.md. The number is in the body: addresses of requests are often logged. */
export function forgetApi(forget: ForgetSource, audit: Pick<AuditLog, 'note'>, access: Access): Hono<Env> {
  const app = new Hono<Env>();
  app.use(access.requires('admin'));
  const tooLong = new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: `its body is longer than ${MOST_BYTES} bytes` });
  app.use(bodyLimit({ maxSize: MOST_BYTES, onError: (c) => refused(c, tooLong) }));
  app.post('/', async (c) => {
    let subject = '';
    try {
      const request = asked.parse(await bodyOf(c));
      subject = await numberName(request.number);
      const done = await forget(request);
      if (!request.dryRun) await audit.note(c.get('principal'), 'caller.forget', subject, 'done');
      return c.json({ subject, dryRun: request.dryRun, ...done });
    } catch (error) {
      if (subject) void audit.note(c.get('principal'), 'caller.forget', subject, 'failed');
      return refused(c, error);
    }
  });
  return app;
}
