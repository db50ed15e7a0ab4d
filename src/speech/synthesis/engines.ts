import { ParleyError, reasonOf } from '../../errors.js';
import { FLITE_CAPABILITIES, FLITE_VERSION, FliteSynthesiser } from './flite/flite.js';
import type { Synthesiser, VoiceSettings } from './synthesiser.js';
import { chooseVoice } from './voices.js';

/** What is known of an engine before it runs. */
export type EngineFacts = Synthesiser['capabilities'] & {
  /** Changes whenever the same text and settings would give other audio: part of a cached clip's name. */
  version: string;
};

/** What each engine can do, known without loading it, so that agent files are checked when they are read. */
export const ENGINES: Record<string, EngineFacts> = { flite: { ...FLITE_CAPABILITIES, version: FLITE_VERSION } };

/** An engine's row of {@link ENGINES}, undefined for an unknown name. */
export function factsOf(engine: string): EngineFacts | undefined {
  return Object.hasOwn(ENGINES, engine) ? ENGINES[engine] : undefined;
}

/**
 * Loads an engine on this thread, which its work will block: to be called in a speech worker.
 *
 * @throws ParleyError PARLEY_ERR_SYNTHESIS_ENGINE for an unknown name, or when the engine can't be loaded
 */
export async function createSynthesiser(engine: string): Promise<Synthesiser> {
  if (engine !== 'flite') throw unusable(engine, 'there is no engine of this name');
  try {
    return await FliteSynthesiser.load();
  } catch (error) {
    throw unusable(engine, reasonOf(error), error);
  }
}

function unusable(engine: string, reason: string, cause?: unknown): ParleyError {
  const engines = Object.keys(ENGINES).join(', ');
  return new ParleyError('PARLEY_ERR_SYNTHESIS_ENGINE', { engine, reason, engines }, { cause });
}

/** Warnings, in plain words, for settings that the engine can't honour. Empty when all is well. */
export function checkVoice(settings: VoiceSettings): string[] {
  const engine = factsOf(settings.engine);
  if (!engine) {
    return [`there is no synthesis engine "${settings.engine}"; engines: ${Object.keys(ENGINES).join(', ')}`];
  }
  const warnings: string[] = [];
  const chosen = chooseVoice(engine.voices, settings);
  if (settings.voice && chosen.name !== settings.voice) {
    const names = engine.voices.map((voice) => `${voice.name} (${voice.gender}, ${voice.accent})`).join(', ');
    warnings.push(
      `${settings.engine} has no voice "${settings.voice}", "${chosen.name}" speaks instead; voices: ${names}`,
    );
  } else if (settings.voice && settings.gender && chosen.gender !== settings.gender) {
    warnings.push(`voice "${chosen.name}" is ${chosen.gender}, gender "${settings.gender}" is not used`);
  }
  if (settings.pitch !== undefined && !chosen.pitch) {
    warnings.push(`voice "${chosen.name}" speaks at its own pitch, "pitch: ${settings.pitch}" has no effect`);
  }
  if (settings.speed < 0.5 || settings.speed > 2) {
    warnings.push(`speed ${settings.speed} is outside 0.5 to 2, the nearest of the two is used`);
  }
  return warnings;
}
