/** A piece of a line: words, or a pause inside it. */
type Piece = string | { pause: string };

/** One caller: whom they dial and what they say, a line a turn. */
export interface CallLines {
  number: string;
  lines: Piece[][];
}

/**
 * The fixed script: 30 turns of 6 callers, at both example agents. In every third turn the caller pauses inside, for
 * 0.3 to 0.9 s, as people do when they look something up or think.
 */
export const FULL: readonly CallLines[] = [
  {
    number: '8001',
    lines: [
      ['What are your opening hours?'],
      ['Where is my order?'],
      ['My order number is', { pause: '600ms' }, 'one two three four five six.'],
      ['How much does shipping cost?'],
      ['Thank you.'],
    ],
  },
  {
    number: '8001',
    lines: [
      ['How can I send something back,', { pause: '300ms' }, 'if it does not fit?'],
      ['Can I pay with a credit card?'],
      ['Do you ship to other countries?'],
      ['And how long', { pause: '500ms' }, 'does the delivery take?'],
      ['Are you open on Sunday?'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['When are you open?'],
      ['I would like to', { pause: '900ms' }, 'ask about parking at the clinic.'],
      ['Where can I find you?'],
      ['Do I need a referral?'],
      ['What should I bring', { pause: '400ms' }, 'to my first appointment?'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['Do you take my insurance?'],
      ['How do I get a new prescription?'],
      ['What happens if I', { pause: '700ms' }, 'have to cancel my appointment?'],
      ['Are you open on Saturday?'],
      ['What is your address?'],
    ],
  },
  {
    number: '8001',
    lines: [
      ['My parcel is,', { pause: '800ms' }, 'well, it has not arrived yet.'],
      ['Do you have a shop that I can visit?'],
      ['Is there a warranty?'],
      ['I want to know when', { pause: '300ms' }, 'you are open on Friday.'],
      ['How do I return an item?'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['Can I come without an appointment?'],
      ['How long', { pause: '500ms' }, 'do I have to wait?'],
      ['Is there parking?'],
      ['Which doctors work at the clinic?'],
      ['And what are', { pause: '600ms' }, 'your opening hours on Monday?'],
    ],
  },
];

/** Eight turns of two callers, short questions. */
export const QUICK: readonly CallLines[] = [
  {
    number: '8001',
    lines: [
      ['What are your opening hours?'],
      ['How long', { pause: '500ms' }, 'does the delivery take?'],
      ['Can I pay with a credit card?'],
      ['Is there a warranty?'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['When are you', { pause: '300ms' }, 'open?'],
      ['Is there parking?'],
      ['Do I need', { pause: '900ms' }, 'a referral?'],
      ['What is your address?'],
    ],
  },
];
