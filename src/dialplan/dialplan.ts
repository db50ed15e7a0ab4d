import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../config/nearest.js';
import { ConfigProblems, collectProblems } from '../config/problems.js';
import { versionOf } from '../config/version.js';
import { checkLocated, type LoadedYaml, loadYamlLocated } from '../config/yaml.js';
import { ParleyError, reasonOf } from '../errors.js';
import type { Consent, Fallback } from './answer-config.js';
import { type CallFacts, type Condition, roomCondition, shareCondition } from './conditions.js';
import { dialplanFile, type FileEntry, type FileEntryInput } from './file.js';
import { filled } from './variables.js';

export type { Consent, Fallback } from './answer-config.js';
export type { CallFacts } from './conditions.js';

/** What to do with a call. */
export type DialplanAction =
  | {
      type: 'answer';
      agent: string;
      /** BCP 47; the agent file's when it is left out. */
      language?: string | undefined;
      /** Not taken without the store. */
      requireStore?: boolean | undefined;
      notice?: { say: string; interruptible: boolean } | undefined;
      /** Asked before the agent speaks; without a yes nothing is recorded. */
      consent?: Consent | undefined;
      /** Takes the call when the answer or the agent fails. */
      fallback?: Fallback | undefined;
      /** The notice is played before the answer, as early media. */
      earlyMedia: boolean;
      /** The call is recorded from its answer on; with what the caller is told first, `true` for the usual words, and whether it beeps. */
      record: boolean | { announcement: string | boolean; beep?: boolean | undefined };
      variables: Record<string, unknown>;
      /** What an IVR that forwards the call may tell the agent. */
      context?:
        | { variables: Record<string, string>; sensitive: string[]; trust: boolean; byNumber: boolean }
        | undefined;
    }
  | { type: 'reject'; status: number; reason: string }
  | { type: 'redirect'; to: Redirection };

/** What the dialplan says of a call that is answered. */
export type AnswerAction = Extract<DialplanAction, { type: 'answer' }>;

/** What is said before the greeting: that the call is recorded, then what the dialplan says. */
export function noticeOf({ record, notice, consent }: AnswerAction, usual: string): string | undefined {
  // Who asks for consent has said what for.
  const announcement = typeof record === 'object' ? record.announcement : record;
  const said = announcement === true ? !consent && usual : announcement;
  return [said, notice?.say].filter(Boolean).join(' ') || undefined;
}

/** Where a call is redirected: a SIP URI, or a target of parley.yaml. */
export type Redirection = { uri: string } | { target: string };

/** A redirection as the file has it. */
export function redirectionText(to: Redirection): string {
  return 'target' in to ? to.target : to.uri;
}

/** Where a fallback sends a call that is not answered. */
export function redirectionOf({ target, redirect }: Fallback): Redirection | undefined {
  if (redirect !== undefined) return { uri: redirect };
  return target === undefined ? undefined : { target };
}

/** One entry, in the order in which they are tried. */
export interface DialplanEntry {
  /** `file#name`. */
  id: string;
  priority: number;
  default: boolean;
  /** Most calls at once. */
  calls?: number | undefined;
  /** Trunks that it names. */
  trunks?: readonly string[] | undefined;
  action: DialplanAction;
  /** All must hold. */
  conditions: readonly Condition[];
}

/** An entry as it was tried: what stood against it; nothing when it fits. */
export interface Tried {
  entry: DialplanEntry;
  against: { key: string; wanted: string; found: string }[];
}

/** When all entries that would fit have as many calls as they take. */
const FULL: DialplanAction = { type: 'reject', status: 503, reason: 'All lines are busy' };

/** Where a dialplan comes from: a folder of dialplan files, or what would stand in one. */
export type DialplanSource = string | readonly FileEntryInput[];

type Problem = (key: string, reason: string, hint: string) => ParleyError;

/** The entries of all dialplan files, in the order in which they are tried. */
export class Dialplan {
  readonly entries: readonly DialplanEntry[];
  /** Of the content of all files. */
  readonly version: string;
  readonly #problemOf: ReadonlyMap<DialplanEntry, Problem>;

