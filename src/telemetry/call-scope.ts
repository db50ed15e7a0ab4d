import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<string | undefined>();

/** Runs work of one call: an error that nothing catches, in it or in what it begins, is that call's. */
export function inCall<T>(call: string, work: () => T): T {
  return scope.run(call, work);
}

/** The call whose work this is; undefined for what belongs to none. */
export function callOfScope(): string | undefined {
  return scope.getStore();
}

/**
 * A listener that runs in the present scope, whoever calls it. What it throws does not reach the caller, who may have
 * others to tell: it comes up as an error that nothing caught, in that scope.
 */
export function scoped<A extends unknown[]>(listener: (...args: A) => void): (...args: A) => void {
  const call = scope.getStore();
  return (...args) =>
    scope.run(call, () => {
      try {
        listener(...args);
      } catch (error) {
        // Not a microtask: Node has left its scope when it reports what that throws.
        setImmediate(() => {
          throw error;
        });
      }
    });
}
