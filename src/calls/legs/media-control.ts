/**
 * What of a call's media is controlled while it runs, besides the talk. The media workers carry it out; the call only
 * says when.
 */
export interface MediaControl {
  /** Plays music on hold to the caller in place of the agent, or stops it. */
  music(on: boolean): void;
  /**
   * Sends keys; `,` is a pause of 1 s, `w` of 500 ms. Resolves when the last is sent.
   *
   * @returns how many went out
   */
  keys(keys: string, method: 'rfc4733' | 'inband'): Promise<number>;
  /** @param beep whether those on the line hear again and again that it is recorded */
  record(action: 'start' | 'pause' | 'resume', beep?: boolean): void;
}
