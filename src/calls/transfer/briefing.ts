import type { StoredEvent } from '../../journal/events.js';
import type { CallerIdentity } from '../../sip/caller-identity.js';

/** What a person is told of a call: read from its journal, in which nothing sensitive is. */
export interface HandOver {
  /** Why the call is handed over. */
  reason: string;
  /** What it was about, newest last. */
  topics: readonly string[];
  /** What the caller told, an IVR before us included: name and value. */
  facts: Readonly<Record<string, string>>;
  /** What an IVR knew besides. */
  ivr: Readonly<Record<string, unknown>>;
  /** Actions that were carried out. */
  done: readonly string[];
  /** Actions that did not work. */
  failed: readonly string[];
  /** What the caller said last, when nothing else is known of the wish. */
  lastWords: string;
}

const MOST_FACTS = 12;
const LONGEST = 200;
/** Context that is no news for a person. */
const OWN_VARIABLES = new Set(['caller', 'called']);

/** What a journal tells of its call. */
export function handOverOf(events: readonly StoredEvent[], reason: string): HandOver {
  const topics: string[] = [];
  const facts = new Map<string, string>();
  const done: string[] = [];
  const failed: string[] = [];
  let lastWords = '';
  let ivr: Record<string, unknown> = {};
  const tell = (name: string, value: string) => {
    // What is masked is news for nobody.
    if (!/^\**$/.test(value)) facts.set(name, clean(value));
  };
  for (const event of events) {
    switch (event.type) {
      case 'topic':
        if (event.topic !== 'none')
          topics.splice(0, topics.length, ...topics.filter((name) => name !== event.topic), event.topic);
        break;
      case 'entity.heard':
      case 'entity.confirmed':
        tell(event.name, event.value);
        break;
      case 'entity.rejected':
        facts.delete(event.name);
        break;
      case 'variable':
        if (isPlain(event.value) && !OWN_VARIABLES.has(event.name)) tell(event.name, String(event.value));
        break;
      case 'ivr.segment':
        if (event.part === 'digits') tell(event.name, event.digits);
        if (event.part === 'start') ivr = { ...ivr, ...unmasked(event.variables) };
        break;
      case 'action.returned':
        (event.ok ? done : failed).push(event.action);
        break;
      case 'caller.turn':
        // A key asks for a person, or answers a question: it is no wish.
        if (event.from !== 'dtmf') lastWords = clean(event.text);
    }
  }
  const known = Object.fromEntries([...facts].slice(-MOST_FACTS));
  return {
    reason: clean(reason),
    topics,
    facts: known,
    ivr,
    done: [...new Set(done)],
    failed: [...new Set(failed)],
    lastWords,
  };
}

/** One line for a phone's display. */
export function subjectOf({ topics, facts, lastWords, reason }: HandOver): string {
  const about = topics.at(-1) ?? (lastWords || reason);
  const told = Object.entries(facts).map(([name, value]) => `${inWords(name)} ${value}`);
  return [inWords(about), ...told].join(', ');
}

/** What is said to the person before they take the call, a sentence each. */
export function briefingOf(handOver: HandOver, caller: CallerIdentity): string[] {
  const { topics, facts, done, failed, lastWords } = handOver;
  const sentences = [`A call from ${spokenCaller(caller)}.`];
  if (topics.length > 0) sentences.push(`It is about ${list(topics.slice(-3).map(inWords))}.`);
  else if (lastWords) sentences.push(`The caller said: ${ended(lastWords)}`);
  const told = Object.entries(facts).map(([name, value]) => `${inWords(name)} ${value}`);
  if (told.length > 0) sentences.push(`They gave: ${list(told)}.`);
  if (done.length > 0) sentences.push(`Done so far: ${list(done.map(inWords))}.`);
  if (failed.length > 0) sentences.push(`This did not work: ${list(failed.map(inWords))}.`);
  return sentences;
}

function spokenCaller({ from, name, withheld }: CallerIdentity): string {
  if (withheld) return 'a withheld number';
  const number = /^\+?\d{3,}$/.test(from)
    ? from
    : from === '' || /anonymous|unknown/i.test(from)
      ? 'an unknown number'
      : clean(from);
  return name === undefined ? number : `${clean(name).slice(0, 64)}, ${number}`;
}

/** `order-status`, `orderNumber` as they are said. */
function inWords(name: string): string {
  return name
    .replace(/[_-]+/g, ' ')
    .replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)
    .trim();
}

function list(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function unmasked(variables: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(variables).filter(([, value]) => typeof value !== 'string' || !/^\*+$/.test(value)),
  );
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Nothing that could steer a header or a voice. */
function clean(text: string): string {
  return text
    .replace(/[\p{Cc}<>]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST);
}
