/** Extensions that messages name in Require and Supported (RFC 3261 8.2.2.3, 19.2). */
import { listOf } from './headers.js';
import type { SipMessage, SipRequest, SipResponse } from './message.js';

/**
 * The option tags that IANA has registered. Whether an extension is supported is for the application to say; one that
 * does not exist is refused for it.
 */
const REGISTERED = new Set(
  [
    '100rel 199 answermode early-session eventlist explicitsub from-change geolocation-http geolocation-sip gin gruu',
    'histinfo ice join multiple-refer norefersub nosub outbound path policy precondition pref privacy',
    'recipient-list-invite recipient-list-message recipient-list-subscribe record-aware replaces resource-priority',
    'sdp-anat sec-agree siprec tdialog timer trickle-ice uui',
  ]
    .join(' ')
    .split(' '),
);

/** Whether a message names an option in one of these headers. */
export function names(message: SipMessage, option: string, ...keys: string[]): boolean {
  return keys.some((key) => listOf(message, key).some((tag) => tag.toLowerCase() === option));
}

/** Whether a provisional response is to be sent reliably (RFC 3262 3). */
export function wantsReliability(response: SipResponse): boolean {
  return response.status > 100 && response.status < 200 && names(response, '100rel', 'require');
}

/** Whether the peer can acknowledge one. */
export function supportsReliability(request: SipRequest): boolean {
  return names(request, '100rel', 'supported', 'require');
}

/** What a request requires and nobody has ever heard of. */
export function unknownOptions(message: SipMessage): string[] {
  return listOf(message, 'require').filter((tag) => !REGISTERED.has(tag.toLowerCase()));
}
