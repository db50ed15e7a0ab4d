/** How a key came: as an RTP event, by SIP INFO, or as tones in the audio. */
export type KeySource = 'rfc4733' | 'info' | 'inband';

interface Press {
  digit: string;
  /** monotonicMs(). */
  from: number;
  to: number;
  /** Who has reported it. */
  sources: Set<KeySource>;
}

/** A report may come so much after the key was released, by what way ever: INFO takes its own route, ms. */
const LATE_MS = 750;
/** What is further back than the longest press and its last report is forgotten, ms. */
const KEPT_MS = 12_000;

/**
 * Joins the ways that keys come on one call: a key that is told two or three times is one press. Each way tells of a
 * press once, so a second report of the same way is always a second press; a report of another way belongs to the first
 * press of that digit that this way has not told of yet, if both were held at about the same time.
 */
export class DigitMerge {
  private presses: Press[] = [];

  /**
   * A key was reported.
   *
   * @param at when its release was reported, monotonicMs()
   * @param durationMs how long it was held
   * @returns whether it is a press not known of before
   */
  isNew(source: KeySource, digit: string, at: number, durationMs: number): boolean {
    this.presses = this.presses.filter((press) => at - press.to < KEPT_MS);
    const from = at - durationMs;
    const known = this.presses.find(
      (press) =>
        press.digit === digit && !press.sources.has(source) && from <= press.to + LATE_MS && press.from <= at + LATE_MS,
    );
    known?.sources.add(source);
    if (!known) this.presses.push({ digit, from, to: at, sources: new Set([source]) });
    return known === undefined;
  }
}
