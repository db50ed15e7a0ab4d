/** Whom a listener talks to. */
type TalksTo = 'none' | 'all' | 'caller' | 'person';

/** Somebody who listens to a call, and may talk in it. */
export interface Listening {
  say(pcm: Int16Array): void;
  talkTo(to: TalksTo): void;
  end(): void;
}

/** A call that can be listened to. */
export interface AudibleCall {
  readonly supervision: {
    listen(by: string, rate: 8000 | 16_000, to: TalksTo, ear: (pcm: Int16Array | undefined) => void): Listening;
  };
}
