import { passesLuhn } from '../telemetry/redact.js';
import { digitRuns } from '../text/digits.js';
import type { JournalEvent } from './events.js';

/** What stands in a journal for one digit or letter that nobody is to read. */
const HIDDEN = '*';
/** A key that was pressed while keys are secret; `*` is a key itself. */
const HIDDEN_KEY = 'x';
/** In place of a whole text or value. */
const WITHHELD = '***';
/** Shorter values are found in too many texts by chance. */
const LEAST_VALUE = 3;
/** Events that hold the caller's words, besides `caller.…`. */
const OF_THE_CALLER = new Set(['turn.decision', 'backchannel', 'interruption', 'speculation']);
/** Where in an event words stand that somebody said. */
const SAID = new Set(['text', 'stable', 'planned', 'heard']);
/** Card numbers have so many digits (ISO/IEC 7812). */
const CARD = { least: 13, most: 19 };

/**
 * Takes out of one call's events what must not be stored, before they are events of the journal: what is said, keyed
 * and repeated while something sensitive is asked for; the values of sensitive slots wherever they come up later, in
 * figures or words; and anything that is a card number by its check digit.
 */
export class EventMask {
  private on = false;
  private digits = true;
  /** Values to be hidden, letters and digits only, lower case. */
  private readonly values = new Set<string>();

  /** @param names variables whose values are secret */
  constructor(private readonly names: ReadonlySet<string>) {}

  /** From now on (or no longer) what is said is for nobody else. @param digits it is a number: other words may stay */
  sensitive(on: boolean, digits: boolean): void {
    this.on = on;
    this.digits = digits;
  }

  /** The event without what must not be stored; the event itself where there is nothing of that. */
  mask(event: JournalEvent): JournalEvent {
    if ('name' in event && 'value' in event && this.names.has(event.name)) {
      this.hide(event.value);
      return { ...event, value: WITHHELD };
    }
    if (event.type === 'supervisor.whispered') this.hideTold(event.text);
    if (event.type === 'dtmf') return this.on ? { ...event, digit: HIDDEN_KEY } : event;
    const heard = event.type.startsWith('caller.') || OF_THE_CALLER.has(event.type);
    return this.walk(event, heard) as JournalEvent;
  }

  /** Values of secret variables in `name: value`. */
  private hideTold(text: string): void {
    for (const name of this.names) this.hide(new RegExp(`\\b${name}\\s*[:=]\\s*([^;,\\n]+)`).exec(text)?.[1]);
  }

  /** The text of an error without what must not be read in a log. */
  masked(text: string): string {
    return this.text(text, false, '');
  }

  /** Hides this value from now on, wherever it comes up. */
  hide(value: unknown): void {
    const plain = plainOf(String(value ?? ''));
    if (plain.length >= LEAST_VALUE) this.values.add(plain);
  }

  /** The same value with every text in it masked; the same object when nothing was. */
  private walk(value: unknown, heard: boolean, key = ''): unknown {
    if (typeof value === 'string') return key === 'type' || key === 'time' ? value : this.text(value, heard, key);
    if (typeof value === 'number') return this.values.has(String(value)) ? WITHHELD : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => this.walk(each, heard));
    const entries = Object.entries(value).map(([name, each]) => [name, this.walk(each, heard, name)] as const);
    return Object.fromEntries(entries);
  }

  private text(text: string, heard: boolean, key: string): string {
    const said = SAID.has(key);
    if (this.on && heard && said && !this.digits && text !== '') return WITHHELD;
    const everything = this.on && said;
    let masked = '';
    let at = 0;
    for (const { digits, start, end } of digitRuns(text, { asked: everything })) {
      if (!everything && !this.secret(digits)) continue;
      masked += text.slice(at, start) + HIDDEN.repeat(digits.length);
      at = end;
    }
    return this.hideSpelled(masked + text.slice(at));
  }

  private secret(digits: string): boolean {
    if (digits.length >= CARD.least && digits.length <= CARD.most && passesLuhn(digits)) return true;
    for (const value of this.values) if (digits.includes(value)) return true;
    return false;
  }

  /** Values that are no numbers, whole or letter by letter ("A, N, N"). */
  private hideSpelled(text: string): string {
    let hidden = text;
    for (const value of this.values) {
      const pattern = [...value].map((sign) => sign.replace(/[^\p{L}\p{N}]/u, '\\$&')).join('[^\\p{L}\\p{N}]{0,3}');
      hidden = hidden.replace(new RegExp(`(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])`, 'giu'), WITHHELD);
    }
    return hidden;
  }
}

function plainOf(value: string): string {
  return value.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}
