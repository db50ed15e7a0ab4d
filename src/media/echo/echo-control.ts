import { AdaptiveFilter } from './adaptive-filter.js';
import { Blocks } from './blocks.js';
import { DelayFinder } from './delay-finder.js';
import type { EstimateBudget } from './estimate-budget.js';
import { Evidence } from './evidence.js';
import { FarEnd, REACH_MS } from './far-end.js';
import { NearEnd } from './near-end.js';
import { estimatePath, PATH_TAPS } from './path-estimate.js';
import { Suppressor } from './suppressor.js';

/** The echo is put this far into the filter, so that what comes a little earlier is met too, ms. */
const MARGIN_MS = 8;
/** No echo comes back louder than this share of the loudest far end: +2 dB. */
const LOUDEST_ECHO = 1.6;
/** Near end this far below the far end is no echo worth speaking of: -38 dB. */
const FAINT_ECHO = 1.6e-4;
/** Far end that could be heard as an echo: -42 dBFS. */
const FAR_POWER = 32768 ** 2 * 6.3e-5;
/** The line has no echo when nothing came back for so long, ms... */
const CLEAR_MS = 650;
/** ...or when so many steps of the delay finder heard something that was not the far end. */
const CLEAR_STEPS = 16;
/** What makes the delay finder's peak worth a look, and what makes it sure by itself from so many steps on. */
const SUSPECTED = { sharpness: 6.5, mass: 2.6 };
const SURE = { sharpness: 9, mass: 3.2, steps: 8 };
/** Share of the near end that a path explains when it is an echo, and when it certainly is not. */
const EXPLAINED = 0.75;
const UNEXPLAINED = 0.35;
/** Steps over which an echo's delay stays the same when nothing but the finder tells of it on a line that had none. */
const STEADY_STEPS = 4;
/** Steps from which on the finder's word counts, and those of one look at a line that is known. */
const LEAST_STEPS = 3;
const SPOT_CHECK_STEPS = 16;
/** Blocks of a step of the delay finder. */
const STEP_BLOCKS = 3;
/** Blocks between such looks: a second. */
const SPOT_CHECK_PAUSE = 100;
/** Blocks after which the filter must have taken half of the echo away. */
const PROBATION = 6;
/** Blocks before a suspicion that it is about: as many as the delay finder's window has, and those of its first steps. */
const DOUBTED = 12;

const UNLIMITED = { begin: () => true, done: () => undefined };

/** What {@link EchoControl.stats} tells. */
export interface EchoStats {
  /** The echo's delay, ms; undefined while no echo was found. */
  delayMs: number | undefined;
  /** Echo return loss enhancement: how much quieter the echo is behind the filter and suppressor, dB, smoothed. */
  erleDb: number;
  /** Whether an echo may be coming back now. */
  active: boolean;
  /** Whether the caller speaks over the echo. */
  doubleTalk: boolean;
}

/**
 * Takes the agent's own voice out of what the caller's line brings back, up to 580 ms after it was played. Until an echo is
 * found, audio passes unchanged; while nothing was played lately, it costs next to nothing. Nothing is delayed when packets
 * are whole multiples of 10 ms; once others come, all audio is 10 ms late.
 */
export class EchoControl {
  private readonly far: FarEnd;
  private readonly finder: DelayFinder;
  private readonly filter: AdaptiveFilter;
  private readonly suppressor: Suppressor;
  private readonly block: number;
  private readonly reach: number;
  private readonly margin: number;
  private readonly out: Float32Array;
  private readonly blocks: Blocks;
  private readonly near: NearEnd;
  /** Of the near end, for the finder. */
  private readonly window: Float32Array;
  private readonly spoken: Float32Array;
  private readonly path = new Float32Array(PATH_TAPS);
  private readonly evidence: Evidence;
  /** Position after the newest near sample, and what is added to it for the far-end position of the same moment. */
  private position = 0;
  private offset = Number.NaN;
  private awake = false;
  private line: 'unknown' | 'clear' | 'echo' = 'unknown';
  private delay = 0;
  private quiet = 0;
  /** Of a line that is not known yet: its first words may be the agent's until they were looked at. */
  private verdict = 1;
  private blocksSinceStep = 0;
  /** The finder's delay one step ago, and over how many steps it has been the same. */
  private delayBefore = 0;
  private steady = 0;
  /** A path is to be estimated as soon as the budget has it. */
  private waiting = false;
  /** Blocks in which an echo that was found has to prove itself, and what came and was left in those so far. */
  private probation = 0;
  private tested = 0;
  private failed = 0;
  private unexplained = 0;
  private inputPower = 0;
  private outputPower = 0;

