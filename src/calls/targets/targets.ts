import { isOpen } from '../../dialplan/hours.js';
import { ParleyError, reasonOf } from '../../errors.js';
import type { Disposition } from '../../journal/events.js';
import { plainTarget, type TargetConfig } from './config.js';

/** Where users are registered. */
export interface UserLookup {
  /** A user's phones: their URI, and where requests to them are sent; none when none is registered. */
  lookup(user: string): Promise<readonly { contact: string; received: string }[]>;
}

/** How numbers leave by a trunk. */
export interface TrunkRoute {
  name: string;
  /** `host:port` or a host, with parameters: `pbx.example.com;transport=tcp`. */
  host: string;
  auth?: { username: string; password: string } | undefined;
  /** User part of From, where the trunk wants one of its own. */
  from?: string | undefined;
  /** It is told who has withheld their number, and keeps it to itself (RFC 3325). */
  trusted?: boolean | undefined;
  /** Headers that it is given, as templates. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** One phone that is called, and how. */
export interface Destination {
  /** Target in parley.yaml, or the URI of an agent file. */
  target: string;
  /** Who that is, for people. */
  name: string;
  uri: string;
  route: TrunkRoute | undefined;
  /** SIP URI where the INVITE is sent instead. */
  proxy?: string | undefined;
  /** Dialog that the INVITE takes the place of, as a Replaces header has it. */
  replaces?: string | undefined;
  /** Number or name of the phone that sent the call here. */
  divertedBy?: string | undefined;
  settings: TargetConfig;
}

/** One thing to try. */
export type PlanStep =
  /** All are called at once; who takes the call first has it. */
  | { type: 'dial'; destinations: readonly Destination[] }
  | { type: 'refer'; destination: Destination }
  | { type: 'agent'; target: string; agent: string }
  | { type: 'callback'; target: string; message: string }
  /** Nobody can be reached there now. */
  | { type: 'skip'; target: string; disposition: Disposition; reason: string };

/** How a target is reached: its steps, then its fallbacks'. */
export interface Plan {
  target: string;
  steps: readonly PlanStep[];
  queue: TargetConfig['queue'];
}

/** Targets inside targets, at most so deep. */
const DEEPEST = 8;

/**
 * Who calls may be handed to. Only what is configured can be named, and only what is configured is ever dialled: a name
 * that a model, a caller or a header brings is looked up here, and is nothing when it is not found.
 */
export class Targets {
  constructor(
    private readonly targets: Readonly<Record<string, TargetConfig>>,
    private readonly trunks: readonly TrunkRoute[],
    private readonly users: UserLookup,
    private readonly clock: () => number = Date.now,
  ) {}

  /**
   * How a target is reached now.
   *
   * @param name of a target, or the SIP URI that the agent file itself has
   * @param own what the agent file has
   */
  async plan(name: string, own: readonly string[] = []): Promise<Plan | undefined> {
    const known = Object.hasOwn(this.targets, name) ? this.targets[name] : undefined;
    const config = known ?? (own.includes(name) && isSipUri(name) ? plainTarget(name) : undefined);
    if (!config) return undefined;
    return { target: name, steps: await this.steps(name, config, DEEPEST), queue: config.queue };
  }

  /**
   * The target that a phone's own Refer-To means: one with the same user and host, or whose name is its user part.
   * Nothing of the URI itself is dialled.
   */
  async planFor(uri: string): Promise<Plan | undefined> {
    const wanted = addressOf(uri);
    return wanted && this.plan(this.targetOf(wanted) ?? wanted.user);
  }

  /** Who is called by this URI, for people; undefined when it is nobody's of these. */
  nameOf(uri: string): string | undefined {
    const wanted = addressOf(uri);
    const target = wanted && this.targetOf(wanted);
    return target && (this.targets[target]?.name ?? target);
  }

  private targetOf({ user: wanted, whole }: NonNullable<ReturnType<typeof addressOf>>): string | undefined {
    return Object.keys(this.targets).find((name) => {
      const { uri: known, user, number } = this.targets[name] ?? {};
      if (known !== undefined) return addressOf(known)?.whole === whole;
      return user === wanted || number === wanted;
    });
  }

  /** SIP URIs of a target, for a redirect. */
  async uris(name: string): Promise<string[]> {
    const plan = await this.plan(name);
    return (plan?.steps ?? []).flatMap((step) => {
      if (step.type === 'dial') return step.destinations.map(({ uri }) => uri);
      return step.type === 'refer' ? [step.destination.uri] : [];
    });
  }

  private async steps(name: string, config: TargetConfig, depth: number): Promise<PlanStep[]> {
    if (depth === 0) return [];
    const own = await this.ownSteps(name, config, depth);
    const others = await Promise.all(config.fallback.map((other) => this.named(other, depth)));
    return [...own, ...others.flat()];
  }

  private named(name: string, depth: number): Promise<PlanStep[]> {
    const config = Object.hasOwn(this.targets, name) ? this.targets[name] : undefined;
    return config ? this.steps(name, config, depth - 1) : Promise.resolve([]);
  }

