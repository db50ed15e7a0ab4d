import type { Redirection } from '../../dialplan/dialplan.js';
import { ParleyError } from '../../errors.js';
import type { Logger } from '../../telemetry/log.js';
import type { Prepared } from '../prepare.js';
import type { Plan, Targets } from './targets.js';

/** Where a call may be sent: the targets of the configuration, and the SIP URIs that its agent file and dialplan entry bring. */
export class CallTargets {
  /** @param answered what the call is answered with, once it is known */
  constructor(
    private readonly targets: Pick<Targets, 'plan' | 'uris'>,
    private readonly answered: () => Pick<Prepared, 'agent' | 'action'> | undefined,
    private readonly logger: Logger,
  ) {}

  /** The people behind the agent, else those behind the dialplan entry. */
  get fallback(): string | undefined {
    const { agent, action } = this.answered() ?? {};
    return agent?.escalationTarget ?? action?.fallback?.target ?? action?.fallback?.redirect;
  }

  /** The way to a target; what went wrong when there is none of that name, or it can't be looked up. */
  async plan(target: string): Promise<Plan | ParleyError> {
    try {
      return (await this.targets.plan(target, this.own)) ?? new ParleyError('PARLEY_ERR_TARGET_UNKNOWN', { target });
    } catch (error) {
      this.logger.error({ err: error, target }, 'a target could not be looked up');
      return new ParleyError('PARLEY_ERR_TARGET_UNKNOWN', { target });
    }
  }

  async knows(target: string): Promise<boolean> {
    return !((await this.plan(target)) instanceof ParleyError);
  }

  /** Whether a call gets there without this process: by REFER. */
  async refers(target: string): Promise<boolean> {
    const plan = await this.plan(target);
    return !(plan instanceof ParleyError) && plan.steps[0]?.type === 'refer';
  }

  /** Whom a 302 names; none where a target is closed, or nobody is there. */
  async contacts(to: Redirection): Promise<string[]> {
    return 'uri' in to ? [to.uri] : await this.targets.uris(to.target).catch(() => []);
  }

  private get own(): string[] {
    const { agent, action } = this.answered() ?? {};
    return [...(agent?.ownTargets ?? []), action?.fallback?.redirect].filter((one) => one !== undefined);
  }
}
