import type { WaitTimes } from '../turns/config.js';

/** How a conversation behaves; composed from the agent file and the configuration. Times in ms. */
export interface ConversationSettings {
  /** Silence after the caller's last voiced sample that ends the turn, by what was said. */
  endpointing: WaitTimes;
  /** Whether answers are prepared in pauses, before it is certain that the turn is over. */
  speculation: boolean;
  /** Whether the words of a burst over the agent's voice decide who goes on, or its length alone. */
  judge: 'words' | 'voice';
  /** Voice that takes the floor when its length alone decides. */
  voiceMs: number;
  /** Words of this agent that stop it at once, besides those that stop every agent. */
  stopWords: readonly string[];
  /** Whether a second judge is asked about bursts that the local one is not sure of. */
  secondJudge: boolean;
  /** Caller and agent began to speak at once when there was no more than this between their first sounds. */
  collisionMs: number;
  /** Said when both began at once, both fell silent, and the caller had hardly begun. */
  goAhead: string;
  /** Said when recognition has to begin again, and the caller would wait in silence. */
  bearWithMe: string;
  /** Longest wait for the final words of a burst over the agent's voice; then it is judged by what is known. */
  finalMs: number;
  /** What the agent's voice does on the first sound of the caller's over it, until it is decided who goes on. */
  reflex: 'duck' | 'pause';
  /** Playout level while it is ducked; 1 is full. */
  duckLevel: number;
  /** A short burst over the agent's last words still counts as an answer when it ended at most this long before them. */
  overlapMs: number;
  /** Silence for which a caller who asked for time is left alone. */
  handBackMs: number;
  idle: {
    afterMs: number;
    prompts: readonly string[];
    goodbye: string;
    /** The call goes to a person once the caller has been silent through `after` prompts. */
    handOver?: { after: number; say: string; target: string; trigger: string; priority: number } | undefined;
  };
  /** Longest caller turn; then the words so far are taken. */
  turnMs: number;
  /** Longest call; then the agent says farewell. */
  callMs: number;
  farewell: string;
  /** Longest wait for the recogniser's final after the turn's end. */
  recognitionMs: number;
  /** Longest wait for the reasoner's first sentence. */
  reasonerMs: number;
  /** Said when the reasoner or recogniser failed; after `failures` in a row the call goes to a person. */
  apology: string;
  failures: number;
  /** Variables whose values are for nobody but the agent. */
  secrets: readonly string[];
  /** Silence after a key that ends keyed input. */
  dtmfMs: number;
}
