import { setTimeout as delay } from 'node:timers/promises';

/** Bounds of {@link until}: `ms` in all (default 10 s), a look every `everyMs` (default 20 ms). */
export interface UntilOptions {
  ms?: number;
  everyMs?: number;
}

/**
 * Looks until the probe answers something truthy, and returns it.
 *
 * @param what what is waited for, named in the error
 * @throws Error after `ms`, with the probe's last refusal
 */
export async function until<T>(what: string, probe: () => T | Promise<T>, options: UntilOptions = {}): Promise<T & {}> {
  const { ms = 10_000, everyMs = 20 } = options;
  const end = performance.now() + ms;
  let refusal = '';
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      refusal = `: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}${refusal}`);
    await delay(everyMs);
  }
}