  /**
   * @param sampleRate of all PCM, Hz
   * @param budget of the thread; without one nothing waits
   */
  constructor(
    private readonly sampleRate: 8000 | 16000,
    private readonly budget: Pick<EstimateBudget, 'begin' | 'done'> = UNLIMITED,
  ) {
    this.block = sampleRate / 100;
    this.evidence = new Evidence(this.block);
    this.reach = (sampleRate * REACH_MS) / 1000;
    this.margin = (sampleRate * MARGIN_MS) / 1000;
    this.far = new FarEnd(sampleRate);
    this.finder = new DelayFinder(sampleRate);
    this.filter = new AdaptiveFilter(sampleRate);
    this.suppressor = new Suppressor(sampleRate, this.filter);
    this.out = new Float32Array(this.block);
    this.blocks = new Blocks(this.block, (pcm, at) => this.next(pcm, at));
    this.near = new NearEnd(sampleRate);
    const { recalled } = this.near;
    this.spoken = new Float32Array(recalled.length + PATH_TAPS - 1);
    this.window = recalled.subarray(recalled.length - this.finder.window);
  }

  /** Takes a frame that goes to the wire, silence included, at the moment it is sent. */
  played(frame: Int16Array): void {
    this.far.write(frame);
  }

  /** Takes the caller's next samples and changes them in place. Calls are to follow each other without a gap, or with {@link skip}. */
  process(pcm: Int16Array, samples: number): void {
    this.align(samples);
    this.blocks.process(pcm, samples);
  }

  /** Lets time pass without caller audio: silence or concealment that was written in its place. @param samples of it */
  skip(samples: number): void {
    this.evidence.fill(this.position, this.position + samples, 0);
    this.position += samples;
    this.near.forget();
    this.blocksSinceStep = 0;
    this.waiting = false;
  }

  /**
   * How likely the caller's samples in [from, to), counted from the first one on, hold echo rather than speech: 0 (all of it
   * the caller's own, or nothing was played) to 1. Knows the last 2.5 s.
   */
  likelihood(from: number, to: number): number {
    return this.evidence.mean(from, to, this.position);
  }

  get stats(): EchoStats {
    const echo = this.line === 'echo';
    return {
      delayMs: echo ? Math.round((this.delay * 1000) / this.sampleRate) : undefined,
      erleDb: echo ? 10 * Math.log10((this.inputPower + 1) / (this.outputPower + 1)) : 0,
      active: this.awake,
      doubleTalk: echo && this.awake && this.unexplained > 0,
    };
  }

  /** Sets, and after a stall sets again, which far-end position belongs to the near end's. */
  private align(samples: number): void {
    const gap = this.far.end - (this.position + samples + this.offset);
    const limit = this.sampleRate;
    if (gap < limit && gap > -limit) return;
    this.offset = this.far.end - (this.position + samples);
    if (this.line === 'echo') {
      this.line = 'unknown';
      this.verdict = 1;
    }
    this.awake = false;
  }

  /** One block of 10 ms. */
  private next(pcm: Int16Array, at: number): void {
    const began = this.position;
    this.position += this.block;
    this.near.measure(pcm, at);
    const position = this.position + this.offset;
    if (position - this.far.lastActive > this.reach) {
      this.awake = false;
      this.evidence.set(began, 0);
      return;
    }
    if (!this.awake) this.wake();
    this.near.remember(pcm, at);
    const loudest = this.far.loudest(position - this.reach, position);
    if (this.line === 'echo') this.cancel(pcm, at, position);
    this.listen(loudest);
    if (this.due()) this.search(position);
    else if (this.waiting) this.estimate(position);
    this.evidence.set(began, this.judge(loudest));
  }

