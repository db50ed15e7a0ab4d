import { randomBytes } from 'node:crypto';
import { reasonOf } from '../errors.js';
import type { Store } from '../store/store.js';
import type { Logger } from '../telemetry/log.js';
import { within } from '../telemetry/within.js';
import type { ReplaceableDialogs } from './replaceable.js';

const CHANNEL = 'dialogs';
/** Longest wait for the node that has a dialog, ms. */
const ANSWER_MS = 200;

/** One node asks which of the others has a dialog. */
interface Question {
  node: string;
  id: number;
  /** As the Replaces header has it. */
  replaces: string;
}

interface Answer {
  id: number;
  /** URI of its side of the dialog. */
  contact: string;
}

/**
 * Dialogs of the other nodes that share a store: whichever of them gets an INVITE with Replaces says where it belongs. They
 * are asked when one comes, as few dialogs are ever replaced and all would have to be noted.
 */
export class DialogsElsewhere {
  private readonly node = randomBytes(9).toString('hex');
  private readonly asked = new Map<number, (contact: string) => void>();
  private readonly undo: (() => unknown)[] = [];
  private last = 0;
  private listening = false;

  constructor(
    private readonly store: Pick<Store, 'fanout' | 'onRecovered'>,
    private readonly own: Pick<ReplaceableDialogs<unknown>, 'contactOf'>,
    private readonly logger: Logger,
  ) {
    this.undo.push(store.onRecovered(() => void this.listen()));
    void this.listen();
  }

  /** Where the dialog is that a Replaces names; undefined when no node says within {@link ANSWER_MS}. Never rejects. */
  async find(replaces: string): Promise<string | undefined> {
    const id = ++this.last;
    const answered = new Promise<string>((resolve) => this.asked.set(id, resolve));
    this.publish(CHANNEL, { node: this.node, id, replaces } satisfies Question);
    const contact = await within(ANSWER_MS, answered);
    this.asked.delete(id);
    return contact;
  }

  close(): void {
    for (const undo of this.undo.splice(0)) undo();
  }

  /** Tried again when the store is back. */
  private async listen(): Promise<void> {
    if (this.listening) return;
    this.listening = true;
    const { fanout } = this.store;
    try {
      this.undo.push(await fanout.subscribe(`${CHANNEL}:${this.node}`, (message) => this.told(JSON.parse(message))));
      this.undo.push(await fanout.subscribe(CHANNEL, (message) => this.answer(JSON.parse(message))));
    } catch (error) {
      this.listening = false;
      this.logger.warn({ reason: reasonOf(error) }, 'calls of other nodes can not be found until the store is back');
    }
  }

  private answer({ node, id, replaces }: Question): void {
    const contact = node === this.node ? undefined : this.own.contactOf(replaces);
    if (contact !== undefined) this.publish(`${CHANNEL}:${node}`, { id, contact } satisfies Answer);
  }

  private told({ id, contact }: Answer): void {
    this.asked.get(id)?.(contact);
  }

  private publish(channel: string, message: Question | Answer): void {
    this.store.fanout.publish(channel, JSON.stringify(message)).catch(() => undefined);
  }
}
