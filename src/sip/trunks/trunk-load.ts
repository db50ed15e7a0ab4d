/** Calls that trunks have at the moment, in both directions, and how many they may have. */
export class TrunkLoad {
  private readonly calls = new Map<string, number>();

  /** @param limits most calls by trunk; a trunk that is not there has no limit */
  constructor(private readonly limits: ReadonlyMap<string, number>) {}

  /** Calls of a trunk now. */
  of(trunk: string): number {
    return this.calls.get(trunk) ?? 0;
  }

  /**
   * Takes a place for a call; none is needed for a call by no trunk.
   *
   * @returns gives the place back, once however often it is called; undefined when the trunk is full
   */
  take(trunk: string | undefined): (() => void) | undefined {
    if (trunk === undefined) return () => undefined;
    const calls = this.of(trunk);
    if (calls >= (this.limits.get(trunk) ?? Number.POSITIVE_INFINITY)) return undefined;
    this.calls.set(trunk, calls + 1);
    let taken = true;
    return () => {
      if (taken) this.calls.set(trunk, this.of(trunk) - 1);
      taken = false;
    };
  }
}
