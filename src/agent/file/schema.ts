import { z } from 'zod';
import { SPOKEN, UNSPOKEN } from '../../text/languages.js';
import { endpointingConfig, interruptionConfig } from '../../turns/config.js';
import { action } from './actions.js';
import { escalation } from './escalation.js';
import { reasonerConfig } from './reasoner.js';
import { checkReferences } from './references.js';
import { topic } from './topics.js';
import { name, speech, wordings } from './values.js';

const voice = z
  .strictObject({
    engine: z.string().min(1).default('flite').describe('Synthesis engine.'),
    voice: z.string().min(1).optional().describe("The engine's name of a voice; else one is chosen by gender."),
    gender: z.enum(['female', 'male']).optional().describe('Whose voice.'),
    speed: z.number().min(0.5).max(2).default(1).meta({ example: '1.1' }).describe('1 is the usual one.'),
    pitch: z.number().min(50).max(400).optional().meta({ example: '180' }).describe('Mean pitch, Hz.'),
    pronunciations: z
      .array(
        z.strictObject({
          word: z.string().min(1).describe('As it is written.'),
          say: z.string().min(1).describe('As it is spoken.'),
        }),
      )
      .default([])
      .describe('How words are spoken.'),
  })
  .prefault({});

const idle = z
  .strictObject({
    afterMs: z
      .number()
      .int()
      .min(1000)
      .max(120_000)
      .default(7000)
      .meta({ example: '7000' })
      .describe('Silence of the caller before a prompt, ms.'),
    prompts: z
      .array(speech)
      .min(1)
      .default(['Are you still there?', 'I am still here. How can I help?'])
      .describe('Said one after another.'),
    goodbye: speech
      .default("I can't hear you, so I'll hang up now. Please call again. Goodbye.")
      .describe('Said after the last; then the call ends, or a trigger with noInput takes it.'),
  })
  .prefault({});

const limits = z
  .strictObject({
    turnMs: z
      .number()
      .int()
      .min(2000)
      .max(300_000)
      .default(30_000)
      .meta({ example: '30000' })
      .describe('Longest turn of a caller, ms.'),
    callMs: z
      .number()
      .int()
      .min(10_000)
      .max(14_400_000)
      .default(1_200_000)
      .meta({ example: '1200000' })
      .describe('Longest call, ms.'),
    farewell: speech
      .default('We have reached the end of the time for this call. Thank you, and goodbye.')
      .describe('Said when the call has lasted that long.'),
  })
  .prefault({});

const variable = z.strictObject({
  type: z.enum(['string', 'number', 'boolean', 'object']).default('string').describe('Its kind.'),
  description: z.string().default('').describe('For people, and for a language model.'),
  default: z.unknown().optional().describe('Its value where nothing sets it.'),
});

/** What an IVR that forwards the call may set. */
const fromIvr = z
  .strictObject({
    greeting: speech
      .optional()
      .meta({ example: '"Hello. I see that you were asking about {{ivr.about}}. Is that right?"' })
      .describe('Said in place of `greeting` when it is known what the caller wants; "yes" begins that topic.'),
    topics: z
      .record(z.string().min(1), name)
      .default({})
      .describe(
        "The IVR's words for what a caller wants, its topic or a menu's choice, and the topic of this file that each means.",
      ),
  })
  .prefault({});

const fallbacks = z
  .strictObject({
    notUnderstood: z
      .array(speech)
      .min(1)
      .default(["Sorry, I didn't get that. What can I do for you?", 'Sorry, could you say that in other words?'])
      .describe('One for each time in a row; after the last the call goes to a person.'),
    unknown: wordings
      .default(["I'm sorry, I don't know that. Shall I put you through to a person?"])
      .describe('A question that no topic or article answers.'),
    actionFailed: wordings
      .default(["I'm sorry, I can't get to our system at the moment. Shall I put you through to a person?"])
      .describe('An action failed.'),
    slotFailed: wordings
      .default(["I'm sorry, I still didn't get it. Shall I put you through to a person?"])
      .describe('A slot could not be filled.'),
    apology: speech
      .default("I'm sorry, something went wrong on my side. Could you say that again?")
      .describe('Said when the reasoner itself failed.'),
  })
  .prefault({});

const smallTalk = z
  .strictObject({
    hello: wordings.default(['Hello.']).describe('To "hello".'),
    howAreYou: wordings.default(["I'm fine, thank you."]).describe('To "how are you?".'),
    thanks: wordings.default(["You're welcome."]).describe('To "thank you".'),
    goodbye: wordings.default(['Thank you for calling. Goodbye.']).describe('To "goodbye"; then the call ends.'),
    canYouHear: wordings.default(['Yes, I can hear you.']).describe('To "can you hear me?".'),
    areYouHuman: wordings
      .default(["I'm an automated assistant. Ask for a person at any time."])
      .describe('To "are you a person?".'),
    help: wordings.default(['Just tell me in your own words what you need.']).describe('To "what can you do?".'),
    sorry: wordings.default(["I'm sorry about that."]).describe('To a complaint.'),
  })
  .prefault({});

