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
      ['It is four eight two', { pause: '600ms' }, 'seven one five.'],
      ['How much is shipping?'],
      ['Do you take credit cards?'],
    ],
  },
  {
    number: '8001',
    lines: [
      ['What is your return policy?'],
      ['No,', { pause: '300ms' }, 'thank you.'],
      ['Do you ship to other countries?'],
      ['And how long', { pause: '500ms' }, 'does delivery take?'],
      ['Are you open on Sunday?'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['When are you open?'],
      ['I would like to know', { pause: '900ms' }, 'where I can park.'],
      ['What is your address?'],
      ['How do I order', { pause: '400ms' }, 'a repeat prescription?'],
      ['Are you open on Saturday?'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['How do I get to the clinic?'],
      ['Can I get a refill?'],
      ['What are your', { pause: '700ms' }, 'office hours?'],
      ['Is there a bus to the clinic?'],
      ['What time do you close?'],
    ],
  },
  {
    number: '8001',
    lines: [
      ['Can I pay', { pause: '800ms' }, 'by invoice?'],
      ['Do you deliver on Saturdays?'],
      ['Is delivery free?'],
      ['Until when', { pause: '300ms' }, 'can I come to the store?'],
      ['Which payment methods do you accept?'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['Do you have parking?'],
      ['I need', { pause: '500ms' }, 'a new prescription.'],
      ['When does the clinic open?'],
      ['Where are you located?'],
      ['And what are', { pause: '600ms' }, 'your opening hours on Monday?'],
    ],
  },
];

/** Eight turns of two callers, about things that are answered briefly. */
export const QUICK: readonly CallLines[] = [
  {
    number: '8001',
    lines: [
      ['Is there a warranty?'],
      ['Can I wash', { pause: '500ms' }, 'the covers?'],
      ['Where is my order?'],
      ['It is four eight two seven one five.'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['I want to book', { pause: '900ms' }, 'an appointment.'],
      ['On Monday.'],
      ['In the morning,', { pause: '300ms' }, 'please.'],
      ['Anna Miller.'],
    ],
  },
];

/** Callers that nothing was tuned on: other words, other answers, other pauses. */
export const OTHER: readonly CallLines[] = [
  {
    number: '8001',
    lines: [
      ['Hi, I have a question about my delivery.'],
      ['Nine zero two', { pause: '400ms' }, 'three three one.'],
      ['Can you send it to a different', { pause: '600ms' }, 'address?'],
      ['No, that is all.'],
    ],
  },
  {
    number: '8001',
    lines: [
      ['I want my money back.'],
      ['Five five one', { pause: '700ms' }, 'eight nine nine.'],
      ['Yes.'],
      ['How long will that take?'],
    ],
  },
  {
    number: '8001',
    lines: [
      ['Is assembly included', { pause: '300ms' }, 'in the price?'],
      ['Which wood is it made of?'],
      ['I bought a bench last week', { pause: '500ms' }, 'and one leg is broken.'],
      ['Okay, thanks a lot.'],
    ],
  },
  {
    number: '8002',
    lines: [
      ["I'd like to see a doctor", { pause: '400ms' }, 'this week.'],
      ['On Thursday.'],
      ['The afternoon', { pause: '600ms' }, 'would be better.'],
      ['Robert Green.'],
    ],
  },
  {
    number: '8002',
    lines: [
      ['Do I have to bring my insurance card?'],
      ['My son has', { pause: '800ms' }, 'a fever.'],
      ['Could you tell me which bus goes there?'],
      ['Great, bye.'],
    ],
  },
];
