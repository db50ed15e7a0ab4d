/*
 * A session description in its parts: what stands before the first m= line, and each medium. Offers in a running call
 * have to keep the media of the ones before, in their places (RFC 3264 8).
 */
import type { MediaDirection } from '../../rtp/negotiated.js';

const DIRECTION = /^a=(sendrecv|sendonly|recvonly|inactive)[ \t]*(?=\r?$)/gm;

/** From the first m= line on, one part for each. */
export function mediaOf(sdp: string): string[] {
  return sdp.split(/^(?=m=)/m).slice(sdp.startsWith('m=') ? 0 : 1);
}

/** What stands before them. */
export function sessionOf(sdp: string): string {
  return sdp.slice(0, sdp.length - mediaOf(sdp).join('').length);
}

/** The place of the medium that is in use: of the first whose port is not 0. */
export function usedMedium(sdp: string): number {
  return Math.max(
    0,
    mediaOf(sdp).findIndex((medium) => !/^m=\S+[ \t]+0[ \t/]/.test(medium)),
  );
}

/** A description with only one of its media; the first when there are fewer. */
export function onlyMedium(sdp: string, place: number): string {
  const media = mediaOf(sdp);
  return sessionOf(sdp) + (media[place] ?? media[0] ?? '');
}

/** Everything after the t= line, with another direction: what an offer of the same session to hold or resume has. */
export function redirected(sdp: string, direction: MediaDirection): string {
  const body = sdp.slice(sdp.search(/^t=.*$/m)).replace(/^t=.*\r?\n/, '');
  return body.replace(DIRECTION, `a=${direction}`);
}

/**
 * An offer as it reads to a side that does not listen: what the peer would send is taken out. Our answer then says so.
 */
export function unheard(offer: string): string {
  const quiet = (text: string) =>
    text.replace(DIRECTION, (line, direction: string) =>
      direction === 'sendrecv' ? 'a=recvonly' : direction === 'sendonly' ? 'a=inactive' : line,
    );
  const session = sessionOf(offer);
  // Without a word about it, a medium goes both ways.
  const whole = session.search(DIRECTION) >= 0 ? quiet(session) : `${session}a=recvonly\r\n`;
  return whole + mediaOf(offer).map(quiet).join('');
}
