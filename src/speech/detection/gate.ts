/** Quieter than this can't begin speech, whatever the detector says: line noise, comfort noise, far-off talk. */
const MINIMAL_LEVEL_DB = -55;

/** A window that is an echo to this extent is no speech of the caller's while the gate is open, either. */
const SURE_ECHO = 0.9;

/** Unvoiced windows that make a pause: shorter ones are stop consonants. */
const PAUSE_WINDOWS = 3;

/**
 * What may become an onset: one window that the detector half believes in, or two that are simply loud, since words
 * that begin with a fricative are for 100 ms; neither when more of it may be echo. Loudness of which nothing came is
 * noise or music, and says nothing for the next windows.
 */
const STIR = { windows: 2, distrusted: 60, echo: 0.25, levelDb: -40, overFloorDb: 20, probability: 0.05 };
/** The floor of a line, dBFS, and how fast it rises, dB a window. */
const FLOOR = { leastDb: -70, rise: 0.3 };

/**
 * The detector goes on believing in a voice for some 80 ms after its last sound. What is quieter than this is none,
 * whatever it believes: so far below the utterance's loudest window, or hardly above the floor of a noisy line but
 * clearly below the voice, and never anything loud, dB. A bang counts as loudest for a while only, dB a window.
 */
const QUIET = { belowDb: 35, clearDb: 25, overFloorDb: 3, mostDb: -42, fadeDb: 0.2 };

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
  /** Windows in a row that may become an onset. */
  private stirs = 0;
  private distrusted = 0;
  private floor = -50;
  /** Level of the loudest window since the onset, dBFS. */
  private loudest = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: GateOptions) {
    this.onsetWindows = Math.max(1, Math.round(options.onsetMs / options.windowMs));
    this.offsetWindows = Math.max(1, Math.round(options.offsetMs / options.windowMs));
  }

  /** Whether speech has begun and not ended. */
  get speaking(): boolean {
    return this.open;
  }

  /** Quieter than this, nothing is the voice that speaks, dBFS. */
  get quietDb(): number {
    const { belowDb, clearDb, overFloorDb, mostDb } = QUIET;
    const nearFloor = Math.min(this.loudest - clearDb, this.floor + overFloorDb);
    return Math.min(mostDb, Math.max(this.loudest - belowDb, nearFloor));
  }

  /** Whether an onset may come of the last windows. */
  get stirring(): boolean {
    return !this.open && this.stirs >= STIR.windows;
  }

  /**
   * @param probability the detector's, 0 to 1
   * @param levelDb the window's RMS level, dBFS
   * @param echo how likely the window holds the agent's own echo, 0 to 1: the likelier, the less it counts towards onset
   */
  push(probability: number, levelDb: number, echo = 0): GateMark | undefined {
    this.stir(probability, levelDb, echo);
    return this.open ? this.whileOpen(probability, levelDb, echo) : this.whileClosed(probability, levelDb, echo);
  }

  private stir(probability: number, levelDb: number, echo: number): void {
    const believed = probability >= this.options.release && levelDb >= MINIMAL_LEVEL_DB;
    this.distrusted = Math.max(0, this.distrusted - 1);
    const above = levelDb >= Math.max(STIR.levelDb, this.floor + STIR.overFloorDb) && probability >= STIR.probability;
    const loud = above && this.distrusted === 0;
    const before = this.stirs;
    if (echo > STIR.echo) this.stirs = 0;
    else if (believed) this.stirs = STIR.windows;
    else this.stirs = loud ? this.stirs + 1 : 0;
    if (!this.open && before >= STIR.windows && this.stirs === 0) this.distrusted = STIR.distrusted;
    // A voice is not the line's floor, however long it lasts.
    const rise = this.open && probability >= this.options.release ? 0 : FLOOR.rise;
    this.floor = Math.max(FLOOR.leastDb, Math.min(levelDb, this.floor + rise));
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
    this.loudest = levelDb;
    return { type: 'onset', windowsAgo };
  }

  private whileOpen(probability: number, levelDb: number, echo: number): GateMark | undefined {
    this.loudest = Math.max(levelDb, this.loudest - QUIET.fadeDb);
    const voiced = probability >= this.options.release && echo < SURE_ECHO && levelDb >= this.quietDb;
    this.silent = voiced ? 0 : this.silent + 1;
    if (this.silent < this.offsetWindows) {
      return this.silent === PAUSE_WINDOWS ? { type: 'pause', windowsAgo: this.silent } : undefined;
    }
    this.open = false;
    return { type: 'offset', windowsAgo: this.silent };
  }
}
