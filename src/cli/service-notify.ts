import { execFile } from 'node:child_process';
import type { Logger } from '../telemetry/log.js';

/** What systemd is told besides `WATCHDOG=1`. */
type State = 'READY=1' | 'STOPPING=1';

/** Asked for the watchdog: what is wrong for good, and a line for `systemctl status`. */
export interface ServiceHealth {
  unhealthy: string | undefined;
  calls: number;
  alarms: readonly { code: string }[];
}

/**
 * Tells systemd how the service is (sd_notify(3)): when it takes calls, when it ends, and, for `WatchdogSec=`, at half of that
 * time that it is healthy. Nothing is told when it is not, and systemd starts it anew. Node.js has no datagram sockets
 * of the file system, so `systemd-notify` does the telling, which is wherever systemd is; the unit has to say `NotifyAccess=all`.
 */
export class ServiceNotify {
  private readonly watchdog: NodeJS.Timeout | undefined;
  private last: Promise<void> = Promise.resolve();

  /** Does nothing where no service manager listens. */
  constructor(
    private readonly env: NodeJS.ProcessEnv,
    private readonly health: () => ServiceHealth,
    private readonly logger: Logger,
  ) {
    const periodMs = Number(env.WATCHDOG_USEC ?? 0) / 1000;
    const ours = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
    if (!this.active || !(periodMs > 0) || !ours) return;
    this.watchdog = setInterval(() => void this.beat(), periodMs / 2);
    this.watchdog.unref();
  }

  /** Resolves when it is told. */
  tell(state: State): Promise<void> {
    return this.send([state, `--status=${state === 'STOPPING=1' ? 'draining' : this.status()}`]);
  }

  close(): void {
    clearInterval(this.watchdog);
  }

  private get active(): boolean {
    return this.env.NOTIFY_SOCKET !== undefined;
  }

  private beat(): Promise<void> {
    const { unhealthy } = this.health();
    if (unhealthy === undefined) return this.send(['WATCHDOG=1', `--status=${this.status()}`]);
    this.logger.fatal({ reason: unhealthy }, 'not healthy: the watchdog is told nothing more');
    return this.last;
  }

  private status(): string {
    const { calls, alarms } = this.health();
    const wrong = alarms.map(({ code }) => code).join(', ');
    return `${calls} calls${wrong && `; ${wrong}`}`;
  }

  private send(words: readonly string[]): Promise<void> {
    if (!this.active) return this.last;
    this.last = this.last.then(
      () =>
        new Promise((resolve) => {
          execFile('systemd-notify', [`--pid=${process.pid}`, ...words], { timeout: 5000 }, (error) => {
            if (error) this.logger.warn({ reason: error.message }, 'systemd could not be told');
            resolve();
          });
        }),
    );
    return this.last;
  }
}
