import type { Reasoner } from '../agent/reasoner.js';
import type { ConversationSettings } from '../conversation/settings.js';
import type { Vocabulary } from '../speech/recognition/vocabulary.js';
import type { Lexicon } from '../speech/synthesis/lexicon.js';
import type { VoiceSettings } from '../speech/synthesis/synthesiser.js';
import type { LlmJudge } from '../turns/llm-judge.js';
import type { WorkingSettings } from './voice/working-sound.js';

/** An agent as a call needs it: what answers, how it sounds, what it can expect to hear, how it takes turns, and who takes over. */
export interface VoiceAgent {
  name: string;
  /** Of its files' content. */
  version: string;
  /** BCP 47. */
  language: string;
  reasoner: Reasoner;
  voice: VoiceSettings;
  lexicon: Lexicon | undefined;
  vocabulary: Vocabulary;
  settings: ConversationSettings;
  /** What is heard while its actions run. */
  working?: WorkingSettings | undefined;
  /** Asked about interruptions that the local judge is not sure of. */
  judge: LlmJudge | undefined;
  /** The people behind the agent: name of a target, or SIP URI; undefined when there are none. */
  escalationTarget: string | undefined;
  /** All targets that the agent file names, its triggers' too: SIP URIs among them are dialled for this agent only. */
  ownTargets: readonly string[];
}
