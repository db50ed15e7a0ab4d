/** The neutral voice settings of an agent file. An engine that can't honour one says so when the file is loaded. */
export interface VoiceSettings {
  /** Engine name, `flite` by default. */
  engine: string;
  /** Engine's voice name; else chosen by gender. */
  voice?: string | undefined;
  gender?: 'female' | 'male' | undefined;
  /** 1 is the voice's own speed; 0.5 to 2. */
  speed: number;
  /** Mean pitch in Hz. */
  pitch?: number | undefined;
}

/** When a word is heard inside a clip, in samples from the clip's start. */
export interface WordTime {
  word: string;
  start: number;
  end: number;
}

/** Synthesised speech of one sentence. */
export interface Clip {
  /** Mono signed 16-bit PCM, in shared memory so that it crosses threads without a copy. */
  pcm: Int16Array;
  sampleRate: number;
  /** Times of the words of the text as it was written (before normalising), so that "heard" can be told by samples. */
  words: readonly WordTime[];
}

/** A speech synthesiser, living in a speech worker. */
export interface Synthesiser {
  readonly capabilities: {
    voices: readonly { name: string; gender: 'female' | 'male'; accent: string; pitch: boolean }[];
    sampleRate: number;
    wordTimes: boolean;
    maxCharacters: number;
  };
  /**
   * @param spoken text after the normaliser and the dictionary: words as they are to be spoken
   * @returns the engine's audio at its own rate, with the spoken words' times if it has them
   * @throws ParleyError PARLEY_ERR_SYNTHESIS_FAILED
   */
  synthesise(
    spoken: string,
    settings: VoiceSettings,
  ): Promise<{ pcm: Int16Array; sampleRate: number; words?: WordTime[] }>;
  close(): Promise<void>;
}
