import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { versionOf } from '../../config/version.js';
import type { ActionDefinition, LocalActionDefinition } from '../file/actions.js';
import type { Variables } from '../file/paths.js';

/** What a local action is given besides its parameters. */
export interface LocalActionContext {
  /** Aborted when the caller has gone on, hung up, or the time is over. */
  signal: AbortSignal;
  now: Date;
  variables: Variables;
}

/**
 * An action in JavaScript. What it returns is kept as JSON.
 *
 * @param parameters as the agent file declares them
 */
export type ActionFunction = (parameters: Record<string, unknown>, context: LocalActionContext) => unknown;

/** The functions of the program that Parley runs inside, by the name of their action. */
export type ActionFunctions = Readonly<Record<string, ActionFunction>>;

/** The JavaScript modules of an agent's local actions, loaded when the agent is. */
export class LocalModules {
  readonly #modules = new Map<string, Promise<unknown>>();

  constructor(
    private readonly directory: string,
    definitions: readonly ActionDefinition[],
  ) {
    for (const definition of definitions) {
      if (definition.type !== 'local') continue;
      // A module that cannot be loaded fails its action when that is called, and nothing before.
      this.#load(definition.module).catch(() => undefined);
    }
  }

  /** @throws Error when the module cannot be loaded or has no such function, and whatever the function throws */
  async call(definition: LocalActionDefinition, parameters: Variables, context: LocalActionContext): Promise<unknown> {
    context.signal.throwIfAborted();
    const module = await this.#load(definition.module);
    const run: unknown = Reflect.get(Object(module), definition.function);
    if (typeof run !== 'function') throw new Error(`${definition.module} exports no function "${definition.function}"`);
    return callFunction((...given) => run(...given), parameters, context);
  }

  #load(module: string): Promise<unknown> {
    const known = this.#modules.get(module);
    if (known) return known;
    const loading: Promise<unknown> = importNow(resolve(this.directory, module));
    this.#modules.set(module, loading);
    return loading;
  }
}

/** The version of each module that was imported first. */
const imported = new Map<string, string>();

/** A module that was changed since it was imported is imported anew; what it imports itself is not. */
async function importNow(path: string): Promise<unknown> {
  const { href } = pathToFileURL(path);
  const version = versionOf(readFileSync(path));
  const first = imported.get(path) ?? version;
  imported.set(path, first);
  return import(version === first ? href : `${href}?version=${version}`);
}

/** Calls it, and waits no longer than the signal lets it. @throws whatever the function throws */
export function callFunction(
  run: ActionFunction,
  parameters: Variables,
  context: LocalActionContext,
): Promise<unknown> {
  const { signal } = context;
  return new Promise((settle, fail) => {
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    Promise.resolve()
      .then(() => run(parameters, context))
      .then(settle, fail)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
