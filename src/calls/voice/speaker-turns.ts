import type { VoiceEvent } from '../../conversation/voice.js';
import { monotonicMs } from '../../telemetry/clock.js';

/** Silence after which what somebody said is a line of the transcript, ms. */
const PAUSE_MS = 700;
/** Longest wait for the final words; then the newest partial stands. */
const FINAL_MS = 3000;

/** Where the lines go. */
export interface TurnsListener {
  /** @param startedAt of the first voiced sample, `endedAt` of the last, monotonicMs() */
  turn(text: string, startedAt: number, endedAt: number): void;
  partial(text: string): void;
  /** The words up to this position are on record: the recogniser begins anew after it. */
  commit(position: number): void;
}

/** What one side says to another, line by line: nobody answers here, so nothing has to be decided but where a line ends. */
export class SpeakerTurns {
  private speaking = false;
  private startedAt: number | undefined;
  private endedAt = 0;
  private text = '';
  private position = -1;
  private partial = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly listener: TurnsListener) {}

  /** Clocks that run, for leak tests. */
  get pending(): number {
    return this.timer ? 1 : 0;
  }

  event(event: VoiceEvent): void {
    switch (event.type) {
      case 'onset':
        this.speaking = true;
        this.startedAt ??= event.voicedAt ?? event.at;
        return this.stop();
      case 'offset':
        this.speaking = false;
        this.endedAt = event.voicedAt;
        return this.wait(FINAL_MS);
      case 'partial':
        this.partial = event.text;
        if (event.text) this.listener.partial(event.text);
        return;
      case 'final':
        this.text = event.text;
        this.position = event.position;
        this.partial = '';
        if (!this.speaking) this.wait(Math.max(0, PAUSE_MS - (monotonicMs() - this.endedAt)));
        return;
      case 'recognition.failed':
        if (!this.speaking) this.wait(0);
    }
  }

  /** What was said so far goes on record; the rest is no longer waited for. */
  flush(): void {
    this.stop();
    const text = this.text || this.partial;
    const { startedAt, position } = this;
    this.text = this.partial = '';
    this.startedAt = this.speaking ? monotonicMs() : undefined;
    this.position = -1;
    if (position >= 0) this.listener.commit(position);
    if (text) this.listener.turn(text, startedAt ?? this.endedAt, this.endedAt || monotonicMs());
  }

  private wait(ms: number): void {
    this.stop();
    this.timer = setTimeout(() => this.flush(), ms);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
