import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Server } from './server.js';

/** Something that is ended after the tests of a block. */
type Part = { close(): unknown } | { stop(): unknown } | { remove(): unknown };

/** Ends a part after the last test, the last one first; returns it. */
export type Keep = <T extends Part>(part: T) => T;

/**
 * Starts the server of a block of tests, and what they need beside it. After each test, or after the last of those that
 * run at the same time, nothing is open in it, and nothing but its log ever stood on its standard error.
 */
export function fixture(start: (keep: Keep) => Promise<Server>): void {
  const parts: Part[] = [];
  let server: Server | undefined;

  async function expectIdle(): Promise<void> {
    // One that did not start has said why.
    if (!server) return;
    if (server.alive) await server.waitForIdle();
    expect(server.noise).toEqual([]);
  }

  beforeAll(async () => {
    server = await start((part) => {
      parts.push(part);
      return part;
    });
  });

  afterEach(async ({ task }) => {
    if (!task.concurrent) await expectIdle();
  });

  afterAll(async () => {
    try {
      await expectIdle();
    } finally {
      await server?.stop();
      for (const part of parts.reverse()) {
        if ('close' in part) await part.close();
        else if ('stop' in part) await part.stop();
        else part.remove();
      }
    }
  });
}
