import type { Vocabulary } from '../../speech/recognition/vocabulary.js';
import type { ExpectedAnswer } from '../../text/expected.js';
import type { AgentSpeech, ToSpeech } from '../messages.js';
import type { ListenerEvent } from './speech-listener.js';

/** What recognition needs of a media leg. */
export interface ListenedLeg {
  readonly leg: string;
  /** See AudioRing. */
  readonly ring: SharedArrayBuffer;
  /** Of the ring, Hz. */
  readonly sampleRate: number;
  /** Has the leg's onsets and offsets sent to that speech worker, or to none. */
  listen(speech: number | undefined): void;
}

/** What a stream tells; `moved`: its worker was lost, and another takes it over as soon as there is one. */
export type StreamEvent = ListenerEvent | { type: 'moved'; leg: string };

/** One leg's recognition. */
export interface SpeechStream {
  /** What the agent has just asked for. */
  expect(expected: ExpectedAnswer): void;
  /** What the agent says, or has just said. */
  agentSays(agent: AgentSpeech): void;
  /** The words up to this position belong to a turn that was taken: the next utterance begins after it. */
  commit(position: number): void;
  /** Asks for a final up to this position, even while the caller is speaking. */
  finalise(position: number): void;
  close(): void;
}

/** One leg's recognition as main keeps it, so that another worker can take it over. */
export class HostedStream implements SpeechStream {
  /** Index of the worker that has it now. */
  worker: number | undefined;
  private send: (message: ToSpeech) => void = () => undefined;
  private committed: number;
  private expected: ExpectedAnswer | undefined;
  private agent: AgentSpeech | undefined;
  /** Positions of finals asked for and not answered. */
  private readonly asked = new Set<number>();
  /** Position of the last final, and what it was when another worker took over. */
  private answered = -1;
  private answeredBefore = -1;
  private placed = 0;

  constructor(
    private readonly leg: ListenedLeg,
    private readonly vocabulary: Vocabulary | undefined,
    private readonly listener: (event: StreamEvent) => void,
    private readonly onClose: () => void,
    from = 0,
  ) {
    this.committed = from;
  }

  /** Gives the stream to a worker, with all it has to know. */
  place(worker: number, send: (message: ToSpeech) => void): void {
    const { leg, ring, sampleRate } = this.leg;
    this.worker = worker;
    this.send = send;
    this.leg.listen(worker);
    const { committed: from, vocabulary } = this;
    send({ type: 'stream.open', leg, ring, sampleRate, from, resumed: this.placed++ > 0, vocabulary });
    if (this.expected) send({ type: 'stream.expect', leg, expected: this.expected });
    if (this.agent) send({ type: 'stream.agent', leg, agent: this.agent });
    for (const position of this.asked) send({ type: 'stream.finalise', leg, position });
  }

  /** Its worker is lost. */
  displace(): void {
    this.worker = undefined;
    // One that only seemed to hang hears of it later.
    this.send({ type: 'stream.close', leg: this.leg.leg });
    this.send = () => undefined;
    this.answeredBefore = this.answered;
    this.listener({ type: 'moved', leg: this.leg.leg });
  }

  expect(expected: ExpectedAnswer): void {
    this.expected = expected;
    this.send({ type: 'stream.expect', leg: this.leg.leg, expected });
  }

  agentSays(agent: AgentSpeech): void {
    this.agent = agent;
    this.send({ type: 'stream.agent', leg: this.leg.leg, agent });
  }

  commit(position: number): void {
    this.committed = Math.max(this.committed, position);
    this.send({ type: 'stream.commit', leg: this.leg.leg, position });
  }

  finalise(position: number): void {
    this.asked.add(position);
    this.send({ type: 'stream.finalise', leg: this.leg.leg, position });
  }

  close(): void {
    this.leg.listen(undefined);
    this.send({ type: 'stream.close', leg: this.leg.leg });
    this.worker = undefined;
    this.send = () => undefined;
    this.onClose();
  }

  /** Something a worker says about this stream. A worker that took over repeats finals, which are left out here. */
  heard(worker: number, event: ListenerEvent): void {
    if (worker !== this.worker) return;
    if (event.type === 'final') {
      const wanted = this.asked.delete(event.position);
      if (!wanted && event.position <= this.answeredBefore) return;
      this.answered = Math.max(this.answered, event.position);
    }
    this.listener(event);
  }
}
