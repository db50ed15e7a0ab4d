import type { OpusSettings } from '../../audio/opus.js';
import { CODEC_NAMES, type CodecName, type PcmRate } from '../negotiated.js';
import { type MediaDescription, wholeNumber } from './session-description.js';

/** A codec under a payload type in one description. */
export interface CodecFormat {
  name: CodecName;
  payloadType: number;
}

/** What is fixed about a codec in SDP. */
interface CodecFacts {
  /** As in rtpmap, after the name. */
  encoding: string;
  /** RTP clock, Hz. */
  clockRate: number;
  /** Rate of its sound as we use it, Hz. */
  sampleRate: PcmRate;
  /** The static payload type (RFC 3551, table 4); for a codec without one the dynamic number that we offer. */
  payloadType: number;
}

const FACTS: Readonly<Record<CodecName, CodecFacts>> = {
  opus: { encoding: '48000/2', clockRate: 48_000, sampleRate: 16_000, payloadType: 111 },
  G722: { encoding: '8000', clockRate: 8000, sampleRate: 16_000, payloadType: 9 },
  PCMU: { encoding: '8000', clockRate: 8000, sampleRate: 8000, payloadType: 0 },
  PCMA: { encoding: '8000', clockRate: 8000, sampleRate: 8000, payloadType: 8 },
};

/** Lowest dynamic payload type (RFC 3551, 6). */
const FIRST_DYNAMIC = 96;
/** Key presses by their clock rate, with the payload types that we offer: the numbers everybody uses. */
const EVENT_TYPES: Readonly<Record<number, number>> = { 8000: 101, 48000: 110 };
/** What Opus in a packet may last, ms (RFC 7587, 6.1: ptime), longest first; it has no 30 and no 50. */
const OPUS_PTIMES = [60, 40, 20, 10];
const MIN_PTIME_MS = 10;
const MAX_PTIME_MS = 60;

/** What stands for the codec when we offer it. */
export function ourFormat(name: CodecName): CodecFormat {
  return { name, payloadType: FACTS[name].payloadType };
}

/** RTP clock of the codec, Hz. */
export function clockRateOf(name: CodecName): number {
  return FACTS[name].clockRate;
}

/** Rate of the PCM that a codec deserves, Hz. */
export function pcmRateOf(name: CodecName): PcmRate {
  return FACTS[name].sampleRate;
}

/** The codecs of a media line that are among these, in its order: by rtpmap, else by their static number. */
export function codecsOf(line: MediaDescription, names: readonly CodecName[]): CodecFormat[] {
  return line.formats.flatMap((format) => {
    const codec = codecOf(line, format);
    return codec && names.includes(codec.name) ? [codec] : [];
  });
}

function codecOf(line: MediaDescription, format: string): CodecFormat | undefined {
  const payloadType = wholeNumber(format, 127);
  if (payloadType === undefined) return undefined;
  const encoding = line.rtpmap.get(format);
  const name = CODEC_NAMES.find((known) =>
    encoding === undefined
      ? FACTS[known].payloadType === payloadType && payloadType < FIRST_DYNAMIC
      : isEncoding(encoding, known),
  );
  return name && { name, payloadType };
}

function isEncoding(encoding: string, codec: CodecName): boolean {
  const [name, rate, channels = '1'] = encoding.toUpperCase().split('/');
  if (name !== codec.toUpperCase() || rate !== String(FACTS[codec].clockRate)) return false;
  // Opus is always written with two channels (RFC 7587, 7), which says nothing about its sound.
  return channels === '1' || (codec === 'opus' && channels === '2');
}

/** Payload type of telephone-event at this clock rate. */
export function telephoneEventOf(line: MediaDescription, clockRate: number): number | undefined {
  const wanted = `telephone-event/${clockRate}`;
  const format = line.formats.find((candidate) => line.rtpmap.get(candidate)?.toLowerCase() === wanted);
  return format === undefined ? undefined : wholeNumber(format, 127);
}

/**
 * Clock rates of telephone-event beside a codec, in order of preference, Hz: they should be equal (RFC 4733, 2.1), but
 * many peers know 8000 only.
 */
export function eventClockRates(codec: CodecName): number[] {
  return [...new Set([clockRateOf(codec), 8000])];
}

/** What is to be said of telephone-event beside these codecs in an offer. */
export function ourEvents(codecs: readonly CodecName[]): { payloadType: number; clockRate: number }[] {
  const rates = new Set(codecs.map(clockRateOf));
  return [...rates].flatMap((clockRate) => {
    const payloadType = EVENT_TYPES[clockRate];
    return payloadType === undefined ? [] : [{ payloadType, clockRate }];
  });
}

/** How we send Opus to a peer that says this about it; `ours` is what the configuration allows. */
export function opusSettings(
  line: MediaDescription,
  payloadType: number,
  ours: { bitrate: number; dtx: boolean },
): OpusSettings {
  const wishes = parametersOf(line.fmtp.get(String(payloadType)) ?? '');
  const most = wholeNumber(wishes.get('maxaveragebitrate') ?? '', 510_000) ?? ours.bitrate;
  return {
    bitrate: Math.max(6000, Math.min(ours.bitrate, most)),
    fec: wishes.get('useinbandfec') === '1',
    dtx: ours.dtx,
  };
}

/** `a=1; b=2` of an fmtp. */
function parametersOf(text: string): Map<string, string> {
  const pairs = text.split(';').map((pair) => pair.split('='));
  return new Map(pairs.map(([name = '', value = '']) => [name.trim().toLowerCase(), value.trim()]));
}

/** Packet time for the codec, ms: at most what is wished for, in whole 10 ms and what the codec can. */
export function packetTime(codec: CodecName, wish: number): number {
  const ms = Math.max(MIN_PTIME_MS, Math.min(MAX_PTIME_MS, Math.floor(wish / 10) * 10));
  return codec === 'opus' ? (OPUS_PTIMES.find((most) => most <= ms) ?? MIN_PTIME_MS) : ms;
}

/** The attributes of a codec in a description of ours. */
export function codecLines({ name, payloadType }: CodecFormat, dtx: boolean): string[] {
  const rtpmap = `a=rtpmap:${payloadType} ${name}/${FACTS[name].encoding}`;
  if (name !== 'opus') return [rtpmap];
  // Nothing about FEC: this says what we can make use of, and our decoder can't of that (RFC 7587, 6.1: useinbandfec).
  return [rtpmap, `a=fmtp:${payloadType} minptime=10${dtx ? ';usedtx=1' : ''}`];
}

/** The attributes of telephone-event in a description of ours. */
export function eventLines(payloadType: number, clockRate: number): string[] {
  return [`a=rtpmap:${payloadType} telephone-event/${clockRate}`, `a=fmtp:${payloadType} 0-15`];
}