  private constructor(
    problemOf: ReadonlyMap<DialplanEntry, Problem>,
    /** The files that it was read from, by name, each with the version of its content. */
    readonly files: ReadonlyMap<string, string>,
  ) {
    this.version = versionOf(...[...files].flat());
    // Map order is file order, then position; sort() is stable.
    this.entries = [...problemOf.keys()].sort(
      (a, b) => Number(a.default) - Number(b.default) || b.priority - a.priority,
    );
    this.#problemOf = problemOf;
  }

  /**
   * Reads `*.yaml` of a folder, or takes the entries that a program gives. Entries are tried by priority (higher first), then file name, then position; the
   * default comes last.
   *
   * @throws ConfigProblems
   */
  static load(source: DialplanSource): Dialplan {
    const problemOf = new Map<DialplanEntry, Problem>();
    const files = new Map<string, string>();
    const add = (name: string, { value, text, problemAt }: LoadedYaml<FileEntry[]>) => {
      files.set(name, versionOf(text));
      value.forEach((entry, index) => {
        problemOf.set(compile(name, entry), (key, reason, hint) => problemAt([index, ...key.split('.')], reason, hint));
      });
    };
    if (typeof source !== 'string') add('program', checkLocated(source, 'dialplan', dialplanFile));
    else {
      collectProblems(
        yamlFiles(source).map((name) => () => add(name, loadYamlLocated(join(source, name), dialplanFile))),
      );
    }
    checkDefaults(problemOf);
    return new Dialplan(problemOf, files);
  }

  /**
   * Checks that every agent that is named exists.
   *
   * @throws ConfigProblems
   */
  checkAgents(agents: ReadonlySet<string>): void {
    const problems = this.entries.flatMap((entry) => {
      if (entry.action.type !== 'answer' || agents.has(entry.action.agent)) return [];
      const meant = nearest(entry.action.agent, [...agents]);
      const known = agents.size > 0 ? `Known agents: ${[...agents].join(', ')}.` : 'There are no agent files.';
      const problem = this.#problemOf.get(entry);
      const hint = meant ? `Did you mean "${meant}"?` : known;
      return problem ? [problem('answer.agent', `there is no agent "${entry.action.agent}"`, hint)] : [];
    });
    if (problems.length > 0) throw new ConfigProblems(problems);
  }

  /**
   * Checks that every target that calls are sent to exists.
   *
   * @throws ConfigProblems
   */
  checkTargets(targets: ReadonlySet<string>): void {
    const known = targets.size > 0 ? `Known targets: ${[...targets].join(', ')}.` : 'parley.yaml has no targets.';
    const problems = this.entries.flatMap((entry) =>
      targetsIn(entry.action).flatMap(([key, target]) => {
        const problem = this.#problemOf.get(entry);
        return targets.has(target) || !problem ? [] : [problem(key, `there is no target "${target}"`, known)];
      }),
    );
    if (problems.length > 0) throw new ConfigProblems(problems);
  }

  /**
   * Checks that every trunk that an entry asks for exists: it would never fit.
   *
   * @throws ConfigProblems
   */
  checkTrunks(trunks: ReadonlySet<string>): void {
    const known = trunks.size > 0 ? `Known trunks: ${[...trunks].join(', ')}.` : 'parley.yaml has no trunks.';
    const problems = this.entries.flatMap((entry) =>
      (entry.trunks ?? []).flatMap((name) => {
        const meant = nearest(name, [...trunks]);
        const hint = meant ? `Did you mean "${meant}"?` : known;
        const problem = trunks.has(name) ? undefined : this.#problemOf.get(entry);
        return problem ? [problem('match.trunk', `there is no trunk "${name}"`, hint)] : [];
      }),
    );
    if (problems.length > 0) throw new ConfigProblems(problems);
  }

