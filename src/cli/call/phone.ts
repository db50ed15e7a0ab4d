import { type AudioOptions, legRate } from '../../rtp/sdp/sdp.js';
import { sipConfig } from '../../sip/config.js';
import { UserAgent } from '../../sip/user-agent.js';
import { createLogger, type LogLevel } from '../../telemetry/log.js';
import { MediaHost } from '../../workers/media/media-host.js';
import type { LegEvent } from '../../workers/messages.js';
import type { Route } from './address.js';
import { type CallEnd, type DialLimits, PhoneCall } from './phone-call.js';

/** Apart from the server's, so that both find free ports on one machine at once. */
const PORTS = { from: 30_000, to: 31_999 };
const VAD = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 160, windowMs: 32 } as const;

/** How a call is dialled. */
export interface DialOptions extends DialLimits {
  /** A SIP address, or its user part. */
  from?: string | undefined;
  headers: Readonly<Record<string, string>>;
}

/** A softphone without a face: its own SIP edge and media worker. Makes any number of calls, also at once. */
export class Phone {
  private readonly calls = new Set<PhoneCall>();
  private made = 0;

  private constructor(
    private readonly agent: UserAgent,
    private readonly media: MediaHost,
    private readonly audio: AudioOptions,
  ) {}

  /**
   * @param route towards what will be called: says which of our addresses to use
   * @param audio what is offered; the best of it decides the rate of all calls
   */
  static async start(route: Route, audio: AudioOptions, logLevel: LogLevel): Promise<Phone> {
    const logger = createLogger(logLevel, 'caller');
    const networks = route.loopback ? ['127.0.0.0/8', '::1/128'] : ['0.0.0.0/0', '::/0'];
    const config = sipConfig.parse({ host: route.local, port: 0, allowedNetworks: networks });
    const media = await MediaHost.start({
      workers: 1,
      bind: route.local,
      ports: PORTS,
      vad: VAD,
      codecs: audio.codecs,
      logLevel,
    });
    try {
      const onInvite = (invite: { reject(status: number): void }) => invite.reject(480);
      const agent = await UserAgent.start({ config, logger, logLevel, onInvite, onLost: () => undefined });
      const phone = new Phone(agent, media, audio);
      media.onWorkerLost(() => void phone.hangUp({ by: 'error', reason: 'the media worker ended' }));
      return phone;
    } catch (error) {
      await media.close();
      throw error;
    }
  }

  /** Resolves when the call is answered or will not be. */
  async dial(uri: string, { from, headers, ...limits }: DialOptions): Promise<PhoneCall> {
    let call: PhoneCall | undefined;
    const rate = legRate(undefined, this.audio);
    const leg = await this.media.open(`call-${++this.made}`, (event: LegEvent) => call?.onMedia(event), rate);
    call = new PhoneCall(leg, this.audio);
    const dialled = call;
    this.calls.add(dialled);
    void dialled.over.then(() => this.calls.delete(dialled));
    await dialled.dial(this.agent.srf, uri, { From: fromHeader(from), ...headers }, limits);
    return dialled;
  }

  /** Hangs up everything. Resolves when it is over. */
  async hangUp(end?: CallEnd): Promise<void> {
    await Promise.all([...this.calls].map((call) => call.hangUp(end)));
  }

  async close(): Promise<void> {
    await this.hangUp();
    await this.agent.close();
    await this.media.close();
  }
}

/** `@localhost` is replaced by the edge with its own address. */
function fromHeader(from = 'parley-call'): string {
  if (/^sips?:/i.test(from)) return `<${from}>`;
  return from.includes('<') ? from : `<sip:${from}@localhost>`;
}