  private wake(): void {
    this.awake = true;
    this.near.forget();
    this.forget();
    this.quiet = 0;
    this.blocksSinceStep = 0;
    this.unexplained = 0;
  }

  /** Whether the line shows by its silence that it has no echo. */
  private listen(loudest: number): void {
    if (this.near.heard && this.near.power > loudest * FAINT_ECHO) this.quiet = 0;
    else if (loudest > FAR_POWER) this.quiet += 10;
    if (this.quiet >= CLEAR_MS) this.clear();
  }

  private clear(): void {
    this.line = 'clear';
    this.verdict = 0;
    this.waiting = false;
  }

  private cancel(pcm: Int16Array, at: number, position: number): void {
    const { block, out, filter, suppressor } = this;
    filter.process(this.near.newest, this.far, position - this.delay + this.margin);
    this.prove();
    suppressor.process(out);
    let power = 0;
    for (let n = 0; n < block; n++) {
      const value = Math.max(-32768, Math.min(32767, Math.round(out[n]!)));
      power += value * value;
      pcm[at + n] = value;
    }
    power /= block;
    const speaking = this.near.heard && suppressor.likelihood < 0.5;
    this.unexplained = speaking ? Math.min(30, this.unexplained + 2) : Math.max(0, this.unexplained - 1);
    if (suppressor.likelihood > 0.8) {
      this.inputPower = 0.98 * this.inputPower + 0.02 * this.near.power;
      this.outputPower = 0.98 * this.outputPower + 0.02 * power;
    }
  }

  /** Whether the delay finder has something to hear: three blocks in which there is more than a known echo. */
  private due(): boolean {
    if (++this.blocksSinceStep < STEP_BLOCKS) return false;
    if (this.near.silentBlocks > 20) this.look();
    if (this.near.silentBlocks >= 6) return false;
    const looked = this.finder.steps >= SPOT_CHECK_STEPS && this.line !== 'unknown';
    if (looked && !(this.line === 'echo' && !this.filter.agrees)) {
      // A known line is looked at again now and then for as long as somebody speaks.
      if (this.blocksSinceStep > SPOT_CHECK_PAUSE) this.look();
      return false;
    }
    this.blocksSinceStep = 0;
    return this.line !== 'echo' || this.unexplained > 0;
  }

  /** Begins to look for an echo anew. */
  private look(): void {
    this.blocksSinceStep = 0;
    if (this.finder.steps > 0) this.forget();
    this.verdict = this.line === 'unknown' ? 1 : 0;
  }

  private forget(): void {
    this.finder.reset();
    this.waiting = false;
  }

  private search(position: number): void {
    const { finder, budget } = this;
    // The first step takes as long as many others.
    const first = finder.steps === 0;
    if (first && !budget.begin()) {
      this.blocksSinceStep = STEP_BLOCKS;
      return;
    }
    finder.push(this.window, this.far, position);
    if (first) budget.done();
    if (finder.steps < LEAST_STEPS) return;
    const { sharpness, mass, steps, delay } = finder;
    this.steady = steps > LEAST_STEPS && Math.abs(delay - this.delayBefore) <= this.margin / 2 ? this.steady + 1 : 0;
    this.delayBefore = delay;
    const suspected = sharpness > SUSPECTED.sharpness || mass > SUSPECTED.mass;
    if (this.line === 'clear') this.doubt(sharpness > SUSPECTED.sharpness && steps <= SURE.steps && this.canBeEcho());
    const turn = steps === LEAST_STEPS || steps % 2 === 0;
    if (this.line === 'echo' ? suspected && this.amiss() : turn && (suspected || steps <= 8)) this.estimate(position);
    if (this.line === 'unknown' && steps > CLEAR_STEPS) this.clear();
  }

