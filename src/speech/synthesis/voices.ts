import type { Synthesiser, VoiceSettings } from './synthesiser.js';

/** One of an engine's voices. */
export type Voice = Synthesiser['capabilities']['voices'][number];

/** The voice that settings mean: the one named, else the first of the gender asked for, else the engine's first. */
export function chooseVoice(voices: readonly Voice[], settings: Pick<VoiceSettings, 'voice' | 'gender'>): Voice {
  const named = voices.find((voice) => voice.name === settings.voice);
  const chosen = named ?? voices.find((voice) => voice.gender === settings.gender) ?? voices[0];
  if (!chosen) throw new RangeError('an engine needs at least one voice');
  return chosen;
}
