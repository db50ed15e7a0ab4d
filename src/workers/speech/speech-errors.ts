import { ERRORS, type ErrorCode, ParleyError, reasonOf } from '../../errors.js';
import type { WireError } from '../messages.js';

/** Anything thrown, as it crosses threads. */
export function wireError(error: unknown): WireError {
  const reason = reasonOf(error);
  if (error instanceof ParleyError) return { code: error.code, reason, details: error.details };
  return { code: 'PARLEY_ERR_INTERNAL', reason, details: { reason } };
}

/** The error that crossed. */
export function fromWire({ code, reason, details }: WireError): ParleyError {
  return isCode(code) ? new ParleyError(code, details) : new ParleyError('PARLEY_ERR_INTERNAL', { reason });
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
