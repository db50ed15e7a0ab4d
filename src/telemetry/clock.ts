/**
 * Monotonic time in ms with sub-millisecond fraction. The origin is the machine's, so every thread and process
 * reads the same clock: times may be sent in messages and subtracted anywhere. Never a wall-clock time.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
