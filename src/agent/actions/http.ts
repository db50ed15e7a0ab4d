import type { HttpActionDefinition } from '../file/actions.js';
import type { Variables } from '../file/paths.js';
import { renderRaw } from '../file/template.js';

/** A larger answer is a mistake: the agent speaks a few of its fields. Bytes. */
const MAX_BODY = 1_000_000;
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Calls an HTTP action.
 *
 * @returns the JSON that was answered with `httpStatus` added to it; `{ value, httpStatus }` when it is not an object
 * @throws Error when there is no answer, a status that is neither 2xx nor accepted, or no JSON
 */
export async function callHttp(
  definition: HttpActionDefinition,
  variables: Variables,
  parameters: Variables,
  signal: AbortSignal,
): Promise<unknown> {
  const withEnvironment = { ...variables, env: process.env };
  const headers = new Headers({ accept: 'application/json' });
  for (const [name, value] of Object.entries(definition.headers)) {
    headers.set(
      name,
      renderRaw(value, withEnvironment, (text) => text.replace(/[\r\n]/g, ' ')),
    );
  }
  const init: RequestInit = { method: definition.method, headers, signal };
  if (WITH_BODY.has(definition.method) || definition.body !== undefined) {
    headers.set('content-type', 'application/json');
    init.body = JSON.stringify(definition.body === undefined ? parameters : fill(definition.body, variables));
  }
  const response = await fetch(renderRaw(definition.url, variables, encodeURIComponent), init);
  if (!response.ok && !definition.accept.includes(response.status)) {
    await response.body?.cancel();
    throw new Error(`${definition.method} ${new URL(response.url).host} answered ${response.status}`);
  }
  return withStatus(parseJson(await readText(response)), response.status);
}

/** Fills the placeholders in a JSON body. A text that is one placeholder keeps the value's own type. */
function fill(body: unknown, variables: Variables): unknown {
  if (typeof body === 'string') {
    const only = /^\{\{\s*([\w-]+)\s*\}\}$/.exec(body)?.[1];
    if (only !== undefined) return variables[only] ?? null;
    return renderRaw(body, variables, (text) => text);
  }
  if (Array.isArray(body)) return body.map((item) => fill(item, variables));
  if (typeof body !== 'object' || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([key, value]) => [key, fill(value, variables)]));
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > MAX_BODY) throw new Error(`answer is longer than ${MAX_BODY} bytes`);
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error('answer is not JSON', { cause: error });
  }
}

function withStatus(value: unknown, httpStatus: number): unknown {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value, httpStatus };
  return { value, httpStatus };
}
