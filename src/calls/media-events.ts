import type { JournalEvent } from '../journal/events.js';
import type { FromMedia } from '../workers/messages.js';

/** What of a leg's media goes on record; undefined for what others deal with. */
export function mediaRecord(event: FromMedia): JournalEvent | undefined {
  switch (event.type) {
    case 'quality': {
      const { leg: _, type, ...quality } = event;
      return { type: 'media.quality', ...rounded(quality) };
    }
    case 'silent': {
      const { direction, seconds, on } = event;
      return { type: 'media.silent', direction, seconds, on };
    }
    case 'recording.failed':
      return { type: 'error', code: event.code, message: event.reason };
    case 'recording.finished': {
      const { file, seconds, complete } = event;
      return { type: 'recording.finished', file, durationMs: Math.round(seconds * 1000), complete };
    }
    default:
      return undefined;
  }
}

/** Two decimals say all that was measured. */
function rounded<T extends Record<string, unknown>>(values: T): T {
  const round = (value: unknown) => (typeof value === 'number' ? Math.round(value * 100) / 100 : value);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)])) as T;
}
