/** Quieter than this can't begin speech, whatever the detector says: line noise, comfort noise, far-off talk. */
const MINIMAL_LEVEL_DB = -55;

/** A window that is an echo to this extent is no speech of the caller's while the gate is open, either. */
const SURE_ECHO = 0.9;

/** Unvoiced windows that make a pause: shorter ones are stop consonants. */
const PAUSE_WINDOWS = 3;

/** A first window counts when it is speech rather than echo to this extent. */
const STIRRING = 0.75;

/** When window probabilities become speech, and when they stop being it. */
export interface GateOptions {
  /** Probability from which a window counts towards onset; 0.5 is usual. */
  threshold: number;
  /** Probability from which a window still belongs to speech; below the threshold, 0.35 is usual. */
  release: number;
  /** Voiced time that makes an onset, ms. */
  onsetMs: number;
  /** Unvoiced time that makes an offset, ms. */
  offsetMs: number;
  /** Length of a window, ms. */
  windowMs: 32;
}

/** A change of the gate, told in windows back from the end of the one just pushed. */
export interface GateMark {
  type: 'onset' | 'pause' | 'offset';
  /** onset: how long ago speech began; pause, offset: how long ago the last voiced window ended. */
  windowsAgo: number;
}

/**
 * Hysteresis over the detector's window probabilities of one stream: a click is too short for an onset, a stop
 * consonant too short for an offset.
 */
export class SpeechGate {
  private readonly onsetWindows: number;
  private readonly offsetWindows: number;
  private open = false;
  /** Windows since the possible onset, and how many of them reached the threshold, an echo's counted in part. */
  private run = 0;
  private voiced = 0;
  private silent = 0;

  constructor(private readonly options: GateOptions) {
    this.onsetWindows = Math.max(1, Math.round(options.onsetMs / options.windowMs));
    this.offsetWindows = Math.max(1, Math.round(options.offsetMs / options.windowMs));
  }

  /** Whether speech has begun and not ended. */
  get speaking(): boolean {
    return this.open;
  }

  /** Whether the last window holds voice rather than echo, and an onset may come of it. */
  get stirring(): boolean {
    return this.voiced >= STIRRING;
  }

  /**
   * @param probability the detector's, 0 to 1
   * @param levelDb the window's RMS level, dBFS
   * @param echo how likely the window holds the agent's own echo, 0 to 1: the likelier, the less it counts towards onset
   */
  push(probability: number, levelDb: number, echo = 0): GateMark | undefined {
    return this.open ? this.whileOpen(probability, echo) : this.whileClosed(probability, levelDb, echo);
  }

  private whileClosed(probability: number, levelDb: number, echo: number): GateMark | undefined {
    const { threshold, release } = this.options;
    const heard = levelDb >= MINIMAL_LEVEL_DB;
    if (!heard || probability < (this.run === 0 ? threshold : release)) {
      this.run = 0;
      this.voiced = 0;
      return undefined;
    }
    this.run++;
    // What is more echo than speech takes evidence away: a long sentence must not add up to an onset bit by bit.
    if (probability >= threshold) this.voiced = Math.max(0, this.voiced + (echo > 0.5 ? 1 - 2 * echo : 1 - echo));
    // Sums of parts may miss a whole window by a rounding error.
    if (this.voiced < this.onsetWindows - 1e-6) return undefined;
    const windowsAgo = this.run;
    this.open = true;
    this.run = 0;
    this.voiced = 0;
    this.silent = 0;
    return { type: 'onset', windowsAgo };
  }

  private whileOpen(probability: number, echo: number): GateMark | undefined {
    const voiced = probability >= this.options.release && echo < SURE_ECHO;
    this.silent = voiced ? 0 : this.silent + 1;
    if (this.silent < this.offsetWindows) {
      return this.silent === PAUSE_WINDOWS ? { type: 'pause', windowsAgo: this.silent } : undefined;
    }
    this.open = false;
    return { type: 'offset', windowsAgo: this.silent };
  }
}
