import { ParleyError, reasonOf } from '../../errors.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { ActionDefinition } from '../file/actions.js';
import { type Variables, valueAt } from '../file/paths.js';
import { callHttp } from './http.js';
import { type ActionFunctions, callFunction, type LocalActionContext, LocalModules } from './local.js';

/** What an action did. */
export type ActionOutcome = { ok: true; result: unknown; ms: number } | { ok: false; error: ParleyError; ms: number };

/** What runs the actions of one agent. */
export interface ActionRunner {
  get(name: string): ActionDefinition | undefined;
  run(name: string, variables: Variables, signal: AbortSignal): Promise<ActionOutcome>;
}

/** Runs the actions of one agent. */
export class Actions implements ActionRunner {
  readonly #definitions: ReadonlyMap<string, ActionDefinition>;
  readonly #modules: LocalModules;

  constructor(
    definitions: readonly ActionDefinition[],
    directory: string,
    private readonly now: () => Date,
    private readonly functions: ActionFunctions = {},
  ) {
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    this.#modules = new LocalModules(directory, definitions);
  }

  get(name: string): ActionDefinition | undefined {
    return this.#definitions.get(name);
  }

  /**
   * Runs an action. A failure is an outcome, not an exception; one without side effects that failed at once is tried
   * once more.
   *
   * @throws the signal's reason when it is aborted
   */
  async run(name: string, variables: Variables, signal: AbortSignal): Promise<ActionOutcome> {
    const definition = this.#definitions.get(name);
    const began = monotonicMs();
    const failed = (reason: string, cause?: unknown): ActionOutcome => ({
      ok: false,
      error: new ParleyError('PARLEY_ERR_ACTION_FAILED', { action: name, reason }, { cause }),
      ms: monotonicMs() - began,
    });
    if (!definition) return failed('there is no such action');
    for (let attempt = 1; ; attempt++) {
      const timeout = AbortSignal.timeout(Math.max(1, Math.round(definition.timeoutMs - (monotonicMs() - began))));
      try {
        const result = await this.#once(definition, variables, AbortSignal.any([signal, timeout]));
        return { ok: true, result, ms: monotonicMs() - began };
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (timeout.aborted) return failed(`no answer within ${definition.timeoutMs} ms`, error);
        if (definition.sideEffects || attempt === 2) return failed(reasonOf(error), error);
      }
    }
  }

  async #once(definition: ActionDefinition, variables: Variables, signal: AbortSignal): Promise<unknown> {
    const parameters = parametersOf(definition, variables);
    if (definition.type === 'http') return callHttp(definition, { ...variables, ...parameters }, parameters, signal);
    const result = await this.#call(definition, parameters, { signal, now: this.now(), variables });
    // Plain data only: it is kept in the conversation's state and in the journal.
    return JSON.parse(JSON.stringify(result ?? null));
  }

  #call(
    definition: Exclude<ActionDefinition, { type: 'http' }>,
    parameters: Record<string, unknown>,
    context: LocalActionContext,
  ): Promise<unknown> {
    if (definition.type === 'local') return this.#modules.call(definition, parameters, context);
    const run = Object.hasOwn(this.functions, definition.name) ? this.functions[definition.name] : undefined;
    if (!run) throw new Error('the program that runs Parley has no function of this name');
    return callFunction(run, parameters, context);
  }
}

/** The values of an action's parameters; those that are not there are left out. */
export function parametersOf(definition: ActionDefinition, variables: Variables): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const [name, { from }] of Object.entries(definition.parameters)) {
    const value = valueAt(variables, from ?? name);
    if (value !== undefined && value !== null) parameters[name] = value;
  }
  return parameters;
}
