import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { ParleyError } from '../errors.js';
import {
  CODEC_NAMES,
  type CodecName,
  type MediaDirection,
  type NegotiatedMedia,
  type PcmRate,
  type ReceivedFormat,
} from './negotiated.js';
import {
  type CodecFormat,
  clockRateOf,
  codecLines,
  codecsOf,
  eventClockRates,
  eventLines,
  opusSettings,
  ourEvents,
  ourFormat,
  packetTime,
  pcmRateOf,
  telephoneEventOf,
} from './sdp-formats.js';
import { invalid, type MediaDescription, parseSdp } from './session-description.js';

/** Where we listen, as the peer is to be told. */
export interface LocalMedia {
  address: string;
  port: number;
}

/** Which codecs we take and offer, in our order, and how we use Opus. */
export interface AudioOptions {
  codecs: readonly CodecName[];
  opus: { bitrate: number; dtx: boolean };
}

const DEFAULT_PTIME_MS = 20;
const ALL_AUDIO: AudioOptions = { codecs: CODEC_NAMES, opus: { bitrate: 24_000, dtx: false } };

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
 * Rate of the PCM for a leg before it is opened, Hz: of the codec that will answer this offer, or of our best codec
 * when we are the ones to offer.
 *
 * @throws ParleyError as {@link answerOffer}
 */
export function legRate(offer: string | undefined, audio: AudioOptions): PcmRate {
  if (offer === undefined) return pcmRates(audio).includes(16_000) ? 16_000 : 8000;
  return pcmRateOf(choose(parseSdp(offer).media, audio).codec.name);
}

/** Rates that legs with these codecs may have, Hz. */
export function pcmRates({ codecs }: AudioOptions): PcmRate[] {
  return [...new Set(codecs.map(pcmRateOf))];
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
  audio: AudioOptions = ALL_AUDIO,
): { sdp: string; media: NegotiatedMedia } {
  const offered = parseSdp(offer).media;
  const { index, line, codec } = choose(offered, audio);
  const events = eventClockRates(codec.name).flatMap((clockRate) => {
    const payloadType = telephoneEventOf(line, clockRate);
    return payloadType === undefined ? [] : [{ payloadType, clockRate }];
  });
  const media = negotiate(line, codec, events[0], audio);
  const body = offered
    .map((other, n) => (n === index ? acceptedLine(line, media, local, audio) : refusedLine(other)))
    .join('\r\n');
  return { sdp: session.write(local.address, `${body}\r\n`), media };
}

/** An offer of ours: one audio line with all codecs and telephone-event. */
export function makeOffer(
  local: LocalMedia,
  session: SdpSession,
  audio: AudioOptions = ALL_AUDIO,
  direction: MediaDirection = 'sendrecv',
): string {
  const formats = audio.codecs.map(ourFormat);
  const events = ourEvents(audio.codecs);
  const lines = [
    `m=audio ${local.port} RTP/AVP ${[...formats, ...events].map(({ payloadType }) => payloadType).join(' ')}`,
    ...formats.flatMap((format) => codecLines(format, audio.opus.dtx)),
    ...events.flatMap(({ payloadType, clockRate }) => eventLines(payloadType, clockRate)),
    `a=ptime:${DEFAULT_PTIME_MS}`,
    `a=${direction}`,
  ];
  return session.write(local.address, `${lines.join('\r\n')}\r\n`);
}

/**
 * Takes the peer's answer to an offer of ours. It may number formats in its own way: we send its numbers, and ours come
 * back (RFC 3264, 6.1), or, from some, its own.
 *
 * @throws ParleyError PARLEY_ERR_SDP_INVALID, PARLEY_ERR_SDP_NO_CODEC
 */
