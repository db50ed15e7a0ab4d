/**
 * What any caller says to any agent: consent, denial, listening, holding, asking for a person, greeting. Short, and so
 * the first to be misheard. With the marks a writer puts inside; as whole utterances only.
 */
export const EVERYDAY: readonly string[] = [
  ...['yes', 'yeah', 'yep', 'yup', 'yes, please', 'yeah, sure', 'yes, it is', "yes, that's right", 'yes, I do'],
  ...["that's right", "that's correct", 'correct', 'right', 'sure', 'of course', 'absolutely', 'exactly', 'definitely'],
  ...['no', 'nope', 'nah', 'no, thanks', 'no, thank you', 'not really', 'not now', "no, that's wrong", "no, it's not"],
  ...[
    "that's wrong",
    "that's not right",
    "I don't think so",
    "I don't know",
    "I'm not sure",
    'not yet',
    "no, that's all",
  ],
  ...['okay', 'all right', 'alright', 'fine', 'great', 'perfect', 'good', 'go ahead', 'sounds good', 'please do'],
  ...['uh-huh', 'mm-hmm', 'huh', 'hmm', 'I see', 'got it', 'oh, okay', 'really', 'wow', 'makes sense'],
  ...['stop', 'wait', 'wait a minute', 'wait a moment', 'wait a second', 'hold on', 'hold on a second', 'hang on'],
  ...['one moment', 'one moment, please', 'one second', 'just a moment', 'just a second', 'just a minute', 'excuse me'],
  ...['let me check', 'let me see', 'let me look', 'give me a second', 'give me a minute', 'listen', 'be quiet'],
  ...['agent', 'agent, please', 'operator', 'operator, please', 'representative', 'representative, please'],
  ...['a person', 'a person, please', 'speak to a person', 'talk to a person', 'speak to someone', 'talk to someone'],
  ...['speak to an agent', 'talk to an agent', 'speak to a representative', 'customer service', 'a human, please'],
  ...['I want to speak to a person', 'I want to talk to a person', 'can I speak to someone', 'a real person'],
  ...['hello', 'hi', 'hello, are you there', 'can you hear me', 'good morning', 'good afternoon', 'good evening'],
  ...['thank you', 'thanks', 'thank you very much', 'thanks a lot', 'goodbye', 'bye', 'bye-bye', "that's all"],
  ...['sorry', 'pardon', 'what', 'what was that', 'can you repeat that', 'could you repeat that', 'say that again'],
  ...[
    'repeat that, please',
    'one more time',
    'help',
    'what can you do',
    'never mind',
    'forget it',
    'cancel',
    'start over',
  ],
  ...['morning', 'afternoon', 'evening', 'today', 'tomorrow', 'next week', 'in the morning', 'in the afternoon'],
];

/**
 * The commonest of what people say while they listen, as the recogniser writes it: other sounds are near one of them.
 * The judge of bursts (turns/interruption.ts) knows more of them.
 */
export const BACKCHANNELS: readonly string[] = [
  ...['Yeah.', 'Yes.', 'Yep.', 'Okay.', 'Uh-huh.', 'Mm-hmm.', 'Hmm.', 'Oh.', 'Right.', 'All right.', 'Sure.', 'I see.'],
  ...['Got it.', 'Oh, okay.', 'Yeah, yeah.'],
];
