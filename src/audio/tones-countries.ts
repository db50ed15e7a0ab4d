import { cadence, type Tone } from './tones.js';

/*
 * Call progress tones by country: ITU-T E.180 Supplement 2 (various tones used in national networks), and for the UK
 * BT SIN 350. Frequencies in Hz, then ms of sound and silence in turns.
 */

/** What a caller hears of a call that is being set up. */
export interface ProgressTones {
  /** The far telephone rings. */
  readonly ringback: Tone;
  readonly busy: Tone;
  /** No line is free: reorder, or congestion. */
  readonly congestion: Tone;
}

function tones(ringback: Tone, busy: Tone, congestion: Tone): ProgressTones {
  return { ringback, busy, congestion };
}

/** 425 Hz, as most of Europe has it: ms of each. */
function european(ring: readonly number[], busy: number, congestion: readonly number[]): ProgressTones {
  return tones(cadence('425', ...ring), cadence('425', busy, busy), cadence('425', ...congestion));
}

const NORTH_AMERICA = tones(cadence('440+480', 2000, 4000), cadence('480+620', 500, 500), cadence('480+620', 250, 250));

/** Every second sound is 10 dB softer. */
const AUSTRALIAN_CONGESTION: Tone = {
  steps: [
    { frequencies: [425], ms: 375 },
    { frequencies: [], ms: 375 },
    { frequencies: [425], levels: [-10], ms: 375 },
    { frequencies: [], ms: 375 },
  ],
  loops: true,
};

/** Countries by what ISO 3166 calls them, in lower case; `uk` as most people write it. */
export const COUNTRY_TONES = {
  us: NORTH_AMERICA,
  ca: NORTH_AMERICA,
  uk: tones(cadence('400+450', 400, 200, 400, 2000), cadence('400', 375, 375), cadence('400', 400, 350, 225, 525)),
  ie: tones(cadence('400+450', 400, 200, 400, 2000), cadence('425', 500, 500), cadence('425', 250, 250)),
  de: european([1000, 4000], 480, [240, 240]),
  fr: tones(cadence('440', 1500, 3500), cadence('440', 500, 500), cadence('440', 250, 250)),
  it: european([1000, 4000], 500, [200, 200]),
  es: european([1500, 3000], 200, [200, 200, 200, 200, 200, 600]),
  nl: european([1000, 4000], 500, [250, 250]),
  be: european([1000, 3000], 500, [167, 167]),
  ch: european([1000, 4000], 500, [200, 200]),
  at: tones(cadence('420', 1000, 5000), cadence('420', 400, 400), cadence('420', 200, 200)),
  se: european([1000, 5000], 250, [250, 750]),
  no: european([1000, 4000], 500, [200, 200]),
  dk: european([1000, 4000], 500, [200, 200]),
  fi: european([1000, 4000], 300, [200, 200]),
  pl: european([1000, 4000], 500, [500, 500]),
  pt: european([1000, 5000], 500, [200, 200]),
  gr: european([1000, 4000], 300, [200, 200]),
  cz: european([1000, 4000], 330, [165, 165]),
  au: tones(cadence('413+438', 400, 200, 400, 2000), cadence('425', 375, 375), AUSTRALIAN_CONGESTION),
  nz: tones(cadence('400+450', 400, 200, 400, 2000), cadence('400', 500, 500), cadence('400', 250, 250)),
  jp: tones(cadence('400*16', 1000, 2000), cadence('400', 500, 500), cadence('400', 500, 500)),
  in: tones(cadence('400*25', 400, 200, 400, 2000), cadence('400', 750, 750), cadence('400', 250, 250)),
  cn: tones(cadence('450', 1000, 4000), cadence('450', 350, 350), cadence('450', 700, 700)),
  br: european([1000, 4000], 250, [250, 250, 750, 250]),
  mx: european([1000, 4000], 250, [250, 250]),
  cl: tones(cadence('400', 1000, 3000), cadence('400', 500, 500), cadence('400', 200, 200)),
  za: tones(cadence('400*33', 400, 200, 400, 2000), cadence('400', 500, 500), cadence('400', 250, 250)),
  il: tones(cadence('400', 1000, 3000), cadence('400', 500, 500), cadence('400', 250, 250)),
  sg: tones(cadence('425*24', 400, 200, 400, 2000), cadence('425', 750, 750), cadence('425', 250, 250)),
  hk: tones(cadence('440+480', 400, 200, 400, 3000), cadence('480+620', 500, 500), cadence('480+620', 250, 250)),
  tw: tones(cadence('440+480', 1000, 2000), cadence('480+620', 500, 500), cadence('480+620', 250, 250)),
} as const satisfies Record<string, ProgressTones>;

/** A country of {@link COUNTRY_TONES}. */
export type Country = keyof typeof COUNTRY_TONES;