  /** What is said to callers before an agent's greeting. @param usual said of a recording where the entry has no words */
  spoken(agent: string, usual: string): string[] {
    return this.entries.flatMap(({ action }) => {
      if (action.type !== 'answer' || action.agent !== agent) return [];
      const { consent, fallback } = action;
      const refused = typeof consent?.refused === 'object' ? consent.refused : undefined;
      const refusal = refused && ('hangUp' in refused ? refused.hangUp : refused.otherwise);
      const parting = (fallback?.target ?? fallback?.redirect) ? fallback?.otherwise : undefined;
      const texts = [noticeOf(action, usual), consent?.ask, consent?.again, refusal, fallback?.say, parting];
      return texts.filter((text) => text !== undefined);
    });
  }

  /**
   * What to do with a call: the first entry that fits. Undefined when none does and there is no default; where only room
   * was missing, the call is refused for the moment.
   */
  match(facts: CallFacts): { entry: string; action: DialplanAction } | undefined {
    let full: DialplanEntry | undefined;
    for (const entry of this.entries) {
      const against = entry.conditions.find((condition) => !condition.fits(facts));
      if (!against) return { entry: entry.id, action: actionFor(entry.action, facts) };
      // Room is looked at last: everything else fits.
      if (against.key === 'calls') full ??= entry;
    }
    return full && { entry: full.id, action: FULL };
  }

  /** The entries as {@link match} tries them, up to the one that fits. */
  explain(facts: CallFacts): Tried[] {
    const tried: Tried[] = [];
    for (const entry of this.entries) {
      const against = entry.conditions.filter((condition) => !condition.fits(facts));
      tried.push({
        entry,
        against: against.map(({ key, wanted, found }) => ({ key, wanted, found: found(facts) })),
      });
      if (against.length === 0) break;
    }
    return tried;
  }
}

function yamlFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /\.ya?ml$/.test(name))
      .sort();
  } catch (error) {
    throw new ConfigProblems([new ParleyError('PARLEY_ERR_CONFIG_FILE', { file: directory, reason: reasonOf(error) })]);
  }
}

function compile(file: string, entry: FileEntry): DialplanEntry {
  const id = `${file}#${entry.name}`;
  const conditions = [...(entry.match?.conditions ?? [])];
  if (entry.match?.share !== undefined) conditions.push(shareCondition(id, entry.match.share));
  if (entry.calls !== undefined) conditions.push(roomCondition(id, entry.calls));
  const { priority, default: last, calls } = entry;
  return { id, priority, default: last, calls, trunks: entry.match?.trunks, action: actionOf(entry), conditions };
}

/** The action with what this call has in the place of placeholders. */
function actionFor(action: DialplanAction, facts: CallFacts): DialplanAction {
  return action.type === 'answer'
    ? { ...action, variables: { ...facts.variables, ...filled(action.variables, facts) } }
    : action;
}

/** Targets that an action names, each with its key. */
function targetsIn(action: DialplanAction): [key: string, target: string][] {
  if (action.type === 'redirect') return 'target' in action.to ? [['redirect.target', action.to.target]] : [];
  if (action.type !== 'answer') return [];
  const { consent, fallback } = action;
  const named: [string, string][] = [];
  if (typeof consent?.refused === 'object' && 'transfer' in consent.refused) {
    named.push(['answer.consent.refused.transfer', consent.refused.transfer]);
  }
  if (fallback?.target !== undefined) named.push(['fallback.target', fallback.target]);
  return named;
}

function actionOf({ answer, reject, redirect, fallback }: FileEntry): DialplanAction {
  if (answer) return { type: 'answer', ...answer, fallback };
  if (redirect) {
    const { to, target = '' } = redirect;
    return { type: 'redirect', to: to === undefined ? { target } : { uri: to } };
  }
  return { type: 'reject', status: reject?.status ?? 603, reason: reject?.reason ?? '' };
}

function checkDefaults(problemOf: ReadonlyMap<DialplanEntry, Problem>): void {
  const [first, ...others] = [...problemOf].filter(([entry]) => entry.default);
  if (!first || others.length === 0) return;
  const hint = 'Keep one default for all files; give the other a match.';
  throw new ConfigProblems(
    others.map(([, problem]) => problem('default', `${first[0].id} is already the default`, hint)),
  );
}
