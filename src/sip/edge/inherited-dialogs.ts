import type { Application } from './application/application.js';
import type { Core } from './core.js';
import { tagsOf } from './dialog/dialog.js';
import { type DialogRecord, dialogOf, recordOf } from './dialog/dialog-record.js';
import type { ReceivedRequest } from './transport/received.js';
import type { DialogClient } from './ua/dialog-client.js';

/** What an edge has from the one before it, and leaves to the next. */
export interface Inheritance {
  /** Dialogs of an edge before this one, which crashed: they go on with the application that connects first. */
  readonly dialogs?: readonly DialogRecord[];
  /** Dialogs of a process before this one, which nobody knows any more: they are ended with BYE. */
  readonly left?: readonly DialogRecord[];
  /** Told what of each confirmed dialog such an edge needs, whenever it changes; undefined when it has ended. */
  readonly keep?: (id: string, record: DialogRecord | undefined) => void;
}

/** The dialogs that outlive an edge: those it takes over when its application is there, and its own for the next one. */
export class InheritedDialogs {
  readonly #core: Core;
  readonly #client: DialogClient;
  readonly #keep: NonNullable<Inheritance['keep']> = () => undefined;
  /** Until the application is there, by Call-ID and both tags. */
  readonly #waiting: Map<string, DialogRecord>;
  #left: readonly DialogRecord[];

  constructor(core: Core, client: DialogClient, { dialogs = [], left = [], keep }: Inheritance) {
    this.#core = core;
    this.#client = client;
    this.#left = left;
    this.#waiting = new Map(dialogs.map((record) => [tagsOf(record), record]));
    if (!keep) return;
    this.#keep = keep;
    for (const record of dialogs) keep(record.id, record);
    core.dialogs.onRemoved = (id) => keep(id, undefined);
    client.sessions.onAgreed = (dialog, session) => keep(dialog.id, recordOf(dialog, session));
  }

  /** Whether a request of the peer belongs to one that has no application yet. */
  isAwaited({ callId, toTag, fromTag }: ReceivedRequest): boolean {
    return this.#waiting.has(tagsOf({ callId, localTag: toTag, remoteTag: fromTag }));
  }

  /** They go on, or end, with this application. */
  restore(app: Application): void {
    for (const record of this.#waiting.values()) {
      const dialog = this.#add(record, app);
      this.#keep(dialog.id, recordOf(dialog, record.session));
      if (record.session) this.#client.sessions.begin(dialog, record.session);
    }
    if (this.#waiting.size > 0)
      this.#core.log.warn({ dialogs: this.#waiting.size }, 'dialogs of the edge before go on');
    this.#waiting.clear();
    for (const record of this.#left) this.#client.end(this.#add(record, app), 'the server was started anew', false);
    this.#left = [];
  }

  #add(record: DialogRecord, app: Application) {
    const dialog = dialogOf(record, app);
    this.#core.dialogs.add(dialog);
    return dialog;
  }
}
