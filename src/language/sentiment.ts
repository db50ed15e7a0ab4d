import { SentimentIntensityAnalyzer } from 'vader-sentiment';

/*
 * How a caller feels, by their words. VADER (Hutto & Gilbert 2014; npm `vader-sentiment`) knows the feeling words of
 * English, with negation and degree. Two things about calls to a service it can't know: words that name the matter and
 * not the mood ("I lost my card", "no", "credit limit"), which are kept from it, and complaints without a single feeling
 * word ("this is the third time I'm calling"), which are added to what it finds.
 */

/** VADER's own: its sum of valences becomes a score by `sum / sqrt(sum * sum + 15)`. */
const ALPHA = 15;

/** Valences on VADER's scale, -4 to 4, of what callers say without feeling words. */
const PHRASES: readonly (readonly [pattern: RegExp, valence: number])[] = [
  [/\b(?:second|third|fourth|fifth|tenth|hundredth|last) time (?:that )?(?:i|i'm|i am|i've|i have|we)\b/g, -2],
  [
    /\b(?:i|i've|i have|we|we've) (?:already |just )?(?:called|told|explained|said|asked|tried|complained)\b.{0,24}\b(?:times|already|before)\b/g,
    -2,
  ],
  [/\bhow many (?:more )?times\b/g, -2],
  [/\bstill (?:does ?n[o']t|is ?n[o']t|has ?n[o']t|have ?n[o']t|did ?n[o']t|not|nothing|waiting|broken|no)\b/g, -1.8],
  [/\b(?:nobody|no one|no body|none of you)\b(?! (?:else|but))/g, -1.8],
  [/\bwait(?:ing|ed) .{0,20}\b(?:hours?|days?|weeks?|months?|ages|forever|so long)\b/g, -1.8],
  [/\b(?:broken|wrong|late|down|failed|missing|happened|double) again\b/g, -2],
  [/\b(?:not|isn't|wasn't) what i (?:asked|said|wanted|ordered|meant|need)\b/g, -1.6],
  [
    /\byou(?:'re| are)(?: just)? (?:not|n't) (?:helping|listening|understanding)(?: me)?\b|\byou aren't (?:helping|listening)\b/g,
    -2.2,
  ],
  [/\byou (?:people |guys )?(?:don't|do not|never) (?:understand|listen|get it|care|help|call|answer)\b/g, -2],
  [/\b(?:give me|want|need) (?:back )?(?:all )?my money(?: back)?\b/g, -1.4],
  [/\b(?:fed up|sick of|sick and tired|tired of|(?:had|have had) enough|done with (?:this|you))\b/g, -2.8],
  [/\bwast(?:e|ing|ed) (?:of )?(?:my |our )?(?:time|money)\b/g, -2.6],
  [
    /\b(?:are you (?:kidding|joking|serious)|you(?:'ve| have) got to be (?:kidding|joking)|what a joke|this is a joke)(?: me)?\b/g,
    -2.4,
  ],
  [/\b(?:lie|lies|lied|lying) to me\b|\b(?:a|that's) lie\b|\byou(?:'re| are) lying\b/g, -2.4],
  [/\b(?:ripp?(?:ed|ing)? (?:me |us )?off|rip-?off|scam(?:med)?|unacceptable|pathetic)\b/g, -2.8],
  [/\b(?:cancel my contract|switch to another|go somewhere else|take my business)\b/g, -1.6],
  [/\b(?:file|make|lodge) a (?:formal )?complaint\b|\bmy lawyer\b|\bconsumer protection\b/g, -2],
  [/\bnot (?:at all |really )?(?:happy|satisfied|pleased|good enough|acceptable|okay|impressed)\b/g, -2],
  [/\b(?:no problem|no worries|not a problem|don't worry|not bad)(?: at all)?\b/g, 1.2],
  [/\b(?:that|it)(?:'s| is| was) (?:so |really |very )?(?:fast|quick|easy)\b/g, 1.8],
  [/\bexactly what i (?:needed|wanted)\b|\b(?:a )?life ?saver\b|\bmade my day\b/g, 2.6],
];

/** What names the matter of a call, or is said out of habit. */
const NEUTRAL =
  /\b(?:(?:i'?d|i would|would you|would|you'?d) like|like to|no|nope|not thanks|\d+|yes|yeah|yep|sure|okay|ok|please|well|credit|cancel(?:led|ling)?|lost|stolen|problems?|issues?|help|late fee|(?:death|birth) certificate|emergency|pain|sick leave|free|interest|trust|share|bonus|number|warning|alert|block(?:ed)?|dispute|charge(?:d|s)?|debit|debt|poor signal|low|stop|agree|value|luck|kind of|fine|want|dear|sorry|damag(?:e|es|ed)|errors?|mistakes?|wrong|broken?|broke|accident(?:s|al|ally)?|missing|miss(?:ed)?|ill|lower|crash(?:ed|es)?|fraud(?:ulent)?|doubts?|trouble|unable|fail(?:ed|s|ure)?|limited|claims?|accept|kindly|nothing|not today|forg[eo]t|died|dead|dies|solution|no longer|leave|pay|drop(?:ped)?|cut|hard|security|secure(?:d)?|insurance|protect(?:ion)?|refund|(?:that|it|this)(?:.s| is) (?:wrong|right|correct))\b/g;

/** Score from which a turn counts as negative, and from which as positive. */
const LEAST = 0.2;

/**
 * How a caller's words sound: -1 (very unhappy) to 1 (very happy), 0 when they tell nothing.
 *
 * @param text one turn, any case and punctuation; English
 */
export function sentimentOf(text: string): number {
  let rest = text.toLowerCase().replace(/[’`]/g, "'");
  let sum = 0;
  for (const [pattern, valence] of PHRASES) {
    rest = rest.replace(pattern, () => {
      sum += valence;
      return ' ';
    });
  }
  const { compound } = SentimentIntensityAnalyzer.polarity_scores(rest.replace(NEUTRAL, ' '));
  sum += compound * Math.sqrt(ALPHA / Math.max(1e-3, 1 - compound * compound));
  return Math.round((100 * sum) / Math.sqrt(sum * sum + ALPHA)) / 100;
}

/** What a score says in a word. */
export function moodOf(score: number): 'negative' | 'neutral' | 'positive' {
  return score <= -LEAST ? 'negative' : score >= LEAST ? 'positive' : 'neutral';
}
