/** A question to the example agents, and what an answer to it must speak of (agents/orders/opening-hours.md). */
export const OPENING_HOURS = {
  question: 'What are your opening hours?',
  answer: /\b(nine|9|seven|7|monday|saturdays?|sundays?)\b/i,
};
