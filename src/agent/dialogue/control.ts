/** What callers say about the conversation itself. */
export type Control =
  | 'person'
  | 'repeat'
  | 'cancel'
  | 'goodbye'
  | 'thanks'
  | 'hello'
  | 'how-are-you'
  | 'can-you-hear'
  | 'are-you-human'
  | 'help'
  | 'wait'
  | 'done'
  | 'upset';

const PERSON =
  '(?:person|people|human|human being|someone|somebody|agent|operator|representative|rep|colleague|manager|supervisor|employee|staff|staff member|assistant|nurse|receptionist|customer service|customer support|support|advisor|adviser|consultant)';
const ARTICLE =
  '(?:a |an |the |some |any |one of |your |my |with )*(?:real |live |actual |human |other |different |service |sales )*';

/** These may stand anywhere in what was said: a caller who wants a person gets one. */
const WANTS_PERSON = [
  new RegExp(`\\b(?:speak|talk|chat|spoke|talked) (?:directly )?(?:to|with) ${ARTICLE}${PERSON}\\b`),
  new RegExp(`\\b(?:get|give|find|bring|pass) me ${ARTICLE}${PERSON}\\b`),
  new RegExp(
    `\\b(?:connect|transfer|put|switch|patch|hand) me (?:over |through |back )?(?:to |on to |with )?${ARTICLE}${PERSON}\\b`,
  ),
  new RegExp(
    `\\b(?:want|need|prefer|like|have|get|reach) ${ARTICLE}(?:person|human|agent|operator|representative|real person)\\b`,
  ),
  /\bput me through\b(?! to the (?:website|shop))/,
  /\b(?:real|live|actual) (?:person|human|agent|people)\b/,
];
const NO_PERSON = /\b(?:don't|do not|not|never|no need to|rather not) (?:\w+ ){0,2}(?:want|need|talk|speak|like)\b/;
const ONLY_PERSON = new RegExp(`^(?:no )?${ARTICLE}${PERSON}(?: now)?$`);

/** These must be all that was said. */
const WHOLE: readonly [control: Control, pattern: RegExp][] = [
  [
    'repeat',
    /^(?:what|pardon(?: me)?|come again|repeat|again|(?:what|sorry what|what was that|what did you say|say that again|say it again|repeat that|repeat it|repeat please|can you repeat that|can you say that again|could you repeat that|could you say that again|can you repeat|would you repeat that|please repeat(?: that| it)?|once more|one more time|i (?:didn't|did not|couldn't|could not) (?:hear|understand|catch|get) (?:that|you|it|what you said)|i didn't hear|excuse me)(?: again| please| once more| one more time)?)$/,
  ],
  [
    'cancel',
    /^(?:never mind|nevermind|forget (?:it|that|about it)|cancel(?: that| this)?|stop(?: it| that| this)?|leave it|i changed my mind|let's leave it|drop it|skip it|skip that|don't bother)$/,
  ],
  [
    'goodbye',
    /^(?:(?:\S+ ){0,5}(?:good ?bye|bye(?: bye)?)|(?:good ?bye|bye(?: bye)?|see you(?: later| soon)?|have a (?:nice|good|great) (?:day|one|evening|weekend)|talk to you later|that's all thanks bye|good night|hang up)(?: then| now| bye| goodbye| and goodbye)?)$/,
  ],
  [
    'done',
    /^(?:(?:that's|that is|that was|that will be|that'll be) (?:all|it|everything)(?: i (?:need|needed|wanted))?(?: for (?:now|today))?|nothing(?: else)?|no (?:thanks|thank you)(?: very much| so much| a lot)?|no (?:that's|that is|that was) (?:all|it|everything)(?: for (?:now|today))?|no nothing(?: else)?|i'm (?:good|done|fine|all set)|no i'm (?:good|done|fine|all set)|all good|nothing more)$/,
  ],
  [
    'thanks',
    /^(?:(?:thanks|thank you|thank|cheers|great|perfect|wonderful|cool|awesome|good to know|that's great|that's good|i see|got it|great thanks|thanks a lot|thank you so much|thank you very much|thanks so much|very helpful|much appreciated|alright|all right)(?: that helps| for (?:your help|that)| so much| very much| a lot)?)+$/,
  ],
  [
    'hello',
    /^(?:(?:hello|hi|hey|good (?:morning|afternoon|evening|day)|hi there|hello there|hey there|is anybody there|is anyone there|anybody there)(?: hello| hi| there)?)$/,
  ],
  ['how-are-you', /^(?:(?:hi |hello |hey )?how are you(?: doing)?(?: today)?|how's it going|how do you do)$/],
  [
    'can-you-hear',
    /^(?:(?:hello )?can you hear me(?: now)?|are you (?:still )?there|hello are you there|do you hear me)$/,
  ],
  [
    'are-you-human',
    /^(?:are you (?:a |an )?(?:real |actual )?(?:robot|machine|computer|bot|ai|human|person|real)(?: person| being)?|(?:am i|is this|are you) (?:talking|speaking)?(?: to| with)? ?(?:a |an )?(?:real |actual )?(?:robot|machine|computer|bot|ai|human|person|recording)(?: person| being)?|who am i (?:talking|speaking) (?:to|with)|is this a (?:recording|robot|machine|bot))$/,
  ],
  [
    'help',
    /^(?:help|help me|what (?:else )?can you do(?: for me)?|what can i (?:do|say|ask)(?: here)?|what are my options|how does this work|how can you help(?: me)?|what can you help(?: me)? with|options|menu)$/,
  ],
  [
    'wait',
    /^(?:wait(?: a)?(?: moment| minute| second| sec)?|hold on(?: a)?(?: moment| minute| second| sec)?|hang on(?: a)?(?: moment| minute| second| sec)?|(?:just )?(?:a|one) (?:moment|minute|second|sec)|just a (?:moment|minute|second|sec)|let me (?:see|check|look|think|find it|look it up|get it|have a look)|i (?:have|need) to (?:look it up|find it|look|check|get it)|give me a (?:moment|minute|second|sec)|i'm looking(?: for it)?)$/,
  ],
  [
    'upset',
    /^(?:this is (?:ridiculous|annoying|frustrating|stupid|terrible|unacceptable)|i(?:'m| am) (?:angry|upset|frustrated|annoyed|not happy)|you(?:'re| are) (?:useless|stupid|not helping|no help)|this is not helping|that's ridiculous)$/,
  ],
];

const PADDING =
  /^(?:(?:um|uh|er|erm|hm|oh|well|so|okay|ok|yeah|yes|sorry|please|and|but|actually|no)\b[\s,.]*)+|[\s,.]+(?:please|thanks|thank you|then)$/g;

/** What a text says about the conversation; undefined when it is about something else. */
export function controlOf(text: string): Control | undefined {
  const plain = text
    .toLowerCase()
    .replace(/[’`]/g, "'")
    .replace(/[^\p{L}\d']+/gu, ' ')
    .trim();
  const bare = plain.replace(PADDING, '').trim();
  for (const [control, pattern] of WHOLE) {
    if (pattern.test(plain) || (bare !== '' && pattern.test(bare))) return control;
  }
  if (NO_PERSON.test(plain)) return undefined;
  if (ONLY_PERSON.test(bare) || WANTS_PERSON.some((pattern) => pattern.test(plain))) return 'person';
  return undefined;
}
