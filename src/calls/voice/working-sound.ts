import type { StoredEvent } from '../../journal/events.js';

/** What is heard of an agent at work. */
export interface WorkingSettings {
  sound: 'none' | 'typing';
  /** An action that takes no longer is not heard, ms. */
  afterMs: number;
}

/** Whom it is played to. */
export interface WorkingHost {
  /** Of the agent that has the call now. */
  settings(): WorkingSettings | undefined;
  /** Starts it, or ends it. */
  play(sound: 'typing' | undefined): void;
}

/** Longest that it goes on, whatever the action does, ms. */
const MOST_MS = 60_000;

/**
 * The sound of somebody at a keyboard while the agent's actions run, so that a caller who waits does not take the line for
 * dead: by the call's own events. Anything else that is played to the caller ends it.
 */
export class WorkingSound {
  /** Actions under way, by the turn that they are for. */
  private readonly running: number[] = [];
  private timer: NodeJS.Timeout | undefined;
  private playing = false;
  private held = false;

  constructor(private readonly host: WorkingHost) {}

  /** Clocks that run, for leak tests. */
  get pending(): number {
    return this.timer ? 1 : 0;
  }

  event(event: StoredEvent): void {
    switch (event.type) {
      case 'action.called':
        this.running.push(event.turn);
        return this.begin();
      case 'action.returned': {
        const at = this.running.indexOf(event.turn);
        if (at >= 0) this.running.splice(at, 1);
        return this.running.length === 0 ? this.end() : undefined;
      }
      case 'caller.turn':
        // What was for an earlier turn was given up.
        if (this.running.every((turn) => turn < event.turn)) this.end();
        return;
      case 'hold':
        this.held = event.on;
        // Our music is played in its place already.
        if (event.by === 'us') this.playing = false;
        return this.end();
      case 'transfer.started':
      case 'interruption':
      case 'agent.changed':
      case 'call.summary':
        return this.end();
    }
  }

  private begin(): void {
    const settings = this.host.settings();
    if (this.timer || this.held || settings === undefined || settings.sound === 'none') return;
    const { sound } = settings;
    this.timer = setTimeout(() => {
      this.playing = true;
      this.host.play(sound);
      this.timer = setTimeout(() => this.end(), MOST_MS).unref();
    }, settings.afterMs);
  }

  private end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.running.length = 0;
    if (!this.playing) return;
    this.playing = false;
    this.host.play(undefined);
  }
}
