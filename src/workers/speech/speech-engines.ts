import { resample } from '../../audio/resample.js';
import { TopicEncoder } from '../../language/encoder.js';
import type { GateOptions } from '../../speech/detection/gate.js';
import { findSpeech, type SpeechSegment } from '../../speech/detection/segments.js';
import { BatchVad } from '../../speech/detection/silero.js';
import type { DecoderLanguage } from '../../speech/recognition/moonshine/language.js';
import { Moonshine } from '../../speech/recognition/moonshine/moonshine.js';
import type { Recogniser } from '../../speech/recognition/recogniser.js';
import { createSynthesiser } from '../../speech/synthesis/engines.js';
import type { Synthesiser, VoiceSettings } from '../../speech/synthesis/synthesiser.js';
import { EndpointModel } from '../../turns/models/endpoint-model.js';
import { InterruptionModel } from '../../turns/models/interruption-model.js';
import type { TurnModels } from './speech-listener.js';

const DEFAULT_VOICE: VoiceSettings = { engine: 'flite', speed: 1 };
const VAD_RATE = 8000;
/** For recordings and for streams taken over, where nothing waits for an onset. */
const GATE: GateOptions = { threshold: 0.5, release: 0.35, onsetMs: 96, offsetMs: 200, windowMs: 32 };

/** The models of one speech worker, loaded and warmed. */
export class SpeechEngines {
  /** What tells whether a turn is over and who has the floor. */
  readonly turns: TurnModels = {
    finished: (input) => this.endpoint.probability(input),
    real: (input) => this.interruption.probability(input),
    meanings: (words) => this.topics.meanings(words),
  };
  private readonly synthesisers = new Map<string, Promise<Synthesiser>>();

  private constructor(
    readonly recogniser: Recogniser,
    private readonly vad: BatchVad,
    private readonly language: DecoderLanguage,
    private readonly endpoint: EndpointModel,
    private readonly interruption: InterruptionModel,
    readonly topics: TopicEncoder,
  ) {}

  /** @throws ParleyError PARLEY_ERR_MODEL_MISSING, PARLEY_ERR_MODEL_UNUSABLE, PARLEY_ERR_SYNTHESIS_ENGINE */
  static async load(): Promise<SpeechEngines> {
    const recogniser = await Moonshine.load();
    const language = await recogniser.language();
    const engines = new SpeechEngines(
      recogniser,
      await BatchVad.load(VAD_RATE),
      language,
      await EndpointModel.load(language),
      await InterruptionModel.load(language),
      await TopicEncoder.load(),
    );
    await engines.turns.finished({ words: 'yes', agent: '', expected: { kind: 'open' } });
    await engines.turns.real({ words: 'yes', elapsedMs: 300, speaking: true, agent: '' });
    await engines.topics.meanings('yes');
    await engines.speech(new Int16Array(VAD_RATE / 4), VAD_RATE);
    const voice = await engines.synthesiser(DEFAULT_VOICE.engine);
    await voice.synthesise('Hello.', DEFAULT_VOICE);
    return engines;
  }

  /** The engine of that name, loaded when first asked for. */
  synthesiser(engine: string): Promise<Synthesiser> {
    let made = this.synthesisers.get(engine);
    if (!made) {
      made = createSynthesiser(engine);
      this.synthesisers.set(engine, made);
      // A failed load is tried again when next asked for.
      made.catch(() => this.synthesisers.delete(engine));
    }
    return made;
  }

  /** Where speech is in a recording of any rate, in its own samples. */
  async speech(pcm: Int16Array, sampleRate: number): Promise<SpeechSegment[]> {
    const scale = sampleRate / VAD_RATE;
    const found = await findSpeech(this.vad, resample(pcm, sampleRate, VAD_RATE), GATE);
    return found.map(({ start, end }) => ({
      start: Math.round(start * scale),
      end: end === undefined ? undefined : Math.round(end * scale),
    }));
  }

  /** Frees the models. */
  async close(): Promise<void> {
    await this.recogniser.close();
    await this.vad.close();
    await this.endpoint.release();
    await this.language.close();
    await this.interruption.release();
    await this.topics.release();
    for (const made of this.synthesisers.values()) await (await made).close();
  }
}
