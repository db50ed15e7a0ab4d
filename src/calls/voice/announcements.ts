/** What came of sentences that were announced. */
export interface Announced {
  heard: string;
  /** They were cut. */
  stopped: boolean;
}

interface Announcement {
  /** Nothing is heard of the peer meanwhile. */
  deaf: boolean;
  left: Set<string>;
  heard: string[];
  stopped: boolean;
  done: () => void;
}

/** Sentences that a voice says besides the conversation. */
export class Announcements {
  private readonly open = new Set<Announcement>();
  private made = 0;
  private closed = false;

  /** @param say queues one sentence; its end is to be told by {@link ended} */
  constructor(
    private readonly say: (id: string, text: string) => void,
    private readonly stop: () => void,
  ) {}

  /** Whether nothing is to be heard of the peer now. */
  get deaf(): boolean {
    for (const { deaf } of this.open) if (deaf) return true;
    return false;
  }

  /** Resolves when all was heard, or cut; `ms`: longest that it may take. */
  async announce(sentences: readonly string[], ms: number, deaf: boolean): Promise<Announced> {
    const serial = ++this.made;
    const ids = sentences.map((_, n) => `announcement-${serial}-${n}`);
    const announcement: Announcement = { deaf, left: new Set(ids), heard: [], stopped: false, done: () => undefined };
    this.open.add(announcement);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => announcement.done(), ms);
      announcement.done = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.closed || ids.length === 0) return announcement.done();
      for (const [n, text] of sentences.entries()) this.say(ids[n] ?? '', text);
    });
    this.open.delete(announcement);
    const cut = announcement.left.size > 0;
    if (cut && !this.closed) this.stop();
    return { heard: announcement.heard.join(' '), stopped: announcement.stopped || cut };
  }

  /** An utterance is over. False when it was none of these. */
  ended(id: string, heard: string, stopped: boolean): boolean {
    for (const announcement of this.open) {
      if (!announcement.left.delete(id)) continue;
      if (heard) announcement.heard.push(heard);
      announcement.stopped ||= stopped;
      if (announcement.left.size === 0) announcement.done();
      return true;
    }
    return false;
  }

  /** Nothing more is said: who waits is told so. */
  close(): void {
    this.closed = true;
    for (const announcement of this.open) announcement.done();
  }
}
