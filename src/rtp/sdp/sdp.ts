import { ParleyError } from '../../errors.js';
import {
  CODEC_NAMES,
  type CodecName,
  type MediaDirection,
  type NegotiatedMedia,
  type PcmRate,
  type ReceivedFormat,
} from '../negotiated.js';
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
import {
  acceptSecurity,
  answerSecurity,
  isRtp,
  isSecured,
  misfit,
  offerSecurity,
  policyError,
  type SrtpPolicy,
} from './sdp-security.js';
import { SdpSession } from './sdp-session.js';
import { acceptTransport, answerTransport, type LocalMedia, midOf, offerTransport } from './sdp-transport.js';
import { invalid, type MediaDescription, parseSdp, valuesOf } from './session-description.js';

export { SdpSession };

/** Which codecs we take and offer, in our order, how we use Opus, and what else the media profile says. */
export interface AudioOptions {
  codecs: readonly CodecName[];
  /** Whose order counts in an answer of ours; the offerer's when left out. */
  codecOrder?: 'caller' | 'own' | undefined;
  opus: { bitrate: number; dtx: boolean };
  /** off when left out */
  srtp?: SrtpPolicy;
  /** Of packets that the peer has no wish about, ms; 20 when left out. */
  ptime?: number;
  /** Whether keys are looked for in the sound; auto when left out: where telephone-event was not agreed. */
  inbandDtmf?: 'auto' | 'always' | 'never';
}

const DEFAULT_PTIME_MS = 20;
/** The longest packets that are taken, ms. */
const MAX_PTIME_MS = 60;
const ALL_AUDIO: AudioOptions = { codecs: CODEC_NAMES, opus: { bitrate: 24_000, dtx: false } };

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
export function pcmRates({ codecs }: Pick<AudioOptions, 'codecs'>): PcmRate[] {
  return [...new Set(codecs.map(pcmRateOf))];
}

/**
 * Answers an offer (RFC 3264, 6): the first audio line with a codec in common that is encrypted or not as the policy has
 * it, in the offerer's order of preference or in ours; every other line is refused with port 0 in its place. Where encryption is
 * preferred, an encrypted line comes before a plain one.
 *
 * @throws ParleyError PARLEY_ERR_SDP_INVALID (400), PARLEY_ERR_SDP_NO_CODEC, PARLEY_ERR_SRTP_POLICY (488)
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
  const security = answerSecurity(line, audio.srtp ?? 'off', session);
  const transport = answerTransport(line, local, session);
  const media = {
    ...negotiate(line, codec, events[0], audio),
    ...transport.media,
    ...(security.security && { security: security.security }),
  };
  session.agreed = {
    protocol: line.protocol,
    security: security.security?.kind ?? 'plain',
    ice: media.ice !== undefined,
    rtcpMux: media.rtcpMux === true,
    mid: midOf(line),
  };
  const extra = [...transport.lines, ...security.lines];
  const body = offered
    .map((other, n) => (n === index ? acceptedLine(line, media, local, audio, extra) : refusedLine(other)))
    .join('\r\n');
  return { sdp: session.write(local.address, `${body}\r\n`, transport.sessionLines), media };
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
  const security = offerSecurity(audio.srtp ?? 'off', session);
  const transport = offerTransport(local, session);
  const lines = [
    `m=audio ${local.port} ${security.protocol} ${[...formats, ...events].map(({ payloadType }) => payloadType).join(' ')}`,
    ...formats.flatMap((format) => codecLines(format, audio.opus.dtx)),
    ...events.flatMap(({ payloadType, clockRate }) => eventLines(payloadType, clockRate)),
    `a=ptime:${audio.ptime ?? DEFAULT_PTIME_MS}`,
    `a=maxptime:${MAX_PTIME_MS}`,
    ...transport.lines,
    ...security.lines,
    `a=${direction}`,
  ];
  return session.write(local.address, `${lines.join('\r\n')}\r\n`, transport.sessionLines);
}

/**
 * Takes the peer's answer to an offer of ours. It may number formats in its own way: we send its numbers, and ours come
 * back (RFC 3264, 6.1), or, from some, its own.
 *
 * @throws ParleyError PARLEY_ERR_SDP_INVALID, PARLEY_ERR_SDP_NO_CODEC, PARLEY_ERR_SRTP_POLICY
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
  const security = acceptSecurity(offered, line, audio.srtp ?? 'off');
  return {
    ...media,
    ...acceptTransport(offered, line),
    ...(security && { security }),
    direction: directionBetween(offered.direction, line),
    receives: firstOfEach(receives),
  };
}

/** A number stands for what it was given to first. */
function firstOfEach(formats: readonly ReceivedFormat[]): ReceivedFormat[] {
  return formats.filter(({ payloadType }, n) => formats.findIndex((other) => other.payloadType === payloadType) === n);
}

function choose(
  offered: MediaDescription[],
  { codecs, codecOrder, srtp = 'off' }: AudioOptions,
): { index: number; line: MediaDescription; codec: CodecFormat } {
  const usable = offered.flatMap((line, index) => {
    const common = isUsable(line) ? codecsOf(line, codecs) : [];
    const ours = codecs.flatMap((name) => common.find((format) => format.name === name) ?? []);
    const codec = (codecOrder === 'own' ? ours : common)[0];
    return codec ? [{ index, line, codec, problem: misfit(line, srtp) }] : [];
  });
  const fitting = usable.filter(({ problem }) => problem === undefined);
  const chosen = fitting.find(({ line }) => isSecured(line, srtp)) ?? fitting[0];
  if (chosen) return chosen;
  const problem = usable[0]?.problem;
  throw problem === undefined ? noCodec(offered, codecs) : policyError(srtp, problem);
}

function isUsable(line: MediaDescription): boolean {
  return line.kind.toLowerCase() === 'audio' && line.port !== 0 && isRtp(line);
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
    ptime: packetTime(
      name,
      Math.min(line.ptime ?? audio.ptime ?? DEFAULT_PTIME_MS, line.maxptime ?? Number.POSITIVE_INFINITY),
    ),
    direction: directionBetween('sendrecv', line),
  };
}

/** Ours, where `ours` is what we would. */
function directionBetween(ours: MediaDirection, line: MediaDescription): MediaDirection {
  const { address, direction } = line;
  // Hold as RFC 2543 knew it: an address that nothing can be sent to. With ICE it only is not known yet.
  const unreachable = (address === '0.0.0.0' || address === '::') && valuesOf(line, 'ice-ufrag').length === 0;
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
  extra: readonly string[],
): string {
  const types = telephoneEvent ? [codec.payloadType, telephoneEvent.payloadType] : [codec.payloadType];
  const lines = [`m=audio ${local.port} ${line.protocol} ${types.join(' ')}`, ...codecLines(codec, audio.opus.dtx)];
  if (telephoneEvent) lines.push(...eventLines(telephoneEvent.payloadType, telephoneEvent.clockRate));
  lines.push(`a=ptime:${ptime}`, `a=maxptime:${MAX_PTIME_MS}`, ...extra, `a=${direction}`);
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
