import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { ParleyError } from '../errors.js';
import { CODEC_FORMATS, type CodecFormat } from './codec.js';
import type { CodecName, MediaDirection, NegotiatedMedia } from './negotiated.js';
import { invalid, type MediaDescription, parseSdp, wholeNumber } from './session-description.js';

/** Where we listen, as the peer is to be told. */
export interface LocalMedia {
  address: string;
  port: number;
}

/** Our dynamic payload type of telephone-event in offers: the number everybody uses. */
const TELEPHONE_EVENT_TYPE = 101;
const DEFAULT_PTIME_MS = 20;
const MIN_PTIME_MS = 10;
const MAX_PTIME_MS = 60;
const ALL_CODECS: readonly CodecName[] = CODEC_FORMATS.map((format) => format.name);

/** The o= line of one leg: its version rises when what we describe changes, and only then (RFC 3264, 8). */
export class SdpSession {
  // Below 2^53 and without a leading zero: some peers read it into a signed number.
  private readonly id = randomInt(1_000_000_000, 2_000_000_000);
  private version = this.id;
  private described: string | undefined;

  /** @param body the description from m= on */
  write(address: string, body: string): string {
    const described = `${address}\n${body}`;
    if (this.described !== undefined && this.described !== described) this.version++;
    this.described = described;
    const network = isIPv6(address) ? 'IN IP6' : 'IN IP4';
    return [
      'v=0',
      `o=parley ${this.id} ${this.version} ${network} ${address}`,
      's=parley',
      `c=${network} ${address}`,
      't=0 0',
      body,
    ].join('\r\n');
  }
}

/**
 * Answers an offer (RFC 3264, 6): the first audio line with a codec in common, in the offerer's order of preference;
 * every other line is refused with port 0 in its place.
 *
 * @throws ParleyError PARLEY_ERR_SDP_INVALID (400), PARLEY_ERR_SDP_NO_CODEC (488)
 */
export function answerOffer(
  offer: string,
  local: LocalMedia,
  session: SdpSession,
  codecs: readonly CodecName[] = ALL_CODECS,
): { sdp: string; media: NegotiatedMedia } {
  const offered = parseSdp(offer).media;
  const index = offered.findIndex((line) => isUsable(line) && chooseCodec(line, codecs) !== undefined);
  const line = offered[index];
  const codec = line && chooseCodec(line, codecs);
  if (!line || !codec) throw noCodec(offered, codecs);
  const media = negotiate(line, codec, telephoneEventOf(line, codec.clockRate));
  const body = offered
    .map((other, n) => (n === index ? acceptedLine(line, media, local) : refusedLine(other)))
    .join('\r\n');
  return { sdp: session.write(local.address, `${body}\r\n`), media };
}

/** An offer of ours: one audio line with all codecs and telephone-event. */
export function makeOffer(
  local: LocalMedia,
  session: SdpSession,
  codecs: readonly CodecName[] = ALL_CODECS,
  direction: MediaDirection = 'sendrecv',
): string {
  const formats = codecs.flatMap((name) => CODEC_FORMATS.filter((format) => format.name === name));
  const types = [...formats.map((format) => format.payloadType), TELEPHONE_EVENT_TYPE];
  const lines = [
    `m=audio ${local.port} RTP/AVP ${types.join(' ')}`,
    ...formats.map(rtpmapLine),
    ...telephoneEventLines(TELEPHONE_EVENT_TYPE, 8000),
    `a=ptime:${DEFAULT_PTIME_MS}`,
    `a=${direction}`,
  ];
  return session.write(local.address, `${lines.join('\r\n')}\r\n`);
}

/**
 * Takes the peer's answer to an offer of ours.
 *
 * @throws ParleyError PARLEY_ERR_SDP_INVALID, PARLEY_ERR_SDP_NO_CODEC
 */
export function acceptAnswer(offer: string, answer: string): NegotiatedMedia {
  const offered = parseSdp(offer).media[0];
  const answered = parseSdp(answer).media;
  const line = answered[0];
  if (!offered || !line) throw invalid('it has no m= line');
  const codecs = offered.formats.flatMap((format) => codecOf(offered, format)?.name ?? []);
  const codec = isUsable(line) ? chooseCodec(line, codecs) : undefined;
  if (!codec) throw noCodec(answered, codecs);
  const event = telephoneEventOf(offered, codec.clockRate) && telephoneEventOf(line, codec.clockRate);
  return negotiate(line, codec, event, offered.direction);
}

