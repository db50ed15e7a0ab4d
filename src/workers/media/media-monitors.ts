import { FrameQueue } from '../../media/mixing/frame-queue.js';
import type { Mixer } from '../../media/mixing/mixer.js';
import type { PcmRate } from '../../rtp/negotiated.js';
import type { FromMedia, MonitorOptions } from '../messages.js';

/** What comes from a supervisor may be so far ahead, ms: what is more is dropped, the oldest first. */
const AHEAD_MS = 400;

interface Monitor {
  readonly name: string;
  /** Leg that events of it are named by. */
  readonly leg: string;
  readonly rate: PcmRate;
  readonly heard: Int16Array;
  readonly said: Int16Array;
  readonly queue: FrameQueue;
  /** Legs that hear what it says; `all` of them, or one. */
  talksTo: 'none' | 'all' | string;
}

/**
 * Those who listen to a call, or talk in it, without a phone: supervisors, whose audio comes and goes through the main
 * thread. Each is an ear that hears everybody, and a mouth that some or all legs hear.
 */
export class Monitors {
  private readonly list: Monitor[] = [];

  constructor(
    private readonly mixer: Mixer,
    private readonly post: (event: FromMedia) => void,
  ) {}

  get empty(): boolean {
    return this.list.length === 0;
  }

  /** Lets somebody in, or changes whom they talk to. `voices`: ids of all that is to be heard in the room. */
  set(
    leg: string,
    { monitor: name, rate, talksTo }: MonitorOptions,
    legs: readonly string[],
    voices: readonly string[],
  ) {
    const known = this.list.find((monitor) => monitor.name === name);
    if (known) known.talksTo = talksTo;
    else {
      const samples = rate / 50;
      const queue = new FrameQueue((rate * AHEAD_MS) / 1000);
      const frames = { heard: new Int16Array(samples), said: new Int16Array(samples) };
      this.list.push({ name, leg, rate, queue, talksTo, ...frames });
      this.mixer.join(earOf(name), { rate, speaks: false });
      this.mixer.join(mouthOf(name), { rate, hears: false });
    }
    this.refresh(legs, voices);
  }

  remove(name: string, legs: readonly string[], voices: readonly string[]): void {
    const at = this.list.findIndex((monitor) => monitor.name === name);
    if (at < 0) return;
    this.list.splice(at, 1);
    this.mixer.leave(earOf(name));
    this.mixer.leave(mouthOf(name));
    this.refresh(legs, voices);
  }

  /** Somebody came or went: everybody is heard by everybody who listens. */
  refresh(legs: readonly string[], voices: readonly string[]): void {
    for (const { name, talksTo } of this.list) {
      const others = this.list.flatMap((other) => (other.name === name ? [] : [mouthOf(other.name)]));
      this.mixer.mode({ mode: 'listen', who: earOf(name), only: [...voices, ...others] });
      const to = talksTo === 'none' ? [] : talksTo === 'all' ? legs : [talksTo];
      this.mixer.mode({ mode: 'play', from: mouthOf(name), to });
    }
  }

  /** What somebody says, in pieces of any length, at their rate. */
  audio(name: string, pcm: Int16Array): void {
    this.list.find((monitor) => monitor.name === name)?.queue.push(pcm);
  }

  /** Before the mix. */
  offer(): void {
    for (const { name, queue, said, talksTo } of this.list) {
      if (talksTo !== 'none' && queue.take(said)) this.mixer.offer(mouthOf(name), said);
    }
  }

  /** After it. @param masked what is said is for nobody else: they hear silence */
  deliver(masked: boolean): void {
    for (const { name, leg, heard } of this.list) {
      if (masked || this.mixer.take(earOf(name), heard) === 0) heard.fill(0);
      // A copy: it goes to another thread.
      this.post({ type: 'monitor.frame', leg, monitor: name, pcm: heard.slice() });
    }
  }
}

function earOf(name: string): string {
  return `monitor/${name}/ear`;
}

function mouthOf(name: string): string {
  return `monitor/${name}/mouth`;
}
