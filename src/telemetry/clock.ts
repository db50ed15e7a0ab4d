/**
 * Monotonic time in ms with sub-millisecond fraction. The origin is the machine's, so every thread and process
 * reads the same clock: times may be sent in messages and subtracted anywhere. Never a wall-clock time.
 */
export function monotonicMs(): number {
  return ORIGIN + performance.now();
}

/** The machine's time less this thread's, both of one clock: process.hrtime() by itself makes an array a call. */
const ORIGIN = origin();

function origin(): number {
  let best = { ms: 0, within: Number.POSITIVE_INFINITY };
  // The thread may be held up between two readings: of some, those that are nearest to each other count.
  for (let n = 0; n < 8; n++) {
    const before = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const within = performance.now() - before;
    if (within < best.within) best = { ms: seconds * 1e3 + nanoseconds / 1e6 - before - within / 2, within };
  }
  return best.ms;
}