export function acceptAnswer(offer: string, answer: string, audio: AudioOptions = ALL_AUDIO): NegotiatedMedia {
  const offered = parseSdp(offer).media[0];
  const answered = parseSdp(answer).media;
  const line = answered[0];
  if (!offered || !line) throw invalid('it has no m= line');
  const ours = codecsOf(offered, audio.codecs);
  const names = ours.map(({ name }) => name);
  const theirs = isUsable(line) ? codecsOf(line, names) : [];
  const codec = theirs[0];
  if (!codec) throw noCodec(answered, names);
  const event = eventClockRates(codec.name).flatMap((clockRate) => {
    const payloadType = telephoneEventOf(line, clockRate);
    const receives = telephoneEventOf(offered, clockRate);
    return payloadType === undefined || receives === undefined ? [] : [{ payloadType, receives, clockRate }];
  })[0];
  const receives = [
    ...ours.filter(({ name }) => theirs.some((format) => format.name === name)),
    ...(event ? [{ payloadType: event.receives, name: 'telephone-event' as const }] : []),
    ...theirs,
    ...(event ? [{ payloadType: event.payloadType, name: 'telephone-event' as const }] : []),
  ];
  const media = negotiate(line, codec, event && { payloadType: event.payloadType, clockRate: event.clockRate }, audio);
  return { ...media, direction: directionBetween(offered.direction, line), receives: firstOfEach(receives) };
}

/** A number stands for what it was given to first. */
function firstOfEach(formats: readonly ReceivedFormat[]): ReceivedFormat[] {
  return formats.filter(({ payloadType }, n) => formats.findIndex((other) => other.payloadType === payloadType) === n);
}

function choose(
  offered: MediaDescription[],
  { codecs }: AudioOptions,
): { index: number; line: MediaDescription; codec: CodecFormat } {
  for (const [index, line] of offered.entries()) {
    const codec = isUsable(line) ? codecsOf(line, codecs)[0] : undefined;
    if (codec) return { index, line, codec };
  }
  throw noCodec(offered, codecs);
}

function isUsable(line: MediaDescription): boolean {
  return line.kind.toLowerCase() === 'audio' && line.port !== 0 && /^RTP\/AVPF?$/i.test(line.protocol);
}

function negotiate(
  line: MediaDescription,
  { name, payloadType }: CodecFormat,
  telephoneEvent: NegotiatedMedia['telephoneEvent'],
  audio: AudioOptions,
): NegotiatedMedia {
  if (line.address === undefined) throw invalid('its audio has no c= line');
  const opus = name === 'opus' ? { opus: opusSettings(line, payloadType, audio.opus) } : {};
  const receives: ReceivedFormat[] = [{ payloadType, name }];
  if (telephoneEvent) receives.push({ payloadType: telephoneEvent.payloadType, name: 'telephone-event' });
  return {
    remote: { address: line.address, port: line.port },
    codec: { name, payloadType, clockRate: clockRateOf(name), ...opus },
    telephoneEvent,
    receives,
    ptime: packetTime(name, Math.min(line.ptime ?? DEFAULT_PTIME_MS, line.maxptime ?? Number.POSITIVE_INFINITY)),
    direction: directionBetween('sendrecv', line),
  };
}

/** Ours, where `ours` is what we would. */
function directionBetween(ours: MediaDirection, { address, direction }: MediaDescription): MediaDirection {
  // Hold as RFC 2543 knew it: an address that nothing can be sent to.
  const unreachable = address === '0.0.0.0' || address === '::';
  return directionOf(sends(ours) && listens(direction) && !unreachable, listens(ours) && sends(direction));
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

function acceptedLine(
  line: MediaDescription,
  { codec, telephoneEvent, ptime, direction }: NegotiatedMedia,
  local: LocalMedia,
  audio: AudioOptions,
): string {
  const types = telephoneEvent ? [codec.payloadType, telephoneEvent.payloadType] : [codec.payloadType];
  const lines = [`m=audio ${local.port} ${line.protocol} ${types.join(' ')}`, ...codecLines(codec, audio.opus.dtx)];
  if (telephoneEvent) lines.push(...eventLines(telephoneEvent.payloadType, telephoneEvent.clockRate));
  lines.push(`a=ptime:${ptime}`, `a=${direction}`);
  return lines.join('\r\n');
}

function refusedLine(line: MediaDescription): string {
  return `m=${line.kind} 0 ${line.protocol} ${line.formats.join(' ')}`;
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