  /** Two who begin to speak at once are alike by accident: now here, now there, or before the agent was heard at all. */
  private canBeEcho(): boolean {
    return this.finder.delay >= 0 && this.steady >= Math.min(this.finder.steps - LEAST_STEPS, STEADY_STEPS - 1);
  }

  /**
   * A line without echo that has one all at once cannot be explained yet, as the agent was heard without it a moment ago:
   * until it can, or the suspicion is over, this may be the agent, what was just heard included.
   */
  private doubt(suspected: boolean): void {
    this.verdict = suspected ? 1 : 0;
    if (suspected) this.evidence.fill(this.position - DOUBTED * this.block, this.position, 1);
  }

  /** Whether a filter that leaves something unexplained may have to begin anew: the delay has changed, or now and then. */
  private amiss(): boolean {
    const { delay, steps } = this.finder;
    const moved = Math.abs(delay - this.delay) > this.margin / 2;
    return moved ? steps % 2 === 1 : steps === LEAST_STEPS || steps === 2 * LEAST_STEPS;
  }

  /** Now, or with one of the next blocks. */
  private estimate(position: number): void {
    this.waiting = !this.budget.begin();
    if (this.waiting) return;
    this.try(position);
    this.budget.done();
  }

  /** Judges by how much of the near end a path with this delay explains. */
  private try(position: number): void {
    const { finder, margin, spoken, path, far } = this;
    const { recalled } = this.near;
    const lead = margin / 2;
    const delay = Math.max(0, finder.delay);
    far.copy(position - delay + lead - recalled.length - PATH_TAPS + 1, spoken);
    const explained = estimatePath(recalled, spoken, lead, path);
    const { sharpness, mass, steps } = finder;
    const moved = Math.abs(delay - this.delay) > margin / 2;
    const sharp = steps >= SURE.steps && (sharpness > SURE.sharpness || mass > SURE.mass);
    const stays = this.line !== 'clear' || (finder.delay >= 0 && this.steady >= STEADY_STEPS);
    const sure = sharp && stays && (this.line !== 'echo' || moved);
    if (explained > EXPLAINED || sure) {
      this.lock(delay, position);
      this.probation = sure ? 0 : PROBATION;
      return;
    }
    // Once a path has failed to explain it, this is not the agent's voice, or not only.
    const doubt = Math.max(0, (explained - UNEXPLAINED) / (EXPLAINED - UNEXPLAINED));
    if (this.line === 'unknown') this.verdict = Math.min(this.verdict, doubt);
  }

  /** An echo lies here: the filter starts from the estimate of its path. */
  private lock(delay: number, position: number): void {
    const { filter, suppressor, block, margin } = this;
    const { blocks } = this.near;
    this.line = 'echo';
    this.delay = delay;
    this.quiet = 0;
    suppressor.reset();
    filter.reset();
    filter.seed(this.path, margin - margin / 2);
    for (let n = 0; n < blocks.length; n++) {
      const end = position - (blocks.length - 1 - n) * block;
      filter.process(blocks[n]!, this.far, end - delay + margin);
      suppressor.learn();
    }
    this.forget();
    this.unexplained = 0;
    this.tested = this.failed = 0;
  }

  /** What explained the past must explain what follows: a steady vowel of the caller's may look like the agent's. */
  private prove(): void {
    if (this.probation === 0 || !this.near.heard) return;
    const { error } = this.filter;
    let power = 0;
    for (let n = 0; n < error.length; n++) power += error[n]! * error[n]!;
    this.tested += this.near.power * error.length;
    this.failed += power;
    if (--this.probation > 0 || this.failed < 0.5 * this.tested) return;
    this.line = 'unknown';
    this.verdict = 0;
  }

  /** 0 to 1: whether what was just heard is echo, as far as it can be told by now. */
  private judge(loudest: number): number {
    if (this.line === 'echo') return this.suppressor.likelihood;
    if (this.near.power > loudest * LOUDEST_ECHO) return 0;
    return this.verdict;
  }
}
