import { digitRuns } from '../../text/digits.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import { yesNo } from '../../text/yes-no.js';
import type { Slot } from '../file/topics.js';
import { dateIn } from './dates.js';
import { readDigits } from './digits-answer.js';
import { emailIn, spelledIn } from './letters.js';
import { introducedName, nameIn } from './names.js';
import { type Reading, reading } from './reading.js';
import { spokenDate, spokenDigits, spokenEmail, spokenLetters } from './spoken.js';

/** Without a known length, a number in a sentence is meant as one from this many digits on. */
const LEAST_UNASKED_DIGITS = 3;

/** Reads the answer to a slot's question. `partial` is what earlier answers gave of it. */
export function readSlot(slot: Slot, text: string, partial: string, now: Date): Reading {
  switch (slot.kind) {
    case 'digits':
      return readDigits(text, partial, slot.length);
    case 'spelling':
      return reading((spelledIn(text) ?? /^\s*([\p{L}\d]+)[\s.!?]*$/u.exec(text)?.[1])?.toUpperCase());
    case 'email':
      return reading(emailIn(text));
    case 'name':
      return reading(nameIn(text));
    case 'date':
      return reading(dateIn(text, now));
    case 'yes-no':
      return reading(yesNo(text)?.answer);
    case 'choice':
      return reading(choiceIn(slot, text));
    case 'open':
      return reading(text.trim());
  }
}

/** A slot's value in a sentence that says something else, too: "where is my order 482715". */
export function findSlot(slot: Slot, text: string, now: Date): string | undefined {
  switch (slot.kind) {
    case 'digits': {
      const runs = digitRuns(text, slot.length === undefined ? {} : { lengths: [slot.length] });
      const fits = runs.filter(({ digits }) =>
        slot.length === undefined ? digits.length >= LEAST_UNASKED_DIGITS : digits.length === slot.length,
      );
      return fits.at(-1)?.digits;
    }
    case 'email':
      return emailIn(text);
    case 'date':
      return dateIn(text, now);
    case 'choice':
      return choiceIn(slot, text);
    case 'name':
      return introducedName(text);
    default:
      return undefined;
  }
}

/** How a slot's value is said back. */
export function speakSlot(slot: Slot, value: string): string {
  switch (slot.kind) {
    case 'digits':
      return spokenDigits(value);
    case 'spelling':
      return spokenLetters(value);
    case 'email':
      return spokenEmail(value);
    case 'date':
      return spokenDate(value);
    default:
      return value;
  }
}

/** What recognition and endpointing are told of the answer. `missing` digits are still to come. */
export function expectedOf(slot: Slot, partial = ''): ExpectedAnswer {
  const expected = kindOf(slot, partial);
  return slot.sensitive ? { ...expected, sensitive: true } : expected;
}

function kindOf(slot: Slot, partial: string): ExpectedAnswer {
  if (slot.kind === 'digits') {
    return slot.length === undefined ? { kind: 'digits' } : { kind: 'digits', length: slot.length - partial.length };
  }
  return slot.kind === 'choice' ? { kind: 'open' } : { kind: slot.kind };
}

function choiceIn(slot: Slot, text: string): string | undefined {
  const said = ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\d']+/gu, ' ')
    .trim()} `;
  const found = Object.entries(slot.choices ?? {}).filter(([value, phrases]) =>
    [value, ...phrases].some((phrase) =>
      said.includes(
        ` ${phrase
          .toLowerCase()
          .replace(/[^\p{L}\d']+/gu, ' ')
          .trim()} `,
      ),
    ),
  );
  return found.length === 1 ? found[0]?.[0] : undefined;
}
