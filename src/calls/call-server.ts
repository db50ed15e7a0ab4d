import { type JournalBook, newCallId } from '../journal/journal.js';
import type { Invite } from '../sip/invite.js';
import { inCall } from '../telemetry/call-scope.js';
import { monotonicMs } from '../telemetry/clock.js';
import { within } from '../telemetry/within.js';
import { Call } from './call.js';
import type { CallCommands } from './call-commands.js';
import { type CallServices, factsOf, type Route } from './services.js';

/** All live calls: admission, and their end. */
export class CallServer {
  private readonly calls = new Map<string, Promise<void>>();
  private readonly live = new Map<string, Call>();
  private draining = false;
  private services: CallServices;

  constructor(
    services: CallServices,
    private readonly journals: JournalBook,
  ) {
    this.services = { ...services, running: (entry) => this.running(entry) };
  }

  /** From the next call on; a call keeps what it began with. */
  renew(edition: Pick<CallServices, 'dialplan' | 'agents'>): void {
    this.services = { ...this.services, ...edition };
  }

  /** Calls that are not wholly released yet, and what they have pending. */
  stats(): { calls: number; timers: number } {
    let timers = 0;
    for (const call of this.live.values()) timers += call.pending;
    return { calls: this.live.size, timers };
  }

  /** The calls that are up, oldest first. */
  list(): ReturnType<Call['describe']>[] {
    return [...this.live.values()].map((call) => call.describe());
  }

  /** What a live call can be told to do, by Parley's id. */
  get(id: string): CallCommands | undefined {
    return this.live.get(id)?.commands;
  }

  /** Calls that a dialplan entry has at the moment. */
  private running(entry: string): number {
    let calls = 0;
    for (const call of this.live.values()) if (call.entry === entry) calls++;
    return calls;
  }

  /** Whether no more calls are taken, as the process is about to end. */
  get isDraining(): boolean {
    return this.draining;
  }

  /** Whether the dialplan has something for this call. */
  takes(invite: Invite): boolean {
    return this.services.dialplan.match(factsOf(this.services, invite)) !== undefined;
  }

  /** Takes an INVITE. @param route in place of the dialplan's */
  admit(invite: Invite, route?: Route): void {
    const { limits, logger, admission, refused } = this.services;
    const full = this.live.size >= limits.calls ? 'calls' : admission?.overload;
    const reason = this.draining ? 'draining' : full;
    if (reason) {
      logger.warn(
        { sipCallId: invite.sipCallId, from: invite.from, to: invite.to, calls: this.live.size, reason },
        'call refused: no room',
      );
      refused?.(reason);
      return invite.reject(503, { 'Retry-After': String(limits.retryAfterS) });
    }
    const { trunk } = this.services.audio(invite.source);
    const { trunkLoad } = this.services;
    const place = trunkLoad ? trunkLoad.take(trunk) : () => undefined;
    if (!place) return this.overflow(invite, trunk ?? '');
    const journal = this.journals.open(newCallId(), monotonicMs());
    const call = new Call(this.services, invite, journal, route);
    logger.info(
      {
        call: call.id,
        leg: 'caller',
        sipCallId: invite.sipCallId,
        from: invite.from,
        to: invite.to,
        source: invite.source,
      },
      'call',
    );
    this.live.set(call.id, call);
    const done = inCall(call.id, () => call.run()).finally(() => {
      place();
      this.live.delete(call.id);
      this.calls.delete(call.id);
    });
    this.calls.set(call.id, done);
  }

  /** The trunk has as many calls as it may have. */
  private overflow(invite: Invite, trunk: string): void {
    const { limits, logger, trunks, targets, refused } = this.services;
    refused?.('trunk');
    const { target, uri } = trunks?.get(trunk)?.overflow ?? {};
    logger.warn({ from: invite.from, to: invite.to, trunk, redirected: target ?? uri }, 'call refused: trunk is full');
    const refuse = () => invite.reject(503, { 'Retry-After': String(limits.retryAfterS) });
    if (uri !== undefined) return invite.redirect([uri]);
    if (target === undefined) return refuse();
    targets.uris(target).then((uris) => (uris.length > 0 ? invite.redirect(uris) : refuse()), refuse);
  }

  /** The signalling is gone, and with it the calls that were being set up. @param all and every dialog */
  lost(reason: string, all: boolean): void {
    for (const call of this.live.values()) if (all || !call.standing) call.end('lost', reason);
  }

  /** Something of a call failed that nothing caught: the people behind its agent take it, or it ends. */
  failed(call: string, error: unknown): void {
    this.live.get(call)?.mishaps.failed(error);
  }

  /** The media of these legs is gone: `call`, `call/person`, each with `~n` behind it when it was set up again before. */
  lostLegs(legs: readonly string[]): void {
    const calls = new Set(legs.map((leg) => leg.split(/[/~]/)[0] ?? ''));
    for (const call of calls) this.live.get(call)?.mishaps.mediaLost();
  }

  /**
   * Refuses new calls and lets the running ones end by themselves for `limits.drainMs`. Those that are up then go to the
   * people behind their agent, where the call can leave this process for them, or hear a farewell. Resolves when no call
   * is left, or nothing more can be waited for.
   */
  async drain(): Promise<void> {
    this.draining = true;
    const { limits, logger } = this.services;
    if (this.live.size > 0) logger.info({ calls: this.live.size, ms: limits.drainMs }, 'draining');
    if (limits.drainMs === 0 || (await this.emptyWithin(limits.drainMs))) return;
    for (const call of this.live.values()) void call.mishaps.shutdown();
    await this.emptyWithin(Math.min(limits.drainMs, limits.referMs));
  }

  private async emptyWithin(ms: number): Promise<boolean> {
    await within(ms, Promise.all(this.calls.values()));
    return this.calls.size === 0;
  }

  /** Refuses new calls and ends the running ones; resolves when nothing of them is left. */
  async close(): Promise<void> {
    this.draining = true;
    for (const call of this.live.values()) call.end('shutdown');
    await Promise.all(this.calls.values());
  }
}
