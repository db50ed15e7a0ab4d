import type { ReasonerSession } from '../agent/reasoner.js';
import { Conversation, type Opening, openingOf } from '../conversation/conversation.js';
import type { Afterwards } from '../conversation/state.js';
import { type AnswerAction, noticeOf } from '../dialplan/dialplan.js';
import { ParleyError, reasonOf } from '../errors.js';
import type { JournalEvent } from '../journal/events.js';
import type { Invite } from '../sip/invite.js';
import { sentencesOf } from '../speech/synthesis/splitter.js';
import type { Logger } from '../telemetry/log.js';
import { within } from '../telemetry/within.js';
import type { FromMedia } from '../workers/messages.js';
import { type IvrContext, ivrContext, USUAL_RULES } from './ivr/context.js';
import { JoinedLegs } from './legs/joined-legs.js';
import { LegMedia } from './legs/leg-media.js';
import type { MediaControl } from './legs/media-control.js';
import type { CallServices } from './services.js';
import { CallVoice } from './voice/call-voice.js';
import { sayNotice } from './voice/notice.js';
import type { VoiceAgent } from './voice-agent.js';

/** All that a call needs from its answer on. */
export interface Prepared {
  action: AnswerAction;
  agent: VoiceAgent;
  media: LegMedia;
  control: MediaControl | undefined;
  /** Who hears the caller. */
  joined: JoinedLegs;
  conversation: Conversation;
  voice: CallVoice;
  opening: Opening;
  /** What was handed over with the call, and which of it must be on no record. */
  variables: Record<string, unknown>;
  secrets: Record<string, unknown>;
  /** All that the agent was given, but what is for nobody to read. */
  given: Readonly<Record<string, unknown>>;
  /** Tells the agent more in the middle of the call. */
  inform(variables: Record<string, unknown>, secrets: Record<string, unknown>): void;
}

/** What a call is prepared with. */
export interface PrepareOptions {
  services: CallServices;
  call: string;
  invite: Invite;
  action: AnswerAction;
  logger: Logger;
  /** monotonicMs() of the INVITE. */
  origin: number;
  record(event: JournalEvent, at: number): void;
  finish(afterwards: Afterwards): void;
  fromMedia(event: FromMedia): void;
  /** So many sentences in a row could not be synthesised. */
  voiceless?: ((inARow: number) => void) | undefined;
}

/**
 * Everything that can be done before the answer: port, SDP, agent, the greeting's first clip.
 *
 * @throws ParleyError as `LegMedia.open`; nothing is left open then
 */
export async function prepareCall(options: PrepareOptions): Promise<Prepared> {
  const { services, call, invite, action, fromMedia } = options;
  const agent = services.agents.get(action.agent);
  if (!agent) throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: `no agent ${action.agent}` });
  if (action.requireStore && !(await storeAnswers(services))) throw new ParleyError('PARLEY_ERR_STORE_REQUIRED');
  const { from, to, text } = invite;
  const rules = action.context ?? USUAL_RULES;
  const ivr = ivrContext({ invite: text, from, to, rules, handoffs: services.handoffs, logger: options.logger });
  const media = await LegMedia.open(
    services.media,
    call,
    invite.offer,
    services.audio(invite.source).options,
    fromMedia,
  );
  let prepared: Prepared | undefined;
  try {
    prepared = talk(options, agent, media, await ivr);
    await warmGreeting(options, prepared);
    return prepared;
  } catch (error) {
    prepared?.conversation.end();
    await media.close();
    throw error;
  }
}

/**
 * What the fallback needs to say its words and hand the call over: sound, and no agent.
 *
 * @throws ParleyError as `LegMedia.open`
 */
export async function prepareFallback(options: PrepareOptions): Promise<Prepared> {
  const { services, call, invite, action, fromMedia } = options;
  const agent = services.agents.get(action.agent);
  if (!agent) throw new ParleyError('PARLEY_ERR_INTERNAL', { reason: `no agent ${action.agent}` });
  const { options: audio } = services.audio(invite.source);
  const media = await LegMedia.open(services.media, call, invite.offer, audio, fromMedia);
  const nothing = { events: [], variables: {}, wants: [], secrets: {} };
  try {
    return talk({ ...options, action: bare(action) }, { ...agent, reasoner: SILENT }, media, nothing);
  } catch (error) {
    await media.close();
    throw error;
  }
}

/** Says and answers nothing. */
const SILENT: VoiceAgent['reasoner'] = {
  open: () => ({
    greeting: () => '',
    respond: async function* () {},
    heard: () => undefined,
    transferFailed: async function* () {},
    close: () => undefined,
  }),
};

/** A store that takes its time is none. */
async function storeAnswers({ storeAnswers, limits }: CallServices): Promise<boolean> {
  return storeAnswers ? within(Math.max(limits.prepareMs, 100), storeAnswers(), false) : true;
}

/**
 * Another agent takes the call on, over the same media. The voice and conversation of the one before must be closed.
 *
 * @param firstTurn number of the caller's last turn
 * @throws ParleyError PARLEY_ERR_AGENT_UNKNOWN
 */
