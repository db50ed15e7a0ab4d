import type { Reasoner } from '../agent/reasoner.js';
import type { ConversationSettings } from '../conversation/settings.js';
import type { Vocabulary } from '../speech/recognition/vocabulary.js';
import type { Lexicon } from '../speech/synthesis/lexicon.js';
import type { VoiceSettings } from '../speech/synthesis/synthesiser.js';
import type { LlmJudge } from '../turns/llm-judge.js';

/** An agent as a call needs it: what answers, how it sounds, what it can expect to hear, how it takes turns, and who takes over. */
export interface VoiceAgent {
  name: string;
  reasoner: Reasoner;
  voice: VoiceSettings;
  lexicon: Lexicon | undefined;
  vocabulary: Vocabulary;
  settings: ConversationSettings;
  /** Asked about interruptions that the local judge is not sure of. */
  judge: LlmJudge | undefined;
  /** SIP URI of the people behind the agent; undefined when there are none. */
  escalationTarget: string | undefined;
}
