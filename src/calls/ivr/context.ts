import { z } from 'zod';
import { ParleyError, reasonOf } from '../../errors.js';
import type { JournalEvent } from '../../journal/events.js';
import type { Logger } from '../../telemetry/log.js';
import { within } from '../../telemetry/within.js';
import { dataOf, type Fact, factsOf, type InviteText, jsonParts } from './facts.js';
import { type Handoff, handoffDocument, type KeptHandoff, sealed } from './handoff.js';
import { type Found, type Handoffs, TOKEN } from './handoffs.js';
import { segmentOf } from './segment.js';

/** What the dialplan says of an IVR's context. */
export interface ContextRules {
  /** Agent variable to where its value stands: `X-Order`, `User-to-User.order`, `Diversion.reason`. */
  variables: Readonly<Record<string, string>>;
  /** Which of them are for nobody to read. */
  sensitive: readonly string[];
  /** Whether a document in the INVITE itself (User-to-User, a JSON part) counts as if it had been handed over. */
  trust: boolean;
  /** Whether a call without a token is matched by its numbers. */
  byNumber: boolean;
}

/** A call that an IVR may have forwarded. */
export interface Forwarded {
  invite: InviteText;
  from: string;
  to: string;
  rules: ContextRules;
  handoffs: Handoffs | undefined;
  logger: Logger;
}

/** What an IVR hands over with a call. */
export interface IvrContext {
  /** For the journal; `at` in ms since the INVITE, negative for what came before it. */
  events: { event: JournalEvent; at: number }[];
  /** For the agent. */
  variables: Record<string, unknown>;
  /** What the caller may want, the likeliest first: names that the agent's file knows or not. */
  wants: string[];
  /** Of the variables, those that must be on no record, and no model is shown. */
  secrets: Record<string, unknown>;
}

/** What holds where a dialplan says nothing. */
export const USUAL_RULES: ContextRules = { variables: {}, sensitive: [], trust: false, byNumber: true };

/** Longest that a call waits for what was handed over, ms. */
export const LOOK_UP_MS = 200;

/** Gathers what an IVR hands over; resolves in time and never rejects: a call goes on without. */
export async function ivrContext(call: Forwarded, waitMs = LOOK_UP_MS): Promise<IvrContext> {
  const facts = factsOf(call.invite);
  const parts = jsonParts(call.invite);
  const looked = lookUp(call, tokenIn(call.invite.uri, facts, parts));
  const found = await within(waitMs, looked, unusable(`the store did not answer within ${waitMs} ms`));
  const now = Date.now();
  const context: IvrContext = {
    events: [],
    variables: { ...mapped(facts, call.rules.variables) },
    wants: [],
    secrets: {},
  };
  Object.assign(context.secrets, picked(context.variables, call.rules.sensitive));
  const routed = signalling(facts);
  if (routed) context.events.push({ event: routed, at: 0 });
  const take = ({ document, createdAt }: KeptHandoff, by: 'token' | 'number' | 'invite') => {
    // What the dialplan maps goes before what was handed over: its author knows this trunk.
    context.variables = { ...variablesOf(document), ...context.variables };
    context.wants.push(...wantsOf(document));
    Object.assign(context.secrets, secretsOf(document));
    context.events.unshift(...segmentOf({ document, createdAt }, by, now));
  };
  if (typeof found === 'object' && 'document' in found) take(found, found.by);
  else if (found instanceof ParleyError) context.events.push({ event: errorOf(found), at: 0 });
  if (call.rules.trust) {
    for (const read of inline(facts, parts)) {
      if (read instanceof ParleyError) context.events.push({ event: errorOf(read), at: 0 });
      else take({ document: read, createdAt: now }, 'invite');
    }
  }
  return context;
}

/** What an INFO in the call says, where the dialplan trusts it. */
export function infoContext(body: string): Handoff | ParleyError {
  return documentOf(body) ?? unusable('the body of the INFO is no JSON object');
}

/** What the agent gets of a document. */
export function variablesOf(document: Handoff): Record<string, unknown> {
  const digits = Object.fromEntries(
    document.digits.filter((one) => !one.sensitive).map((one) => [one.name, one.digits]),
  );
  const { language, topic, menu, ivr: name } = document;
  return {
    ...digits,
    ...document.variables,
    ivr: { name, language, topic, menu, choice: menu.at(-1), digits, variables: document.variables },
  };
}

