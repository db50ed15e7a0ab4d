/** A SIP message as it came or went. */
export interface WireMessage {
  /** ms since 1970. */
  readonly at: number;
  /** Sent by us. */
  readonly out: boolean;
  readonly protocol: string;
  /** The other end. */
  readonly host: string;
  readonly port: number;
  /** One character per byte. */
  readonly text: string;
}

const CALL_ID = /^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+)/im;
const METHOD = /^cseq[ \t]*:[ \t]*\d+[ \t]+(\w+)/im;
/** Requests that belong to no call. */
const APART = new Set(['REGISTER', 'OPTIONS', 'SUBSCRIBE', 'PUBLISH']);

/** The Call-ID of a message that belongs to a call. */
export function callIdOf(text: string): string | undefined {
  const method = METHOD.exec(text)?.[1]?.toUpperCase();
  return method === undefined || APART.has(method) ? undefined : CALL_ID.exec(text)?.[1]?.trim();
}
