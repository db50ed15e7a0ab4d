import { ParleyError } from '../../errors.js';
import type { MediaDirection } from '../negotiated.js';

/** A session description as far as offer and answer need it (RFC 8866). */
export interface SessionDescription {
  media: MediaDescription[];
}

/** One m= line with what belongs to it; session-level values are already filled in. */
export interface MediaDescription {
  kind: string;
  port: number;
  protocol: string;
  /** Formats in the sender's order of preference; payload types for RTP. */
  formats: string[];
  /** Address of c=, without TTL; undefined when there is none. */
  address: string | undefined;
  direction: MediaDirection;
  /** By format, e.g. '101' -> 'telephone-event/8000'. */
  rtpmap: Map<string, string>;
  /** By format, e.g. '111' -> 'minptime=10;useinbandfec=1'. */
  fmtp: Map<string, string>;
  /** ms */
  ptime: number | undefined;
  /** ms */
  maxptime: number | undefined;
  /** Values of all other attributes by name in small letters, '' for one without; those of the session, too. */
  attributes: Map<string, string[]>;
  sessionAttributes: ReadonlyMap<string, readonly string[]>;
}

/** Far above any real description. */
const MAX_CHARACTERS = 65_536;
const MAX_MEDIA = 32;
const MAX_LINES = 2000;

/**
 * Reads a session description in linear time. Unknown and malformed lines that decide nothing are passed over.
 *
 * @throws ParleyError PARLEY_ERR_SDP_INVALID
 */
export function parseSdp(text: string): SessionDescription {
  if (text.length > MAX_CHARACTERS) throw invalid(`longer than ${MAX_CHARACTERS} characters`);
  const lines = text.split('\n', MAX_LINES + 1).map((line) => line.trim());
  if (lines.length > MAX_LINES) throw invalid(`more than ${MAX_LINES} lines`);
  if (lines.find((line) => line !== '') !== 'v=0') throw invalid('it does not begin with v=0');
  const media: MediaDescription[] = [];
  const session: MediaDescription = mediaDescription('session', 0, '', []);
  for (const line of lines) {
    const value = line.slice(2).trim();
    if (line.startsWith('m=')) {
      if (media.length === MAX_MEDIA) throw invalid(`more than ${MAX_MEDIA} media lines`);
      media.push(parseMediaLine(value, session));
    } else if (line.startsWith('c=')) (media.at(-1) ?? session).address = parseConnection(value);
    else if (line.startsWith('a=')) parseAttribute(value, media.at(-1) ?? session);
  }
  if (media.length === 0) throw invalid('it has no m= line');
  return { media };
}

/** An error of {@link parseSdp}'s kind. */
export function invalid(reason: string): ParleyError {
  return new ParleyError('PARLEY_ERR_SDP_INVALID', { reason });
}

function mediaDescription(kind: string, port: number, protocol: string, formats: string[]): MediaDescription {
  return {
    kind,
    port,
    protocol,
    formats,
    address: undefined,
    direction: 'sendrecv',
    rtpmap: new Map(),
    fmtp: new Map(),
    ptime: undefined,
    maxptime: undefined,
    attributes: new Map(),
    sessionAttributes: new Map(),
  };
}

function parseMediaLine(value: string, session: MediaDescription): MediaDescription {
  const [kind, port, protocol, ...formats] = value.split(/\s+/);
  // The port may be followed by a count of ports: 49170/2.
  const number = wholeNumber(port?.split('/')[0] ?? '', 65_535);
  if (!kind || !protocol || formats.length === 0 || number === undefined) throw invalid(`bad line m=${clip(value)}`);
  const media = mediaDescription(kind, number, protocol, formats);
  media.address = session.address;
  media.direction = session.direction;
  media.sessionAttributes = session.attributes;
  return media;
}

function parseConnection(value: string): string {
  const [network, family, address] = value.split(/\s+/);
  const host = address?.split('/')[0] ?? '';
  if (network?.toUpperCase() !== 'IN' || !/^IP[46]$/i.test(family ?? '') || !/^[\w.:-]{1,255}$/.test(host)) {
    throw invalid(`bad line c=${clip(value)}`);
  }
  return host;
}

function parseAttribute(value: string, media: MediaDescription): void {
  const colon = value.indexOf(':');
  const name = (colon < 0 ? value : value.slice(0, colon)).toLowerCase();
  const rest = colon < 0 ? '' : value.slice(colon + 1).trim();
  if (isDirection(name)) media.direction = name;
  else if (name === 'ptime') media.ptime = milliseconds(rest);
  else if (name === 'maxptime') media.maxptime = milliseconds(rest);
  else if (name === 'rtpmap') {
    const [format, encoding] = rest.split(/\s+/);
    if (format && encoding) media.rtpmap.set(format, encoding);
  } else if (name === 'fmtp') {
    const space = rest.search(/\s/);
    if (space > 0) media.fmtp.set(rest.slice(0, space), rest.slice(space + 1));
  } else {
    const values = media.attributes.get(name);
    if (values) values.push(rest);
    else media.attributes.set(name, [rest]);
  }
}

/** The attribute's values on the media line, else what the session says for all lines. */
export function valuesOf(line: MediaDescription, name: string): readonly string[] {
  return line.attributes.get(name) ?? line.sessionAttributes.get(name) ?? [];
}

function isDirection(name: string): name is MediaDirection {
  return name === 'sendrecv' || name === 'sendonly' || name === 'recvonly' || name === 'inactive';
}

function milliseconds(text: string): number | undefined {
  // Some send fractions: 20.0.
  const value = wholeNumber(text.split('.')[0] ?? '', 1000);
  return value === 0 ? undefined : value;
}

/** A decimal number of at most `max`. */
export function wholeNumber(text: string, max: number): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
