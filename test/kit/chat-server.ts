import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a chat model was asked. */
export interface ChatAsked {
  messages: { role: string; content: string; tool_calls?: unknown[] }[];
  tools?: { function: { name: string } }[];
  /** The client went away before the answer was whole. */
  aborted: boolean;
}

/** An answer: its text in parts, and what is to be called. */
export interface ChatAnswer {
  /** Before the first part, ms. */
  afterMs?: number;
  parts?: readonly string[];
  call?: { name: string; arguments: Record<string, unknown> };
  status?: number;
  /** Never answers. */
  silent?: boolean;
}

/** An OpenAI-compatible chat completions endpoint whose answers a test or bench decides. */
export class ChatServer {
  readonly asked: ChatAsked[] = [];

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    private readonly answer: (asked: ChatAsked) => ChatAnswer,
  ) {}

  static async start(answer: (asked: ChatAsked) => ChatAnswer): Promise<ChatServer> {
    const server = createServer((request, response) => void chat.take(request, response));
    const chat = new ChatServer(server, answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return chat;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return void response.end('{"data":[]}');
    let body = '';
    for await (const part of request) body += part;
    const asked: ChatAsked = { ...JSON.parse(body), aborted: false };
    this.asked.push(asked);
    response.on('close', () => {
      asked.aborted = !response.writableFinished;
    });
    const { afterMs = 0, parts = [], call, status = 200, silent } = this.answer(asked);
    if (silent) return;
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    response.writeHead(status, { 'content-type': status === 200 ? 'text/event-stream' : 'text/plain' });
    if (status !== 200) return void response.end('no');
    const send = (delta: object) => response.write(`data: ${JSON.stringify({ choices: [{ delta }] })}\r\n\r\n`);
    for (const content of parts) send({ content });
    if (call) {
      const [head, tail] = halves(JSON.stringify(call.arguments));
      send({ tool_calls: [{ index: 0, id: 'c1', function: { name: call.name, arguments: head } }] });
      send({ tool_calls: [{ index: 0, function: { arguments: tail } }] });
    }
    response.end('data: [DONE]\n\n');
  }
}

function halves(text: string): [string, string] {
  const middle = text.length >> 1;
  return [text.slice(0, middle), text.slice(middle)];
}
