/** Level that speech is brought to: active RMS, dB below full scale. A steady, comfortable telephone level. */
const TARGET_DBFS = -20;
/** Quiet sound is not raised by more than this, so that a breath or a hiss does not become a roar. */
const MAX_GAIN_DB = 20;
/** Where limiting begins, as a share of full scale; above it the curve bends towards full scale and never reaches it. */
const KNEE = 0.7;
const FRAME_MS = 10;
/** Frames this far below the loudest frame are silence. */
const SILENCE_DB = -38;
/** Sound below this is no speech at all. */
const FLOOR_DBFS = -60;

/**
 * Cuts the silence that an engine puts around an utterance and brings it to one level, whatever the voice.
 *
 * @param pcm mono samples; not changed
 * @param keep silence left before and after the sound, ms
 * @returns new samples, and how many were cut from the start
 */
export function trimAndLevel(
  pcm: Int16Array,
  sampleRate: number,
  keep: { lead: number; tail: number },
): { pcm: Int16Array; cut: number } {
  const frame = Math.max(1, Math.round((sampleRate * FRAME_MS) / 1000));
  const powers = framePowers(pcm, frame);
  const loudest = powers.reduce((most, power) => Math.max(most, power), 0);
  if (decibels(loudest) < FLOOR_DBFS)
    return { pcm: pcm.slice(0, samplesOf(keep.lead + keep.tail, sampleRate)), cut: 0 };
  const threshold = loudest * 10 ** (SILENCE_DB / 10);
  const first = powers.findIndex((power) => power >= threshold);
  const last = powers.findLastIndex((power) => power >= threshold);
  const start = Math.max(0, first * frame - samplesOf(keep.lead, sampleRate));
  const end = Math.min(pcm.length, (last + 1) * frame + samplesOf(keep.tail, sampleRate));
  const active = powers.filter((power) => power >= threshold);
  const rms = active.reduce((sum, power) => sum + power, 0) / active.length;
  const gain = 10 ** (Math.min(MAX_GAIN_DB, TARGET_DBFS - decibels(rms)) / 20);
  return { pcm: amplify(pcm.subarray(start, end), gain), cut: start };
}

function samplesOf(ms: number, sampleRate: number): number {
  return Math.round((ms * sampleRate) / 1000);
}

/** Mean square of each whole or partial frame, 1 for a full-scale square wave. */
function framePowers(pcm: Int16Array, frame: number): number[] {
  const powers: number[] = [];
  for (let at = 0; at < pcm.length; at += frame) {
    const end = Math.min(pcm.length, at + frame);
    let sum = 0;
    for (let index = at; index < end; index++) sum += pcm[index]! ** 2;
    powers.push(sum / (end - at) / 32768 ** 2);
  }
  return powers;
}

function decibels(power: number): number {
  return 10 * Math.log10(Math.max(power, 1e-12));
}

function amplify(pcm: Int16Array, gain: number): Int16Array {
  return pcm.map((sample) => Math.round(32767 * limit((sample / 32768) * gain)));
}

function limit(value: number): number {
  const size = Math.abs(value);
  if (size <= KNEE) return value;
  return Math.sign(value) * (KNEE + (1 - KNEE) * Math.tanh((size - KNEE) / (1 - KNEE)));
}
