import type { Context } from 'hono';
import { z } from 'zod';
import { type ErrorCode, ParleyError, reasonOf } from '../errors.js';

/** Nothing is as good as an empty object. @throws ParleyError PARLEY_ERR_HTTP_BODY */
export async function bodyOf(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: 'it is no JSON' });
  }
}

/** Answers with what went wrong, as `{code, message}`. */
export function refused(c: Context, error: unknown): Response {
  const { status, body } = errorAnswer(error);
  return c.json(body, status);
}

/** What to answer with. */
export function errorAnswer(error: unknown): { status: Status; body: { code: ErrorCode; message: string } } {
  const { code, message } = coded(error);
  return { status: STATUS[code] ?? 500, body: { code, message } };
}

function coded(error: unknown): ParleyError {
  if (error instanceof ParleyError) return error;
  if (!(error instanceof z.ZodError)) return new ParleyError('PARLEY_ERR_INTERNAL', { reason: reasonOf(error) });
  const [issue] = error.issues;
  return new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: `${issue?.path.join('.') || 'it'}: ${issue?.message}` });
}

type Status = 400 | 401 | 403 | 404 | 409 | 422 | 500 | 502 | 503;

/** Of what can go wrong. */
const STATUS: Partial<Record<ErrorCode, Status>> = {
  PARLEY_ERR_HTTP_BODY: 400,
  PARLEY_ERR_HTTP_UNAUTHORIZED: 401,
  PARLEY_ERR_HTTP_FORBIDDEN: 403,
  PARLEY_ERR_HTTP_ROLE: 403,
  PARLEY_ERR_HTTP_NO_CALL: 404,
  PARLEY_ERR_CALL_UNKNOWN: 404,
  PARLEY_ERR_PARTICIPANT_UNKNOWN: 404,
  PARLEY_ERR_CALL_LIVE: 409,
  PARLEY_ERR_DIGITS_INVALID: 422,
  PARLEY_ERR_DTMF_INVALID: 422,
  PARLEY_ERR_CALL_NOT_UP: 409,
  PARLEY_ERR_AGENT_NOT_GUIDED: 409,
  PARLEY_ERR_TARGET_UNKNOWN: 422,
  PARLEY_ERR_SESSION_REFUSED: 502,
  PARLEY_ERR_STORE_UNAVAILABLE: 503,
  PARLEY_ERR_LIVE_FULL: 503,
};
