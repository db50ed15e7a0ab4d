/** Samples that sound risen or fading at the edge of a pause: 5 ms. */
const FADE = 40;
const FRAME = 160;
/** Frames of silence sound alike everywhere: only louder ones tell a place, mean of the samples' magnitudes. */
const TELLING = 60;

/** What of a clip was played, sample by sample. */
export interface Played {
  /** Samples of the clip that were never played, at the end or left out in between. */
  missing: number;
  /** Samples that a resume played again. */
  repeated: number;
  /** Where it went on after a pause. */
  resumes: number;
}

/**
 * Follows a clip through what was received of it, in whole frames as they were sent: each frame is either what comes
 * next in the clip, exactly, or it belongs to a pause, or the clip goes on elsewhere in it, after a rise.
 *
 * @param sound from the clip's first frame on, at full level, 8 kHz
 */
export function played(clip: Int16Array, sound: Int16Array): Played {
  const found: Played = { missing: 0, repeated: 0, resumes: 0 };
  let next = 0;
  let furthest = 0;
  for (let at = 0; at + FRAME <= sound.length && next < clip.length; at += FRAME) {
    if (same(clip, next, sound, at, FRAME)) next += FRAME;
    else {
      const place = placeOf(clip, sound, at + FADE, next);
      if (place === undefined) continue;
      found.resumes++;
      found.repeated += Math.max(0, furthest - place);
      found.missing += Math.max(0, place - furthest);
      next = place + FRAME - FADE;
    }
    furthest = Math.max(furthest, next);
  }
  found.missing += Math.max(0, clip.length - furthest);
  return found;
}

/** Where in the clip the rest of a frame stands: the last such place up to `next`, else the first after it. */
function placeOf(clip: Int16Array, sound: Int16Array, at: number, next: number): number | undefined {
  const length = FRAME - FADE;
  const level = sound.subarray(at, at + length).reduce((sum, sample) => sum + Math.abs(sample), 0) / length;
  if (level < TELLING) return undefined;
  for (let place = next; place >= 0; place--) if (same(clip, place, sound, at, length)) return place;
  for (let place = next; place < clip.length; place++) if (same(clip, place, sound, at, length)) return place;
  return undefined;
}

/** Beyond the clip's end anything may follow. */
function same(clip: Int16Array, place: number, sound: Int16Array, at: number, length: number): boolean {
  const count = Math.min(length, clip.length - place);
  for (let n = 0; n < count; n++) if (clip[place + n] !== sound[at + n]) return false;
  return count > 0;
}
