import type Srf from 'drachtio-srf';
import { AudioRing } from '../../audio/ring.js';
import { reasonOf } from '../../errors.js';
import { type AudioOptions, acceptAnswer, answerOffer, makeOffer, SdpSession } from '../../rtp/sdp/sdp.js';
import { monotonicMs } from '../../telemetry/clock.js';
import type { MediaLeg } from '../../workers/media/hosted-leg.js';
import type { LegEvent } from '../../workers/messages.js';
import { HeardAudio } from './heard.js';
import type { TimedSound } from './recording.js';

/** How a call ended. */
export interface CallEnd {
  by: 'caller' | 'agent' | 'transfer' | 'rejected' | 'cancelled' | 'timeout' | 'limit' | 'error';
  reason?: string;
  /** Where the agent sent the caller to. */
  target?: string;
}

/** How often arrivals are looked at, ms: the precision of every measured time. */
const TICK_MS = 4;
/** A peer that does not answer BYE or CANCEL is not waited for longer, ms. */
const GOODBYE_MS = 2000;
/** After a REFER the agent's side ends the call; if it does not, we do, ms. */
const TRANSFER_MS = 1000;

/** How long a call may take. Times in ms. */
export interface DialLimits {
  timeoutMs: number;
  limitMs: number;
  /** CANCEL follows the INVITE at once. */
  cancel?: boolean | undefined;
}

interface Waiter {
  test: () => boolean;
  deadline: number;
  resolve: (met: boolean) => void;
}