const phrases = z
  .strictObject({
    readBack: speech.default('I heard {{value}}. Is that right?').describe('A value is read back, with {{value}}.'),
    goOn: wordings.default(['Go on.', 'And then?']).describe('After part of a number.'),
    wrongLength: speech
      .default('I need {{length}} digits, and I heard {{value}}.')
      .describe('A value of the wrong length, with {{length}} and {{value}}.'),
    notCaught: wordings
      .default(["Sorry, I didn't catch that."])
      .describe('In front of a question: nothing useful was heard.'),
    sayAgain: wordings.default(['All right.']).describe('In front of a question: the value was wrong.'),
    yesOrNo: wordings.default(['Please say yes or no.']).describe('In front of a question: neither yes nor no.'),
    cancelled: wordings.default(["All right, I've stopped that. What else can I do?"]).describe('After "never mind".'),
    resume: wordings
      .default(['Now, back to your request.'])
      .describe('In front of a question that was put off by another one.'),
    anythingElse: wordings.optional().describe('After every answer; not said when left out.'),
    nothingToRepeat: wordings
      .default(["I haven't said anything yet. How can I help?"])
      .describe('To "say that again" before anything was said.'),
    howCanIHelp: wordings.default(['How can I help?']).describe('After small talk.'),
    more: wordings.default(['Anything else?']).describe('After thanks.'),
    declined: wordings.default(['All right. What else can I do?']).describe('After a no.'),
    withoutIt: wordings
      .default(["I can't go on without it. Shall I put you through to a person?"])
      .describe('The caller does not have what was asked for.'),
    goAhead: wordings.default(['Of course. What is it?']).describe('To a yes that answers nothing.'),
    afterYou: speech.default('Sorry, go ahead.').describe('Caller and agent began to speak at once, and both stopped.'),
    oneMoment: wordings.default(['Take your time.']).describe('To "hold on".'),
    bearWithMe: speech
      .default('One moment, please.')
      .describe('Recognition has to begin again, and the answer takes longer.'),
  })
  .prefault({});

const working = z
  .strictObject({
    sound: z.enum(['none', 'typing']).default('none').describe('`typing`: somebody at a keyboard.'),
    afterMs: z
      .number()
      .int()
      .min(0)
      .max(10_000)
      .default(800)
      .meta({ example: '800' })
      .describe('An action that takes no longer is not heard, ms.'),
  })
  .prefault({});

/** An agent file. Reference: docs/reference/agent-file.md. */
export const agentFile = z
  .strictObject({
    name: name.meta({ example: 'orders' }).describe('What the dialplan calls it.'),
    language: z
      .string()
      .regex(SPOKEN, UNSPOKEN)
      .default('en-US')
      .meta({ example: 'en-US' })
      .describe('What it speaks and understands.'),
    voice: voice.describe('How it sounds.'),
    greeting: speech.meta({ example: '"Hello, this is the order desk. How can I help?"' }).describe('Its first words.'),
    fromIvr: fromIvr.describe('What an IVR that forwards the call may set.'),
    idle: idle.describe('What a silent caller hears.'),
    limits: limits.describe('How long turns and calls may be.'),
    endpointing: endpointingConfig.describe(
      'How patient it is: quick, balanced, patient, or times of your own over balanced.',
    ),
    interruption: interruptionConfig,
    speculation: z
      .boolean()
      .default(true)
      .describe('Whether answers are prepared in pauses, before the turn is certainly over.'),
    reasoner: reasonerConfig.describe('What answers: builtin, from this file, or a language model.'),
    variables: z
      .record(name, variable)
      .default({})
      .describe('What is known of the call beside slots and results: from headers, the dialplan, or an IVR.'),
    topics: z.array(topic).default([]).describe('What callers want.'),
    vocabulary: z
      .array(z.string().min(1))
      .default([])
      .meta({ example: '[Garden House, teak bench]' })
      .describe('What callers may say besides topics, choices and names: products, places, short phrases.'),
    knowledge: z
      .array(z.string().min(1))
      .default([])
      .meta({ example: '[orders/*.md]' })
      .describe('Markdown files, relative to the agent file; "*" stands for any part of a file name.'),
    actions: z.array(action).default([]).describe('What the agent can do: functions of yours, or HTTP requests.'),
    working: working.describe('What callers hear while an action runs.'),
    escalation: escalation.describe('How, when and to whom calls are handed.'),
    fallbacks: fallbacks.describe('Said when something does not work.'),
    smallTalk: smallTalk.describe('Answers to small talk.'),
    phrases: phrases.describe('Wordings of the dialogue itself.'),
  })
  .superRefine(checkReferences);

/** What can be written in an agent file. */
export type AgentFileInput = z.input<typeof agentFile>;

/** An agent file's content, defaults filled in. */
export type AgentFile = z.output<typeof agentFile>;