export function nextAgent(
  options: PrepareOptions,
  { media, variables: given, secrets, joined }: Prepared,
  name: string,
  variables: Record<string, unknown>,
  firstTurn: number,
): Prepared {
  const { services, action } = options;
  const agent = services.agents.get(name);
  const names = [...services.agents.keys()].join(', ');
  if (!agent) throw new ParleyError('PARLEY_ERR_AGENT_UNKNOWN', { agent: name, known: names });
  const known = { events: [], variables: { ...given, ...variables }, wants: [], secrets };
  return { ...talk({ ...options, action: bare(action) }, agent, media, known, firstTurn), joined };
}

/** Without what belongs to the beginning of a call. */
function bare(action: AnswerAction): AnswerAction {
  return { ...action, record: false, notice: undefined, consent: undefined, earlyMedia: false };
}

function talk(options: PrepareOptions, agent: VoiceAgent, media: LegMedia, ivr: IvrContext, firstTurn = 0): Prepared {
  const { services, call, invite, action, logger, origin, record, finish } = options;
  const { speech, speaker } = services;
  for (const { event, at } of ivr.events) record(event, origin + at);
  const language = action.language ?? agent.language;
  const variables = { caller: invite.from, called: invite.to, language, ...action.variables, ...ivr.variables };
  const session = agent.reasoner.open({
    call,
    channel: 'voice',
    variables,
    wants: ivr.wants,
    traceparent: services.traceparent?.(call),
    sensitive: Object.keys(ivr.secrets),
  });
  if (session.topic !== undefined) record({ type: 'topic', turn: 0, topic: session.topic, score: 1, ms: 0 }, origin);
  const opening = openingFor(session, action, services.announcement);
  const { voice: settings, lexicon, vocabulary } = agent;
  const voice = new CallVoice({
    leg: media.leg,
    speech,
    speaker,
    settings,
    lexicon,
    vocabulary,
    stopWords: agent.settings.stopWords,
    bearWithMe: agent.settings.bearWithMe,
    byWords: agent.settings.judge === 'words',
    reflex: { how: agent.settings.reflex, level: agent.settings.duckLevel },
    voiceless: options.voiceless,
    logger,
  });
  const { judge } = agent;
  const conversation = new Conversation({
    voice,
    session,
    settings: agent.settings,
    hidden: Object.values(ivr.secrets),
    record,
    origin,
    finish,
    judge,
    logger,
    firstTurn,
  });
  const { secrets } = ivr;
  const inform = (more: Record<string, unknown>, hidden: Record<string, unknown>) => {
    Object.assign(ivr.variables, more);
    Object.assign(secrets, hidden);
    conversation.hide(Object.values(hidden));
    session.inform?.(more, Object.keys(hidden));
  };
  const given = Object.fromEntries(Object.entries(variables).filter(([name]) => !Object.hasOwn(secrets, name)));
  return {
    action,
    agent,
    media,
    control: services.control?.(() => media.leg),
    joined: new JoinedLegs(() => media.leg),
    conversation,
    voice,
    opening,
    variables: ivr.variables,
    secrets,
    given,
    inform,
  };
}

/** A notice that may be talked over is the beginning of the greeting. */
function openingFor(session: ReasonerSession, action: AnswerAction, usual: string): Opening {
  const opening = openingOf(session, noticeOf(action, usual));
  const { notice, greeting } = opening;
  return action.notice?.interruptible ? { notice: [], greeting: [...notice, ...greeting] } : opening;
}

/** The notice as early media; when that can't be, it is said after the answer like any other. */
export async function playNotice(
  prepared: Prepared,
  invite: Invite,
  record: (event: JournalEvent) => void,
  logger: Logger,
): Promise<void> {
  const { media, voice, opening } = prepared;
  try {
    await invite.progress(media.localSdp, (offer) => media.reoffered(offer).sdp);
    await sayNotice(voice, opening.notice, record);
    prepared.opening = { ...opening, notice: [] };
  } catch (error) {
    logger.warn({ reason: reasonOf(error) }, 'no early media');
  }
}

/** The greeting's first sentence is ready before the answer, unless that would keep the caller waiting. */
async function warmGreeting({ services, logger }: PrepareOptions, prepared: Prepared): Promise<void> {
  const { agent, media, opening } = prepared;
  const { consent, fallback } = prepared.action;
  const first = opening.notice[0] ?? (consent && sentencesOf(consent.ask)[0]) ?? opening.greeting[0];
  if (!first) return;
  const clip = services.speaker.prepare(first, agent.voice, media.leg.sampleRate, agent.lexicon);
  clip.catch((error) => logger.error({ err: error }, 'greeting could not be synthesised'));
  try {
    await within(services.limits.prepareMs, clip);
  } catch (error) {
    // An agent without a voice is none; where nothing stands in for it, callers still have the keys.
    if (fallback) throw error;
  }
}