  private async ownSteps(target: string, config: TargetConfig, depth: number): Promise<PlanStep[]> {
    if (config.hours && !isOpen(config.hours, this.clock())) {
      return [{ type: 'skip', target, disposition: 'closed', reason: 'outside its hours' }];
    }
    if (config.agent !== undefined) return [{ type: 'agent', target, agent: config.agent }];
    if (config.callback) return [{ type: 'callback', target, message: config.callback.message }];
    if (config.hunt) return this.hunt(config.hunt, config.order, depth);
    const skipped = (reason: string) => [
      { type: 'skip' as const, target, disposition: 'unavailable' as const, reason },
    ];
    // A store that is away costs nobody else: other targets need none.
    const destinations = await this.destinations(target, config).catch(reasonOf);
    if (typeof destinations === 'string') return skipped(destinations);
    const [first] = destinations;
    if (!first) return skipped('not registered');
    return config.method === 'refer' ? [{ type: 'refer', destination: first }] : [{ type: 'dial', destinations }];
  }

  private async hunt(names: readonly string[], order: 'serial' | 'simultaneous', depth: number): Promise<PlanStep[]> {
    const steps = (await Promise.all(names.map((name) => this.named(name, depth)))).flat();
    if (order === 'serial') return steps;
    const destinations = steps.flatMap((step) => (step.type === 'dial' ? step.destinations : []));
    const others = steps.filter((step) => step.type !== 'dial');
    const skipped = others.filter((step) => step.type === 'skip');
    const last = others.filter((step) => step.type !== 'skip');
    return [...skipped, ...(destinations.length > 0 ? [{ type: 'dial' as const, destinations }] : []), ...last];
  }

  private async destinations(target: string, settings: TargetConfig): Promise<Destination[]> {
    const { uri, user, number, trunk } = settings;
    const name = settings.name ?? target;
    const made = (to: string, route?: TrunkRoute, proxy?: string): Destination => ({
      target,
      name,
      uri: to,
      route,
      proxy,
      settings,
    });
    if (uri !== undefined) return [made(uri)];
    if (user !== undefined)
      return (await this.users.lookup(user)).map(({ contact, received }) => made(contact, undefined, received));
    const route = this.trunks.find((known) => known.name === trunk);
    if (!route || number === undefined) return [];
    return [made(`sip:${number.replaceAll('#', '%23')}@${route.host}`, route)];
  }
}

/** What an agent file says of whom it hands over to. */
export interface AgentTargets {
  name: string;
  escalation: { target?: string | undefined; triggers: readonly { target?: string | undefined }[] };
}

/** Whom an agent file names, its triggers included. */
export function targetsOf({ escalation: { target, triggers } }: Pick<AgentTargets, 'escalation'>): string[] {
  return [target, ...triggers.map((trigger) => trigger.target)].filter((name) => name !== undefined);
}

/**
 * Checks that the targets that agents name exist, and the agents that targets name.
 *
 * @throws ParleyError PARLEY_ERR_TARGET_UNKNOWN, PARLEY_ERR_AGENT_UNKNOWN
 */
export function checkTargets(targets: Readonly<Record<string, TargetConfig>>, agents: readonly AgentTargets[]): void {
  for (const target of agents.flatMap(targetsOf)) {
    if (isSipUri(target) || Object.hasOwn(targets, target)) continue;
    throw new ParleyError('PARLEY_ERR_TARGET_UNKNOWN', { target });
  }
  const names = agents.map(({ name }) => name);
  for (const { agent } of Object.values(targets)) {
    if (agent === undefined || names.includes(agent)) continue;
    throw new ParleyError('PARLEY_ERR_AGENT_UNKNOWN', { agent, known: names.join(', ') });
  }
}

/** Whether a text is a SIP URI. */
function isSipUri(text: string): boolean {
  return /^sips?:[^\s<>"]+$/i.test(text);
}

/** What is wrong in how targets name each other, trunks and agents: path within `targets`, and why. */
export function targetProblems(
  targets: Readonly<Record<string, TargetConfig>>,
  trunks: ReadonlySet<string>,
): { path: (string | number)[]; reason: string }[] {
  const problems: { path: (string | number)[]; reason: string }[] = [];
  for (const [name, target] of Object.entries(targets)) {
    const check = (key: 'hunt' | 'fallback') =>
      target[key]?.forEach((other, index) => {
        if (!Object.hasOwn(targets, other))
          problems.push({ path: [name, key, index], reason: `there is no target "${other}"` });
        else if (reaches(targets, other, name))
          problems.push({ path: [name, key, index], reason: `"${other}" leads back to "${name}"` });
      });
    check('hunt');
    check('fallback');
    if (target.trunk !== undefined && !trunks.has(target.trunk)) {
      problems.push({ path: [name, 'trunk'], reason: `there is no trunk "${target.trunk}" with an outbound` });
    }
  }
  return problems;
}

function reaches(targets: Readonly<Record<string, TargetConfig>>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const visit = (name: string): boolean => {
    if (name === to) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    const { hunt = [], fallback = [] } = targets[name] ?? {};
    return [...hunt, ...fallback].some(visit);
  };
  return visit(from);
}

function addressOf(uri: string): { user: string; whole: string } | undefined {
  const [, user = '', host = ''] = /^sips?:([^@;?>]+)@([^;?>]+)/i.exec(uri) ?? [];
  return user === '' || host === ''
    ? undefined
    : { user, whole: `${user}@${host.toLowerCase().replace(/:5060$/, '')}` };
}
