import type { IceSession } from '../ice/responder.js';
import type { NegotiatedMedia } from '../negotiated.js';
import type { SdpSession } from './sdp-session.js';
import { type MediaDescription, valuesOf, wholeNumber } from './session-description.js';

/** Where we listen, as the peer is to be told. */
export interface LocalMedia {
  address: string;
  port: number;
}

/** Priorities of the only candidates there are: of type host, component 1 and 2 (RFC 8445, 5.1.2.1). */
const PRIORITIES = [2_130_706_431, 2_130_706_430];

/** Which of our ports the peer reaches how. */
export interface AnsweredTransport {
  media: Pick<NegotiatedMedia, 'rtcp' | 'rtcpMux' | 'ice'>;
  /** Attributes of the session. */
  sessionLines: string[];
  /** Attributes of the media line. */
  lines: string[];
}

/** Answers ICE, multiplexed RTCP and bundling of a line, as far as they are offered. */
export function answerTransport(line: MediaDescription, local: LocalMedia, session: SdpSession): AnsweredTransport {
  const rtcpMux = valuesOf(line, 'rtcp-mux').length > 0;
  const ice = iceOf(line, session);
  const rtcp = rtcpOf(line);
  const mid = midOf(line);
  return {
    media: { ...(rtcpMux ? { rtcpMux } : rtcp && { rtcp }), ...(ice && { ice }) },
    sessionLines: [...(ice ? ['a=ice-lite'] : []), ...bundleLines(line, mid)],
    lines: transportLines(local, ice?.local, rtcpMux, mid),
  };
}

/** What an offer of ours says: nothing that the peer has not said before, for not everybody passes over it. */
export function offerTransport(local: LocalMedia, session: SdpSession): Omit<AnsweredTransport, 'media'> {
  const { agreed, ownCredentials } = session;
  if (!agreed) return { sessionLines: [], lines: [] };
  const credentials = agreed.ice ? ownCredentials : undefined;
  return {
    sessionLines: credentials ? ['a=ice-lite'] : [],
    lines: transportLines(local, credentials, agreed.rtcpMux, agreed.mid),
  };
}

/** What the answer to an offer of ours says. */
export function acceptTransport(offered: MediaDescription, answered: MediaDescription): AnsweredTransport['media'] {
  const rtcpMux = valuesOf(offered, 'rtcp-mux').length > 0 && valuesOf(answered, 'rtcp-mux').length > 0;
  const rtcp = rtcpOf(answered);
  const ours = credentialsOf(offered);
  const theirs = credentialsOf(answered);
  const ice = ours && theirs && { local: ours, remote: theirs, remoteLite: isLite(answered) };
  return { ...(rtcpMux ? { rtcpMux } : rtcp && { rtcp }), ...(ice && { ice }) };
}

function transportLines(
  { address, port }: LocalMedia,
  credentials: IceSession['local'] | undefined,
  rtcpMux: boolean,
  mid: string | undefined,
): string[] {
  const lines = mid === undefined ? [] : [`a=mid:${mid}`];
  if (rtcpMux) lines.push('a=rtcp-mux');
  if (!credentials) return lines;
  lines.push(`a=ice-ufrag:${credentials.ufrag}`, `a=ice-pwd:${credentials.pwd}`);
  for (const [n, priority] of PRIORITIES.slice(0, rtcpMux ? 1 : 2).entries()) {
    lines.push(`a=candidate:1 ${n + 1} UDP ${priority} ${address} ${port + n} typ host`);
  }
  return lines;
}

/** One audio line is all that we take, so it is bundled with nothing, but it must be said (RFC 9143, 7.3). */
function bundleLines(line: MediaDescription, mid: string | undefined): string[] {
  const groups = (line.sessionAttributes.get('group') ?? []).map((group) => group.split(/\s+/));
  const bundled = mid !== undefined && groups.some(([kind, ...mids]) => kind === 'BUNDLE' && mids.includes(mid));
  return bundled ? [`a=group:BUNDLE ${mid}`] : [];
}

/** What we repeat has to be a token (RFC 5888, 4). */
export function midOf(line: MediaDescription): string | undefined {
  const mid = line.attributes.get('mid')?.[0];
  return mid !== undefined && /^[\w!#$%&'*+.^`{|}~-]{1,64}$/.test(mid) ? mid : undefined;
}

function iceOf(line: MediaDescription, session: SdpSession): IceSession | undefined {
  const remote = credentialsOf(line);
  return remote && { local: session.credentials(remote.ufrag), remote, remoteLite: isLite(line) };
}

function isLite(line: MediaDescription): boolean {
  return line.sessionAttributes.has('ice-lite');
}

/** Of the lengths that they have to have (RFC 8839, 5.4). */
function credentialsOf(line: MediaDescription): IceSession['remote'] | undefined {
  const ufrag = valuesOf(line, 'ice-ufrag')[0] ?? '';
  const pwd = valuesOf(line, 'ice-pwd')[0] ?? '';
  return /^[\w+/=-]{4,256}$/.test(ufrag) && /^[\w+/=-]{22,256}$/.test(pwd) ? { ufrag, pwd } : undefined;
}

/** a=rtcp (RFC 3605): a port, and an address when it is another. */
function rtcpOf(line: MediaDescription): { address: string; port: number } | undefined {
  const [portText = '', , , host] = (line.attributes.get('rtcp')?.[0] ?? '').split(/\s+/);
  const port = wholeNumber(portText, 65_535);
  const address = host ?? line.address;
  if (!port || address === undefined || !/^[\w.:-]{1,255}$/.test(address)) return undefined;
  return address === line.address && port === line.port + 1 ? undefined : { address, port };
}
