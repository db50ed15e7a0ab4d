/**
 * Undoes what a turn did when it is given up before it was certain.
 *
 * @param certain resolves when the turn is over; absent when it was from the beginning
 */
export function undoIfGivenUp(signal: AbortSignal, certain: Promise<void> | undefined, undo: () => void): void {
  if (!certain) return;
  signal.addEventListener('abort', undo, { once: true });
  certain.then(
    () => signal.removeEventListener('abort', undo),
    () => undefined,
  );
}
