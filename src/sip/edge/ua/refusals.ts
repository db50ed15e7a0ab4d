/** Why a request of the network is answered by the edge itself, before any application sees it (RFC 3261 8.2, 12.2.2). */
import { randomInt } from 'node:crypto';
import type { Dialog } from '../dialog/dialog.js';
import { type Header, header } from '../message/message.js';
import { unknownOptions } from '../message/option-tags.js';
import type { ReceivedRequest } from '../transport/received.js';
import { isTooShort, MIN_SESSION_S } from './session-timer.js';

export interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly Header[];
}

const PENDING: Refusal = { status: 491, reason: 'Request Pending' };

/** A request that comes while the one before it is not answered may come again a little later (14.2). */
function tooEarly(): Refusal {
  return { status: 500, reason: 'Request Pending', headers: [header('Retry-After', String(randomInt(1, 11)))] };
}

/** What is wrong whatever the request belongs to. @param secure whether `sips:` can be answered for */
export function generalRefusal({ message }: ReceivedRequest, secure: boolean): Refusal | undefined {
  if (!secure && /^sips:/i.test(message.uri)) return { status: 416, reason: 'Unsupported URI Scheme' };
  const unknown = unknownOptions(message);
  if (unknown.length === 0) return undefined;
  return { status: 420, reason: 'Bad Extension', headers: [header('Unsupported', unknown.join(', '))] };
}

/** What is wrong with a request of the peer in its dialog; notes its CSeq when nothing is wrong with that. */
export function dialogRefusal(dialog: Dialog, received: ReceivedRequest): Refusal | undefined {
  const { message, cseq } = received;
  if (dialog.remoteSeq !== undefined && cseq.number <= dialog.remoteSeq) {
    return { status: 500, reason: 'CSeq out of order' };
  }
  dialog.remoteSeq = cseq.number;
  const busy =
    message.method === 'INVITE'
      ? inviteGlare(dialog)
      : message.method === 'UPDATE'
        ? updateGlare(dialog, message.body !== '')
        : undefined;
  if (busy) return busy;
  const short = (message.method === 'INVITE' || message.method === 'UPDATE') && isTooShort(message);
  const least = header('Min-SE', String(MIN_SESSION_S));
  return short ? { status: 422, reason: 'Session Interval Too Small', headers: [least] } : undefined;
}

/** RFC 3261 14.2; an INVITE before our 2xx is acknowledged counts as crossing, as drachtio-server has it. */
function inviteGlare(dialog: Dialog): Refusal | undefined {
  if (dialog.openAnswer || dialog.inviteToPeer || dialog.updateToPeer) return PENDING;
  return dialog.inviteFromPeer || dialog.updateFromPeer ? tooEarly() : undefined;
}

/** RFC 3311 5.2: offers must not cross, and one must be answered before the next. */
function updateGlare(dialog: Dialog, offers: boolean): Refusal | undefined {
  if (dialog.updateFromPeer) return tooEarly();
  if (!offers) return undefined;
  if (dialog.updateToPeer || dialog.inviteToPeer) return PENDING;
  const unanswered = dialog.inviteFromPeer !== undefined && (dialog.confirmed || dialog.localSdp === '');
  return unanswered ? tooEarly() : undefined;
}