/** Variables of a document that must be on no record. */
export function secretsOf({ variables, sensitive }: Handoff): Record<string, unknown> {
  return picked(variables, sensitive);
}

function picked(variables: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(variables, name) ? [[name, variables[name]]] : [])));
}

type Outcome = (KeptHandoff & { by: 'token' | 'number' }) | ParleyError | undefined;

async function lookUp({ handoffs, from, to, rules, logger }: Forwarded, token: string | undefined): Promise<Outcome> {
  if (!handoffs) return undefined;
  try {
    if (token !== undefined) return outcome(await handoffs.take(token), 'token');
    if (!rules.byNumber) return undefined;
    const found = await handoffs.takeFor(from, to);
    return found === 'unknown' || found === 'used' ? undefined : outcome(found, 'number');
  } catch (error) {
    logger.warn({ reason: reasonOf(error) }, 'hand-off could not be looked up');
    return token === undefined ? undefined : unusable(reasonOf(error));
  }
}

function outcome(found: Found, by: 'token' | 'number'): Outcome {
  if (typeof found === 'object') return { ...found, by };
  if (found === 'used') return unusable('its token was used before');
  if (found === 'ambiguous') return unusable('several wait for a call of this number');
  return unusable('its token is not known, or its time is over');
}

/** The first token in any header, decoded, in a JSON part, or in the request URI. */
function tokenIn(
  uri: string,
  facts: ReadonlyMap<string, readonly Fact[]>,
  parts: readonly string[],
): string | undefined {
  const texts = [...facts.values()].flat().flatMap(({ text, fields }) => [text, ...Object.values(fields).map(String)]);
  for (const text of [...texts, ...parts, uri]) {
    const [token] = text.match(TOKEN) ?? [];
    if (token !== undefined) return token;
  }
  return undefined;
}

/** The agent variables that the dialplan takes from headers. */
function mapped(
  facts: ReadonlyMap<string, readonly Fact[]>,
  rules: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const variables: Record<string, unknown> = {};
  for (const [name, source] of Object.entries(rules)) {
    const [header = '', ...path] = source.split('.');
    const key = path.join('.');
    const values = (facts.get(header.toLowerCase()) ?? []).map(({ text, fields }) =>
      key === '' ? text : Object.hasOwn(fields, key) ? fields[key] : undefined,
    );
    const value = values.find((one) => one !== undefined && one !== '');
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

/** Documents in the INVITE itself. */
function inline(facts: ReadonlyMap<string, readonly Fact[]>, parts: readonly string[]): (Handoff | ParleyError)[] {
  const header = (facts.get('user-to-user') ?? []).map(({ text }) => text);
  return [...parts, ...header].flatMap((text) => documentOf(text) ?? []);
}

/** A document, or plain variables; undefined when the text is no data at all (a token, an identifier of the carrier's). */
function documentOf(text: string): Handoff | ParleyError | undefined {
  const data = dataOf(text);
  if (!data) return text.trim().startsWith('{') ? unusable('it is no JSON object') : undefined;
  const whole = Object.keys(data).every((key) => Object.hasOwn(handoffDocument.shape, key));
  try {
    return sealed(handoffDocument.parse(whole ? data : { variables: data }));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    return unusable(issue ? `${issue.path.join('.')}: ${issue.message}` : reasonOf(error));
  }
}

function wantsOf({ topic, menu }: Handoff): string[] {
  return [...(topic === undefined ? [] : [topic]), ...menu.toReversed()];
}

/** Who the call was for, and who says what of the caller. */
function signalling(facts: ReadonlyMap<string, readonly Fact[]>): JournalEvent | undefined {
  const who = (name: string) => {
    const users = (facts.get(name) ?? []).map(({ text }) => text);
    return users.length > 0 ? users : undefined;
  };
  const event = {
    diversion: who('diversion'),
    history: who('history-info'),
    identity: who('p-asserted-identity') ?? who('remote-party-id'),
    referredBy: who('referred-by'),
  };
  if (Object.values(event).every((value) => value === undefined)) return undefined;
  return { type: 'ivr.segment', part: 'signalling', ...event };
}

function unusable(reason: string): ParleyError {
  return new ParleyError('PARLEY_ERR_HANDOFF_UNUSABLE', { reason });
}

function errorOf({ code, message }: ParleyError): JournalEvent {
  return { type: 'error', code, message };
}
