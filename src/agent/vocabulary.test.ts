import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadAgents } from './agents.js';
import { agentVocabulary } from './vocabulary.js';

const agents = loadAgents(fileURLToPath(new URL('../../agents', import.meta.url)));

describe('agentVocabulary', () => {
  it('holds what callers of the agent say: requests, choices, names of topics and articles', () => {
    const { phrases } = agentVocabulary(agents.get('clinic')!);
    for (const phrase of [
      'can I get a refill',
      'before lunch',
      'book appointment',
      'prescriptions',
      'Hillside Clinic',
    ]) {
      expect(phrases).toContain(phrase);
    }
  });
});
