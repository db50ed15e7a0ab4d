import { z } from 'zod';
import { ParleyError, reasonOf } from '../../errors.js';
import { eventData } from './event-stream.js';

/** An endpoint of the chat completions API that OpenAI, vLLM, Ollama, llama.cpp and others serve. */
export interface ChatEndpoint {
  /** Base, with the version: `https://api.openai.com/v1`. */
  url: string;
  model: string;
  headers: Record<string, string>;
  /** Longest wait for the answer to begin, and then between two of its parts, ms. */
  timeoutMs: number;
}

/** A function that the model wants called. */
export interface ToolCall {
  id: string;
  name: string;
  /** JSON, as the model wrote it. */
  arguments: string;
}

/** A message of the conversation so far. */
export type ChatMessage =
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string; calls?: readonly ToolCall[] | undefined }
  | { role: 'tool'; call: string; content: string };

/** A function that the model may call; `parameters` is a JSON schema. */
export interface ChatTool {
  name: string;
  description: string;
  parameters: Record<string, unknown>;
}

/** What is asked. */
export interface ChatRequest {
  messages: readonly ChatMessage[];
  tools?: readonly ChatTool[] | undefined;
  temperature?: number | undefined;
  maxTokens?: number | undefined;
}

/** A part of the answer: text as it is made, and at the end what is to be called. */
export type ChatPart = { type: 'text'; text: string } | { type: 'calls'; calls: ToolCall[] };

/** Longest that warming up takes, ms. */
const WARM_MS = 3000;

const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            tool_calls: z
              .array(
                z.object({
                  index: z.number().optional(),
                  id: z.string().nullish(),
                  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).optional(),
                }),
              )
              .nullish(),
          })
          .nullish(),
      }),
    )
    .default([]),
  error: z.object({ message: z.string() }).nullish(),
});

/**
 * Streams the answer of a chat model. Aborting closes the connection, which ends the model's work.
 *
 * @throws ParleyError PARLEY_ERR_LLM_FAILED; the signal's reason
 */
export async function* streamChat(
  endpoint: ChatEndpoint,
  request: ChatRequest,
  signal: AbortSignal,
): AsyncGenerator<ChatPart, void, undefined> {
  const late = new AbortController();
  const both = AbortSignal.any([signal, late.signal]);
  const timer = setTimeout(() => late.abort(new Error(`nothing for ${endpoint.timeoutMs} ms`)), endpoint.timeoutMs);
  const calls = new Map<number, ToolCall>();
  try {
    const body = await post(endpoint, request, both);
    for await (const data of eventData(body)) {
      timer.refresh();
      if (data === '[DONE]') break;
      const { choices, error } = chunk.parse(JSON.parse(data));
      if (error) throw new Error(error.message);
      const delta = choices[0]?.delta;
      if (delta?.content) yield { type: 'text', text: delta.content };
      for (const part of delta?.tool_calls ?? []) addCall(calls, part);
    }
    if (calls.size > 0) yield { type: 'calls', calls: [...calls.values()] };
  } catch (error) {
    signal.throwIfAborted();
    const reason = late.signal.aborted ? reasonOf(late.signal.reason) : causeOf(error);
    throw new ParleyError('PARLEY_ERR_LLM_FAILED', { url: endpoint.url, reason }, { cause: error });
  } finally {
    clearTimeout(timer);
    // A reader that stops early leaves nothing running.
    late.abort();
  }
}

/** Opens the connection and whatever else the first request would wait for. Whether anybody answers does not matter yet. */
export async function warmChat({ url, headers }: ChatEndpoint): Promise<void> {
  const signal = AbortSignal.timeout(WARM_MS);
  await fetch(`${url.replace(/\/$/, '')}/models`, { headers, signal })
    .then((response) => response.text())
    .catch(() => undefined);
}

async function post(
  { url, model, headers }: ChatEndpoint,
  { messages, tools, temperature, maxTokens }: ChatRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await fetch(`${url.replace(/\/$/, '')}/chat/completions`, {
    method: 'POST',
    signal,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({
      model,
      stream: true,
      messages: messages.map(wireMessage),
      tools: tools?.length ? tools.map((tool) => ({ type: 'function', function: tool })) : undefined,
      temperature,
      max_tokens: maxTokens,
    }),
  });
  if (response.ok && response.body) return response.body;
  const said = (await response.text()).slice(0, 200).replace(/\s+/g, ' ');
  throw new Error(`status ${response.status}${said && `: ${said}`}`);
}

function wireMessage(message: ChatMessage): object {
  switch (message.role) {
    case 'tool':
      return { role: 'tool', tool_call_id: message.call, content: message.content };
    case 'assistant':
      return { role: 'assistant', content: message.content, tool_calls: message.calls?.map(wireCall) };
    default:
      return message;
  }
}

function wireCall({ id, name, arguments: given }: ToolCall): object {
  return { id, type: 'function', function: { name, arguments: given } };
}

interface CallPart {
  index?: number | undefined;
  id?: string | null | undefined;
  function?: { name?: string | null | undefined; arguments?: string | null | undefined } | undefined;
}

/** A call comes in pieces, its arguments a few characters at a time; some servers leave the index out. */
function addCall(calls: Map<number, ToolCall>, part: CallPart): void {
  const last = Math.max(0, calls.size - 1);
  const index = part.index ?? (part.id ? calls.size : last);
  const call = calls.get(index) ?? { id: '', name: '', arguments: '' };
  calls.set(index, {
    id: part.id ?? (call.id || `call-${index}`),
    name: call.name + (part.function?.name ?? ''),
    arguments: call.arguments + (part.function?.arguments ?? ''),
  });
}

/** `fetch failed` says nothing; what it was caused by does. */
function causeOf(error: unknown): string {
  return error instanceof Error && error.cause ? `${error.message}: ${reasonOf(error.cause)}` : reasonOf(error);
}
