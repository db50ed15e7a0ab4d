/** drachtio's framing: `<byte length>#<id>|<type>|<field>|...[CRLF<payload>]`, everything one character per byte. */

export interface Frame {
  readonly id: string;
  readonly type: string;
  readonly fields: readonly string[];
  /** A SIP message, without the CRLF before it; empty when there is none. */
  readonly payload: string;
}

/** Longest frame, in bytes: a SIP message can't be longer than 64 kB, and unauthenticated peers must not fill memory. */
const MAX_FRAME = 1 << 20;

/** Puts frames together again from a stream that may be cut anywhere. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;
  #need = 1;

  /** @throws Error when the stream is not made of frames; the connection is of no use then. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#need) return [];
    const data = Buffer.concat(this.#chunks, this.#size);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      const extent = frameExtent(data, at);
      this.#need = (extent?.end ?? at) - at + (extent ? 0 : 1);
      if (!extent || extent.end > data.length) break;
      frames.push(decodeFrame(data.toString('latin1', extent.start, extent.end)));
      at = extent.end;
    }
    this.#chunks = at < data.length ? [data.subarray(at)] : [];
    this.#size = data.length - at;
    return frames;
  }
}

function frameExtent(data: Buffer, at: number): { start: number; end: number } | undefined {
  let length = 0;
  for (let i = at; i < data.length; i++) {
    const code = data[i] ?? 0;
    if (code === 0x23 && i > at) return { start: i + 1, end: i + 1 + length };
    if (code < 0x30 || code > 0x39) throw new Error('frame length is not a number');
    length = length * 10 + code - 0x30;
    if (length > MAX_FRAME) throw new Error('frame is longer than 1 MB');
  }
  return undefined;
}

function decodeFrame(text: string): Frame {
  const cr = text.indexOf('\r');
  const [id = '', type = '', ...fields] = (cr < 0 ? text : text.slice(0, cr)).split('|');
  return { id, type, fields, payload: cr < 0 ? '' : text.slice(cr + 2) };
}

export function encodeFrame(fields: readonly (string | number)[], payload?: string): Buffer {
  const head = fields.join('|');
  const text = payload === undefined ? head : `${head}\r\n${payload}`;
  return Buffer.from(`${text.length}#${text}`, 'latin1');
}
