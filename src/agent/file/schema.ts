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
    engine: z.string().min(1).default('flite'),
    voice: z.string().min(1).optional(),
    gender: z.enum(['female', 'male']).optional(),
    speed: z.number().min(0.5).max(2).default(1).meta({ example: '1.1' }),
    pitch: z.number().min(50).max(400).optional().meta({ example: '180' }),
    pronunciations: z.array(z.strictObject({ word: z.string().min(1), say: z.string().min(1) })).default([]),
  })
  .prefault({});

const idle = z
  .strictObject({
    afterMs: z.number().int().min(1000).max(120_000).default(7000).meta({ example: '7000' }),
    prompts: z.array(speech).min(1).default(['Are you still there?', 'I am still here. How can I help?']),
    goodbye: speech.default("I can't hear you, so I'll hang up now. Please call again. Goodbye."),
  })
  .prefault({});

const limits = z
  .strictObject({
    turnMs: z.number().int().min(2000).max(300_000).default(30_000).meta({ example: '30000' }),
    callMs: z.number().int().min(10_000).max(14_400_000).default(1_200_000).meta({ example: '1200000' }),
    /** Said when the call has lasted that long. */
    farewell: speech.default('We have reached the end of the time for this call. Thank you, and goodbye.'),
  })
  .prefault({});

const variable = z.strictObject({
  type: z.enum(['string', 'number', 'boolean', 'object']).default('string'),
  description: z.string().default(''),
  default: z.unknown().optional(),
});

/** What an IVR that forwards the call may set. */
const fromIvr = z
  .strictObject({
    /** Said in place of `greeting` when it is known what the caller wants; "yes" begins that topic. */
    greeting: speech
      .optional()
      .meta({ example: '"Hello. I see that you were asking about {{ivr.about}}. Is that right?"' }),
    /** The IVR's words for what a caller wants, its topic or a menu's choice, and the topic of this file that each means. */
    topics: z.record(z.string().min(1), name).default({}),
  })
  .prefault({});

const fallbacks = z
  .strictObject({
    /** One for each time in a row; after the last the call goes to a person. */
    notUnderstood: z
      .array(speech)
      .min(1)
      .default(["Sorry, I didn't get that. What can I do for you?", 'Sorry, could you say that in other words?']),
    unknown: wordings.default(["I'm sorry, I don't know that. Shall I put you through to a person?"]),
    actionFailed: wordings.default([
      "I'm sorry, I can't get to our system at the moment. Shall I put you through to a person?",
    ]),
    slotFailed: wordings.default(["I'm sorry, I still didn't get it. Shall I put you through to a person?"]),
    /** Said when the reasoner itself failed. */
    apology: speech.default("I'm sorry, something went wrong on my side. Could you say that again?"),
  })
  .prefault({});

const smallTalk = z
  .strictObject({
    hello: wordings.default(['Hello.']),
    howAreYou: wordings.default(["I'm fine, thank you."]),
    thanks: wordings.default(["You're welcome."]),
    goodbye: wordings.default(['Thank you for calling. Goodbye.']),
    canYouHear: wordings.default(['Yes, I can hear you.']),
    areYouHuman: wordings.default(["I'm an automated assistant. Ask for a person at any time."]),
    help: wordings.default(['Just tell me in your own words what you need.']),
    sorry: wordings.default(["I'm sorry about that."]),
  })
  .prefault({});

const phrases = z
  .strictObject({
    readBack: speech.default('I heard {{value}}. Is that right?'),
    /** After part of a number. */
    goOn: wordings.default(['Go on.', 'And then?']),
    /** A value of the wrong length. */
    wrongLength: speech.default('I need {{length}} digits, and I heard {{value}}.'),
    notCaught: wordings.default(["Sorry, I didn't catch that."]),
    sayAgain: wordings.default(['All right.']),
    yesOrNo: wordings.default(['Please say yes or no.']),
    cancelled: wordings.default(["All right, I've stopped that. What else can I do?"]),
    /** In front of a question that was put off by another one. */
    resume: wordings.default(['Now, back to your request.']),
    anythingElse: wordings.optional(),
    nothingToRepeat: wordings.default(["I haven't said anything yet. How can I help?"]),
    howCanIHelp: wordings.default(['How can I help?']),
    /** After thanks. */
    more: wordings.default(['Anything else?']),
    declined: wordings.default(['All right. What else can I do?']),
    /** The caller does not have what was asked for. */
    withoutIt: wordings.default(["I can't go on without it. Shall I put you through to a person?"]),
    goAhead: wordings.default(['Of course. What is it?']),
    /** Caller and agent began to speak at once, and both stopped. */
    afterYou: speech.default('Sorry, go ahead.'),
    oneMoment: wordings.default(['Take your time.']),
    /** Recognition has to begin again, and the answer takes longer. */
    bearWithMe: speech.default('One moment, please.'),
  })
  .prefault({});

/** An agent file. Reference: docs/reference/agent-file.md. */
export const agentFile = z
  .strictObject({
    name: name.meta({ example: 'orders' }),
    language: z.string().regex(SPOKEN, UNSPOKEN).default('en-US').meta({ example: 'en-US' }),
    voice,
    greeting: speech.meta({ example: '"Hello, this is the order desk. How can I help?"' }),
    fromIvr,
    idle,
    limits,
    endpointing: endpointingConfig,
    interruption: interruptionConfig,
    /** Whether answers are prepared in pauses, before the turn is certainly over. */
    speculation: z.boolean().default(true),
    reasoner: reasonerConfig,
    variables: z.record(name, variable).default({}),
    topics: z.array(topic).default([]),
    /** What callers may say besides topics, choices and names: products, places, short phrases. */
    vocabulary: z.array(z.string().min(1)).default([]).meta({ example: '[Garden House, teak bench]' }),
    /** Markdown files, relative to the agent file; "*" stands for any part of a file name. */
    knowledge: z.array(z.string().min(1)).default([]).meta({ example: '[orders/*.md]' }),
    actions: z.array(action).default([]),
    escalation,
    fallbacks,
    smallTalk,
    phrases,
  })
  .superRefine(checkReferences);

/** What can be written in an agent file. */
export type AgentFileInput = z.input<typeof agentFile>;

/** An agent file's content, defaults filled in. */
export type AgentFile = z.output<typeof agentFile>;
