/** Sentences of an answer that are made ready while nobody knows whether they will be said: the first clause is what counts. */
const READY = 1;

/**
 * One answer being made. While it may still turn out to be unwanted, what it tells is kept back and its first sentence is
 * only made ready.
 */
export class Answer {
  readonly abort = new AbortController();
  /** Resolves when it is wanted for certain; rejects when it is not. */
  readonly certain: Promise<void>;
  /** Resolves in either case. */
  readonly settled: Promise<void>;
  private kept: (() => void)[] | undefined;
  private sentences = 0;
  private confirmed: () => void = () => {};

  /** @param prepare has a sentence ready; given when it is not certain that the answer is wanted */
  constructor(private readonly prepare?: (text: string, signal: AbortSignal) => void) {
    if (prepare) this.kept = [];
    this.certain = new Promise((resolve, reject) => {
      this.confirmed = resolve;
      if (!prepare) resolve();
      this.signal.addEventListener('abort', () => reject(this.signal.reason));
    });
    this.settled = this.certain.catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** A sentence is known. */
  ready(text: string): void {
    if (this.kept && this.sentences++ < READY) this.prepare?.(text, this.signal);
  }

  /** Now, or when it is certain. */
  tell(what: () => void): void {
    if (this.kept) this.kept.push(what);
    else what();
  }

  /** It is wanted: what it had to tell is told in order. */
  confirm(): void {
    const kept = this.kept ?? [];
    this.kept = undefined;
    for (const what of kept) what();
    this.confirmed();
  }
}
