/*
 * Sounds of Parley's own: a gentle piece for those who wait, and keys of a typist. Both are computed, and loop without a
 * seam: notes that ring beyond the end ring on at the beginning.
 */

/** Seconds of a chord, and chords (MIDI notes): a slow round in F major. */
const CHORD_SECONDS = 3;
const CHORDS = [
  [53, 57, 60, 64],
  [50, 57, 60, 65],
  [46, 53, 58, 62],
  [48, 55, 58, 64],
] as const;
/** Order in which the notes of a chord are plucked, one every half second; an octave up. */
const PATTERN = [0, 2, 1, 3, 2, 1] as const;
const PEAK = 32_767;

/** The piece, 12 s to be looped. @param sampleRate Hz @param peakDb of its loudest sample, dBFS */
export function renderMusic(sampleRate: number, peakDb = -20): Int16Array {
  const out = new Float64Array(CHORDS.length * CHORD_SECONDS * sampleRate);
  for (const [n, chord] of CHORDS.entries()) {
    const begins = n * CHORD_SECONDS;
    for (const note of chord) ring(out, sampleRate, begins, note, 0.35, 0.5, 2.2);
    for (const [k, index] of PATTERN.entries()) ring(out, sampleRate, begins + k / 2, chord[index] + 12, 1, 0.012, 0.7);
  }
  return scaled(out, peakDb);
}

/**
 * Somebody types, softly: 6 s to be looped. A key is a few ms of two dull, inharmonic knocks, too short and too low to
 * be a voice.
 */
export function renderTyping(sampleRate: number, peakDb = -34): Int16Array {
  const out = new Float64Array(6 * sampleRate);
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (let at = 0.2; at < 5.6; at += random() < 0.15 ? 0.5 + random() * 0.4 : 0.11 + random() * 0.1) {
    const strength = 0.5 + 0.5 * random();
    knock(out, sampleRate, at, 1900 + 500 * random(), strength, 0.003);
    knock(out, sampleRate, at + 0.002, 420 + 120 * random(), strength, 0.006);
  }
  return scaled(out, peakDb);
}

/** Adds a note that swells within `attack` and dies away with the time constant `decay`, s. */
function ring(
  out: Float64Array,
  rate: number,
  at: number,
  note: number,
  peak: number,
  attack: number,
  decay: number,
): void {
  const turn = (2 * Math.PI * 440 * 2 ** ((note - 69) / 12)) / rate;
  const begins = Math.round(at * rate);
  const length = Math.round((attack + 6 * decay) * rate);
  // The sine is a vector turned on from sample to sample, the decay a factor: no function of Math in millions of samples.
  const [turnCos, turnSin, fade] = [Math.cos(turn), Math.sin(turn), Math.exp(-1 / (decay * rate))];
  let [sine, cosine, level] = [0, 1, 1];
  for (let n = 0, at = begins % out.length; n < length; n++) {
    const swelling = n < attack * rate;
    const swell = swelling ? 0.5 - 0.5 * Math.cos((Math.PI * n) / (attack * rate)) : level;
    if (!swelling) level *= fade;
    const last = n > length - rate * 0.02 ? (length - n) / (rate * 0.02) : 1;
    out[at]! += peak * swell * last * sine * (1 + 0.5 * cosine + 0.06 * (3 - 4 * sine * sine));
    const turned = sine * turnCos + cosine * turnSin;
    cosine = cosine * turnCos - sine * turnSin;
    sine = turned;
    if (++at === out.length) at = 0;
  }
}

function knock(out: Float64Array, rate: number, at: number, hz: number, peak: number, decay: number): void {
  const begins = Math.round(at * rate);
  for (let n = 0; n < 8 * decay * rate; n++) {
    const t = n / rate;
    const rise = Math.min(1, t / 0.0005);
    out[(begins + n) % out.length]! += peak * rise * Math.exp(-t / decay) * Math.sin(2 * Math.PI * hz * t);
  }
}

function scaled(sound: Float64Array, peakDb: number): Int16Array {
  let peak = 0;
  for (let n = 0; n < sound.length; n++) peak = Math.max(peak, Math.abs(sound[n]!));
  const factor = (PEAK * 10 ** (peakDb / 20)) / peak;
  return Int16Array.from(sound, (value) => Math.round(value * factor));
}
