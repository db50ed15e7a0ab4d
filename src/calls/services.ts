import type { CallFacts, Dialplan, DialplanAction } from '../dialplan/dialplan.js';
import type { JournalEvent } from '../journal/events.js';
import type { AudioOptions } from '../rtp/sdp/sdp.js';
import type { Invite } from '../sip/invite.js';
import { variablesFrom } from '../sip/trunks/trunk-headers.js';
import type { TrunkConfig } from '../sip/trunks/trunks.js';
import type { Admission, LoadSignal } from './admission.js';
import type { LimitsConfig } from './config.js';
import type { Handoffs } from './ivr/handoffs.js';
import type { TransferServices } from './transfer/transfer.js';
import type { VoiceAgent } from './voice-agent.js';

/** What all calls share. */
export interface CallServices extends TransferServices {
  /** What is offered and answered to who calls from this address, and which trunk that is. */
  audio: (source: string) => { trunk: string | undefined; options: AudioOptions };
  dialplan: Dialplan;
  agents: ReadonlyMap<string, VoiceAgent>;
  limits: LimitsConfig;
  /** Whether there is room, by load. */
  admission?: Pick<Admission, 'overload'> | undefined;
  /** Told why a call was refused. */
  refused?: ((reason: 'draining' | 'calls' | 'trunk' | LoadSignal) => void) | undefined;
  /** What IVRs have handed over. */
  handoffs?: Handoffs | undefined;
  /** Calls that a dialplan entry, `file#name`, has at the moment. */
  running?: ((entry: string) => number) | undefined;
  /** Header of an INVITE that brings W3C Trace Context. */
  traceHeader?: string | undefined;
  /** W3C Trace Context of a call, for requests on its behalf. */
  traceparent?: ((call: string) => string | undefined) | undefined;
  /** By name. */
  trunks?: ReadonlyMap<string, Pick<TrunkConfig, 'headers' | 'overflow'>> | undefined;
  /** Whether the store answers. */
  storeAnswers?: (() => Promise<boolean>) | undefined;
  /** What a caller is told whose call is recorded. */
  announcement: string;
}

/** Where a call goes, and what says so. */
export interface Route {
  /** The dialplan entry, `file#name`. */
  entry: string;
  action: DialplanAction;
}

/** What a program has in place of a dialplan entry. */
export function answerWith(agent: string, variables: Record<string, unknown>): DialplanAction {
  return { type: 'answer', agent, notice: undefined, earlyMedia: false, record: false, variables };
}

/** What the dialplan looks at. */
export function factsOf({ audio, trunks, running }: CallServices, invite: Invite): CallFacts {
  const { to, from, source, sipCallId: id } = invite;
  const headers = (name: string) => invite.header(name);
  const { trunk } = audio(source);
  const variables = variablesFrom(trunks?.get(trunk ?? '')?.headers.in ?? {}, headers);
  return { to, from, source, headers, trunk, variables, id, running };
}

/** What the journal says first of a call. @param match who takes it */
export function receivedEvent(
  { agents, dialplan, traceHeader }: CallServices,
  invite: Invite,
  { trunk }: CallFacts,
  match: Route | undefined,
): Extract<JournalEvent, { type: 'call.received' }> {
  const { to, source, sipCallId, user } = invite;
  const { from, name, withheld } = invite.identity;
  const answer = match?.action.type === 'answer' ? match.action : undefined;
  const agent = agents.get(answer?.agent ?? '');
  return {
    type: 'call.received',
    time: new Date().toISOString(),
    ...{ from, name, withheld: withheld || undefined, to, source, sipCallId, user, trunk },
    entry: match?.entry,
    agent: answer?.agent,
    traceparent: invite.traceContext(traceHeader),
    language: answer?.language ?? agent?.language,
    versions: { agent: agent?.version, dialplan: dialplan.version },
  };
}