function isUsable(line: MediaDescription): boolean {
  return line.kind.toLowerCase() === 'audio' && line.port !== 0 && /^RTP\/AVPF?$/i.test(line.protocol);
}

/** The codec of one format: by its rtpmap, else by its static number (RFC 3551, table 4). */
function codecOf(line: MediaDescription, format: string): CodecFormat | undefined {
  const payloadType = wholeNumber(format, 127);
  if (payloadType === undefined) return undefined;
  const encoding = line.rtpmap.get(format);
  if (encoding === undefined) return CODEC_FORMATS.find((codec) => codec.payloadType === payloadType);
  const [name, rate, channels] = encoding.toUpperCase().split('/');
  if (channels !== undefined && channels !== '1') return undefined;
  const codec = CODEC_FORMATS.find((known) => known.name === name && String(known.clockRate) === rate);
  return codec && { ...codec, payloadType };
}

function chooseCodec(line: MediaDescription, codecs: readonly CodecName[]): CodecFormat | undefined {
  for (const format of line.formats) {
    const codec = codecOf(line, format);
    if (codec && codecs.includes(codec.name)) return codec;
  }
  return undefined;
}

function telephoneEventOf(line: MediaDescription, clockRate: number): number | undefined {
  const wanted = `telephone-event/${clockRate}`;
  const format = line.formats.find((candidate) => line.rtpmap.get(candidate)?.toLowerCase() === wanted);
  return format === undefined ? undefined : wholeNumber(format, 127);
}

function negotiate(
  line: MediaDescription,
  codec: CodecFormat,
  telephoneEvent: number | undefined,
  ours: MediaDirection = 'sendrecv',
): NegotiatedMedia {
  if (line.address === undefined) throw invalid('its audio has no c= line');
  // Hold as RFC 2543 knew it: an address that nothing can be sent to.
  const unreachable = line.address === '0.0.0.0' || line.address === '::';
  return {
    remote: { address: line.address, port: line.port },
    codec: { name: codec.name, payloadType: codec.payloadType, clockRate: codec.clockRate },
    telephoneEvent,
    ptime: ptimeOf(line),
    direction: directionOf(
      sends(ours) && listens(line.direction) && !unreachable,
      listens(ours) && sends(line.direction),
    ),
  };
}

/** What the peer wishes to receive, in whole 10 ms. */
function ptimeOf(line: MediaDescription): number {
  const wish = Math.min(line.ptime ?? DEFAULT_PTIME_MS, line.maxptime ?? MAX_PTIME_MS);
  return Math.max(MIN_PTIME_MS, Math.min(MAX_PTIME_MS, Math.floor(wish / 10) * 10));
}

function sends(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function listens(direction: MediaDirection): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

function directionOf(send: boolean, listen: boolean): MediaDirection {
  if (send) return listen ? 'sendrecv' : 'sendonly';
  return listen ? 'recvonly' : 'inactive';
}

function acceptedLine(line: MediaDescription, media: NegotiatedMedia, local: LocalMedia): string {
  const { codec, telephoneEvent } = media;
  const types = telephoneEvent === undefined ? [codec.payloadType] : [codec.payloadType, telephoneEvent];
  const lines = [`m=audio ${local.port} ${line.protocol} ${types.join(' ')}`, rtpmapLine(codec)];
  if (telephoneEvent !== undefined) lines.push(...telephoneEventLines(telephoneEvent, codec.clockRate));
  lines.push(`a=ptime:${media.ptime}`, `a=${media.direction}`);
  return lines.join('\r\n');
}

function refusedLine(line: MediaDescription): string {
  return `m=${line.kind} 0 ${line.protocol} ${line.formats.join(' ')}`;
}

function rtpmapLine(codec: CodecFormat): string {
  return `a=rtpmap:${codec.payloadType} ${codec.name}/${codec.clockRate}`;
}

function telephoneEventLines(payloadType: number, clockRate: number): string[] {
  return [`a=rtpmap:${payloadType} telephone-event/${clockRate}`, `a=fmtp:${payloadType} 0-15`];
}

function noCodec(lines: MediaDescription[], codecs: readonly CodecName[]): ParleyError {
  const audio = lines.find((line) => line.kind.toLowerCase() === 'audio');
  const reason = !audio
    ? 'it has no audio line'
    : audio.port === 0
      ? 'its audio line has port 0'
      : `${audio.protocol} ${audio.formats.slice(0, 20).join(' ')}`;
  return new ParleyError('PARLEY_ERR_SDP_NO_CODEC', { reason, codecs: codecs.join(', ') });
}
