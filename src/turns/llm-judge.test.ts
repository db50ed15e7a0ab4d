import { afterEach, describe, expect, it } from 'vitest';
import { type ChatAnswer, ChatServer } from '../../test/kit/chat-server.js';
import { LlmJudge } from './llm-judge.js';

let chat: ChatServer | undefined;
afterEach(async () => {
  await chat?.close();
});

async function judge(answer: () => ChatAnswer): Promise<{ judge: LlmJudge; chat: ChatServer }> {
  const server = await ChatServer.start(answer);
  chat = server;
  const endpoint = { url: server.url, model: 'test', headers: {}, timeoutMs: 500 };
  return { judge: new LlmJudge(endpoint), chat: server };
}

describe('the second judge', () => {
  it('answers with the first word of the model, and remembers it for the same words', async () => {
    const { judge: second, chat: server } = await judge(() => ({ parts: ['FL', 'OOR', ' because'] }));
    expect(await second.takesFloor('my sister', 'We open at nine.', 0)).toBe(true);
    expect(await second.takesFloor('My sister.', 'We open at nine.', 0)).toBe(true);
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]?.messages[1]?.content).toContain('my sister');
  });

  it('has no verdict when the model talks about something else, is late, or refuses, and then leaves it alone', async () => {
    let answer: ChatAnswer = { parts: ['I think'] };
    const { judge: second, chat: server } = await judge(() => answer);
    expect(await second.takesFloor('one', '', 0)).toBeUndefined();
    answer = { silent: true };
    expect(await second.takesFloor('two', '', 0)).toBeUndefined();
    answer = { status: 500 };
    expect(await second.takesFloor('three', '', 0)).toBeUndefined();
    expect(await second.takesFloor('four', '', 0)).toBeUndefined();
    const asked = server.asked.length;
    expect(await second.takesFloor('five', '', 1000)).toBeUndefined();
    expect(server.asked).toHaveLength(asked);
    answer = { parts: ['LISTEN'] };
    expect(await second.takesFloor('five', '', 60_000)).toBe(false);
  });
});
