import { createHash } from 'node:crypto';
import { type Hours, isOpen } from './hours.js';
import type { Matcher } from './pattern.js';

/** What is known of a call when it arrives. */
export interface CallFacts {
  /** The user part that was dialled (DNIS). */
  to: string;
  /** The caller's user part (ANI). */
  from: string;
  /** A header's value by name; undefined when the INVITE has none. */
  headers: (name: string) => string | undefined;
  /** The IP address the INVITE came from. */
  source: string;
  /** The trunk it came by; undefined for addresses of no trunk. */
  trunk?: string | undefined;
  /** What the trunk's headers give the agent. */
  variables?: Readonly<Record<string, unknown>> | undefined;
  /** When it came, ms since 1970; now when left out. */
  at?: number | undefined;
  /** Tells calls apart, so that a share of them falls the same way whenever it is asked for: the SIP Call-ID. */
  id?: string | undefined;
  /** Calls that an entry, `file#name`, has at the moment; none when left out. */
  running?: ((entry: string) => number) | undefined;
}

/** One condition of an entry. */
export interface Condition {
  /** As it stands in the file: `to`, `headers.X-Tier`, `calls`. */
  key: string;
  /** What it asks for, for people. */
  wanted: string;
  fits(facts: CallFacts): boolean;
  /** What the call has instead. */
  found(facts: CallFacts): string;
}

/** A pattern and what it was made of. */
export interface Pattern {
  source: string;
  fits: Matcher;
}

type Part = 'to' | 'from' | 'source' | 'trunk';

/** One of several patterns fits a part of the call. */
export function textCondition(key: string, part: Part, patterns: readonly Pattern[]): Condition {
  const of = (facts: CallFacts) => facts[part] ?? '';
  return {
    key,
    wanted: patterns.map(({ source }) => source).join(', '),
    fits: (facts) => patterns.some(({ fits }) => fits(of(facts))),
    found: (facts) => of(facts) || 'none',
  };
}

/** A header is there and has a value that fits. */
export function headerCondition(name: string, { source, fits }: Pattern): Condition {
  return {
    key: `headers.${name}`,
    wanted: source,
    fits: (facts) => {
      const value = facts.headers(name);
      return value !== undefined && fits(value);
    },
    found: (facts) => facts.headers(name) ?? 'no such header',
  };
}

/** It is within (or outside) these hours. */
export function hoursCondition(key: 'hours' | 'closed', hours: Hours): Condition {
  const times = hours.open.map(({ days, from, to }) => `${days} ${from}-${to}`).join(', ');
  const at = (facts: CallFacts) => facts.at ?? Date.now();
  return {
    key,
    wanted: `${key === 'hours' ? 'within' : 'outside'} ${times} ${hours.timeZone}`,
    fits: (facts) => isOpen(hours, at(facts)) === (key === 'hours'),
    found: (facts) => localText(at(facts), hours.timeZone),
  };
}

/** The call is among this share of those that come so far; which, is told by its id. @param percent 0 to 100 */
export function shareCondition(entry: string, percent: number): Condition {
  const lot = (facts: CallFacts) => drawn(`${facts.id ?? ''} ${entry}`);
  return {
    key: 'share',
    wanted: `${percent} % of the calls`,
    fits: (facts) => lot(facts) < percent,
    found: (facts) => `drew ${lot(facts).toFixed(1)}`,
  };
}

/** The entry has room for another call. */
export function roomCondition(entry: string, most: number): Condition {
  const running = (facts: CallFacts) => facts.running?.(entry) ?? 0;
  return {
    key: 'calls',
    wanted: `at most ${most} at once`,
    fits: (facts) => running(facts) < most,
    found: (facts) => `${running(facts)} running`,
  };
}

/** A number from 0 up to 100 that is evenly spread over texts, the same for the same text. */
function drawn(text: string): number {
  return (createHash('sha1').update(text).digest().readUInt32BE() / 2 ** 32) * 100;
}

function localText(at: number, timeZone: string): string {
  const options = { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const date = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(at);
  return `${new Intl.DateTimeFormat('en-GB', options).format(at)} on ${date}`;
}