/** One outgoing call: its signalling, what it plays and what it hears. Times are `monotonicMs()`. */
export class PhoneCall {
  readonly heard: HeardAudio;
  /** What was played and when. */
  readonly played: TimedSound[] = [];
  /** Final status of the INVITE, and its words. */
  status: number | undefined;
  reason: string | undefined;
  inviteAt = 0;
  /** When the 200 came and its ACK was handed on. */
  answeredAt: number | undefined;
  endedAt = 0;
  end: CallEnd | undefined;
  private readonly session = new SdpSession();
  private readonly offer: string;
  private readonly waiters = new Set<Waiter>();
  private readonly started = new Map<string, (at: number) => void>();
  /** Resolves when the call is over. */
  readonly over: Promise<void>;
  private setOver: () => void = () => undefined;
  private dialog: Srf.Dialog | undefined;
  private request: Srf.SrfRequest | undefined;
  private cancelled: CallEnd | undefined;
  private transferredTo: string | undefined;
  private ticker: NodeJS.Timeout | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly leg: MediaLeg,
    private readonly audio: AudioOptions,
  ) {
    this.heard = new HeardAudio(new AudioRing(leg.ring as SharedArrayBuffer), leg.sampleRate);
    this.offer = makeOffer({ address: leg.address, port: leg.port }, this.session, audio);
    this.over = new Promise((resolve) => {
      this.setOver = resolve;
    });
  }

  get sampleRate(): number {
    return this.leg.sampleRate;
  }

  /**
   * Sends the INVITE; resolves when the call is answered or will not be (see `end`).
   *
   * @param limits longest wait for an answer and longest call
   */
  async dial(srf: Srf, uri: string, headers: Record<string, string>, limits: DialLimits): Promise<void> {
    const { timeoutMs, limitMs, cancel } = limits;
    if (cancel) this.cancelled = { by: 'cancelled' };
    this.inviteAt = monotonicMs();
    this.timer = setTimeout(
      () => void this.hangUp({ by: 'timeout', reason: `no answer in ${timeoutMs} ms` }),
      timeoutMs,
    );
    const answered = new Promise<void>((resolve) => {
      const progress = { cbRequest: (error: unknown, request?: Srf.SrfRequest) => this.onSent(error, request) };
      // The library's types leave the error out of cbRequest's parameters.
      const callbacks = progress as unknown as { cbRequest: (request: Srf.SrfRequest) => void };
      srf.createUAC(uri, { localSdp: this.offer, headers }, callbacks, (error: unknown, dialog) => {
        if (error || !dialog) this.onRefused(error);
        else this.onAnswered(dialog, limitMs);
        resolve();
      });
    });
    await Promise.race([answered, this.over]);
  }

  /**
   * Plays after what is being played.
   *
   * @returns when its first packet went out; undefined when the call ended before
   */
  async play(pcm: Int16Array): Promise<number | undefined> {
    if (this.end) return undefined;
    const { leg, sampleRate } = this.leg;
    const utterance = `line-${this.played.length}-${this.started.size}`;
    const begun = new Promise<number>((resolve) => this.started.set(utterance, resolve));
    this.leg.enqueue(1, utterance);
    this.leg.clip({ leg, epoch: 1, utterance, pcm, sampleRate });
    const at = await Promise.race([begun, this.over]);
    if (typeof at === 'number') this.played.push({ at, pcm });
    return typeof at === 'number' ? at : undefined;
  }

  /** Presses keys, by RFC 4733 where that was agreed, else in the sound. Resolves when they were sent, or the call ended. */
  async press(keys: string): Promise<void> {
    if (!this.end) await Promise.race([this.leg.digits(keys, 'rfc4733'), this.over]);
  }

  /** Waits until the test holds. False when it did not within `ms`, or the call ended. */
  until(test: () => boolean, ms: number): Promise<boolean> {
    if (this.end) return Promise.resolve(false);
    return new Promise((resolve) => this.waiters.add({ test, deadline: monotonicMs() + ms, resolve }));
  }

  /** Ends the call from our side, at whatever point it is. Resolves when it is over. */
  async hangUp(end: CallEnd = { by: 'caller' }): Promise<void> {
    if (this.end) return;
    if (this.dialog) {
      const { dialog } = this;
      this.finish(end);
      await settled((done) => dialog.destroy({ headers: {} }, done));
      return;
    }
    this.cancelled ??= end;
    // A request that is not sent yet is cancelled as soon as it is.
    this.request?.cancel(() => undefined);
    const patience = setTimeout(() => this.finish(this.cancelled ?? end), GOODBYE_MS);
    await this.over;
    clearTimeout(patience);
  }

  onMedia(event: LegEvent): void {
    if (event.type === 'utterance.started') {
      this.started.get(event.utterance)?.(event.at);
      this.started.delete(event.utterance);
    } else if (event.type === 'closed') {
      this.finish({ by: 'error', reason: 'the media worker ended' });
    }
  }

  private onSent(error: unknown, request: Srf.SrfRequest | undefined): void {
    if (error || !request) return;
    this.request = request;
    if (this.cancelled) request.cancel(() => undefined);
  }

  private onRefused(error: unknown): void {
    if (!isRefusal(error)) {
      this.finish(this.cancelled ?? { by: 'error', reason: reasonOf(error) });
      return;
    }
    this.status = error.status;
    this.reason = error.reason ?? error.res?.reason;
    const target = redirection(error);
    const end: CallEnd = { by: 'rejected' };
    if (this.reason) end.reason = this.reason;
    if (target !== undefined) end.target = target;
    this.finish(this.cancelled ?? end);
  }

  private onAnswered(dialog: Srf.Dialog, limitMs: number): void {
    this.dialog = dialog;
    this.status = 200;
    this.reason = 'OK';
    this.answeredAt = monotonicMs();
    clearTimeout(this.timer);
    dialog.on('destroy', (request) => this.onBye(request));
    dialog.on('modify', (request, response) => this.onReInvite(request, response));
    dialog.on('ack', (request) => this.onAck(request));
    dialog.on('refer', (request, response) => void this.onRefer(dialog, request, response));
    if (this.end || this.cancelled) return void this.hangUpAnswered(dialog);
    try {
      this.leg.negotiated(acceptAnswer(this.offer, dialog.remote.sdp, this.audio));
    } catch (error) {
      void this.hangUp({ by: 'error', reason: reasonOf(error) });
      return;
    }
    this.timer = setTimeout(() => void this.hangUp({ by: 'limit', reason: `${limitMs} ms are over` }), limitMs);
    this.ticker = setInterval(() => this.tick(), TICK_MS);
  }

  /** The 200 crossed our CANCEL. */
  private async hangUpAnswered(dialog: Srf.Dialog): Promise<void> {
    await settled((done) => dialog.destroy({ headers: {} }, done));
    this.finish(this.cancelled ?? { by: 'cancelled' });
  }

  private onBye(request: Srf.SrfRequest): void {
    this.dialog = undefined;
    const header = request.has('Reason') ? request.get('Reason') : undefined;
    const reason = header === undefined ? undefined : (/text="([^"]*)"/.exec(header)?.[1] ?? header);
    this.finish({ by: 'agent', ...(reason ? { reason } : {}) });
  }

  private onReInvite(request: Srf.SrfRequest, response: Srf.SrfResponse): void {
    const local = { address: this.leg.address, port: this.leg.port };
    const headers = { 'Content-Type': 'application/sdp' };
    try {
      if (!request.body) {
        response.send(200, { body: makeOffer(local, this.session, this.audio), headers });
        return;
      }
      const { sdp, media } = answerOffer(request.body, local, this.session, this.audio);
      response.send(200, { body: sdp, headers });
      this.leg.negotiated(media);
    } catch {
      response.send(488);
    }
  }

  /** The ACK of a re-INVITE that left the offer to us brings the answer. */
  private onAck(request: Srf.SrfRequest): void {
    if (!request.body) return;
    try {
      this.leg.negotiated(acceptAnswer(this.offer, request.body, this.audio));
    } catch (error) {
      void this.hangUp({ by: 'error', reason: reasonOf(error) });
    }
  }

  /** We are asked to call somebody else (RFC 3515). We say that it worked; nobody is really called. */
  private async onRefer(dialog: Srf.Dialog, request: Srf.SrfRequest, response: Srf.SrfResponse): Promise<void> {
    const target = request.get('Refer-To').replace(/^.*<([^>]*)>.*$/, '$1');
    this.transferredTo = target;
    response.send(202);
    const headers = {
      Event: 'refer',
      'Subscription-State': 'terminated;reason=noresource',
      'Content-Type': 'message/sipfrag;version=2.0',
    };
    const notify = { method: 'NOTIFY', headers, body: 'SIP/2.0 200 OK' };
    // The library's types ask for a whole received request here.
    await settled((done) => dialog.request(notify as unknown as Srf.SrfRequest, done));
    await this.until(() => false, TRANSFER_MS);
    await this.hangUp({ by: 'transfer', target });
  }

  private tick(): void {
    const now = monotonicMs();
    this.heard.take(now);
    for (const waiter of this.waiters) {
      const met = waiter.test();
      if (!met && now < waiter.deadline) continue;
      this.waiters.delete(waiter);
      waiter.resolve(met);
    }
  }

  private finish(end: CallEnd): void {
    if (this.end) return;
    const target = this.transferredTo;
    this.end = target === undefined ? end : { ...end, by: 'transfer', target };
    this.endedAt = monotonicMs();
    clearTimeout(this.timer);
    clearInterval(this.ticker);
    this.heard.take(this.endedAt);
    for (const waiter of this.waiters) waiter.resolve(false);
    this.waiters.clear();
    this.setOver();
    void this.leg.close();
  }
}

/** Resolves when a request of ours was answered, failed, or has had its time. */
function settled(send: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GOODBYE_MS);
    send(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** The library's error of a call that was refused; its types do not have it. */
interface Refusal {
  status: number;
  reason?: string;
  res?: Srf.SrfResponse;
}

function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'status' in error && typeof error.status === 'number';
}

/** Where a redirection (3xx) points. */
function redirection({ status, res }: Refusal): string | undefined {
  if (status < 300 || status > 399 || !res?.has('Contact')) return undefined;
  return res.get('Contact').replace(/^.*<([^>]*)>.*$/, '$1');
}
