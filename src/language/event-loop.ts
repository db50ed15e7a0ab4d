import { setImmediate } from 'node:timers/promises';
import { monotonicMs } from '../telemetry/clock.js';

/** What computes for long on a thread that has calls lets go of it so often, ms. */
const TURN_MS = 5;

/** Long work in turns with whatever else the thread has to do. */
export class SharedThread {
  private since = monotonicMs();

  /** Whether it is the others' turn: then {@link letOthers} is to be awaited. */
  get isOthersTurn(): boolean {
    return monotonicMs() - this.since >= TURN_MS;
  }

  async letOthers(): Promise<void> {
    await setImmediate();
    this.since = monotonicMs();
  }
}
