import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../config/nearest.js';
import { ConfigProblems, collectProblems } from '../config/problems.js';
import { loadYamlLocated } from '../config/yaml.js';
import { ParleyError, reasonOf } from '../errors.js';
import { dialplanFile, type FileEntry } from './file.js';

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
}

/** What to do with a call. */
export type DialplanAction =
  | {
      type: 'answer';
      agent: string;
      notice: string | undefined;
      /** The notice is played before the answer, as early media. */
      earlyMedia: boolean;
      /** The call is recorded from its answer on; with what the caller is told first, `true` for the usual words. */
      record: boolean | { announcement: string | false };
      variables: Record<string, unknown>;
      /** What an IVR that forwards the call may tell the agent. */
      context?: { variables: Record<string, string>; trust: boolean; byNumber: boolean } | undefined;
    }
  | { type: 'reject'; status: number; reason: string }
  | { type: 'redirect'; to: string };

/** One entry, in the order in which they are tried. */
export interface DialplanEntry {
  /** `file#name`. */
  id: string;
  priority: number;
  default: boolean;
  action: DialplanAction;
  fits(facts: CallFacts): boolean;
}

type Problem = (key: string, reason: string, hint: string) => ParleyError;

/** The entries of all dialplan files, in the order in which they are tried. */
export class Dialplan {
  readonly entries: readonly DialplanEntry[];
  readonly #problemOf: ReadonlyMap<DialplanEntry, Problem>;

  private constructor(problemOf: ReadonlyMap<DialplanEntry, Problem>) {
    // Map order is file order, then position; sort() is stable.
    this.entries = [...problemOf.keys()].sort(
      (a, b) => Number(a.default) - Number(b.default) || b.priority - a.priority,
    );
    this.#problemOf = problemOf;
  }

  /**
   * Reads `*.yaml` of a folder. Entries are tried by priority (higher first), then file name, then position; the
   * default comes last.
   *
   * @throws ConfigProblems
   */
  static load(directory: string): Dialplan {
    const problemOf = new Map<DialplanEntry, Problem>();
    collectProblems(
      yamlFiles(directory).map((name) => () => {
        const file = join(directory, name);
        const { value, problemAt } = loadYamlLocated(file, dialplanFile);
        value.forEach((entry, index) => {
          problemOf.set(compile(name, entry), (key, reason, hint) =>
            problemAt([index, ...key.split('.')], reason, hint),
          );
        });
      }),
    );
    checkDefaults(problemOf);
    return new Dialplan(problemOf);
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

  /** What to do with a call: the first entry that fits. Undefined when none does and there is no default. */
  match(facts: CallFacts): { entry: string; action: DialplanAction } | undefined {
    const entry = this.entries.find((candidate) => candidate.fits(facts));
    return entry && { entry: entry.id, action: entry.action };
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
  const { match } = entry;
  const headers = Object.entries(match?.headers ?? {});
  return {
    id: `${file}#${entry.name}`,
    priority: entry.priority,
    default: entry.default,
    action: actionOf(entry),
    fits: (facts) =>
      (match?.to?.(facts.to) ?? true) &&
      (match?.from?.(facts.from) ?? true) &&
      (match?.networks?.(facts.source) ?? true) &&
      headers.every(([name, fits]) => {
        const value = facts.headers(name);
        return value !== undefined && fits(value);
      }),
  };
}

function actionOf({ answer, reject, redirect }: FileEntry): DialplanAction {
  if (answer) {
    const { agent, notice, earlyMedia, record, variables, context } = answer;
    return { type: 'answer', agent, notice, earlyMedia, record, variables, context };
  }
  if (redirect) return { type: 'redirect', to: redirect.to };
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
