const BLOCK = 64;

/**
 * HMAC-SHA1 (RFC 2104, RFC 3174) of a packet and a word behind it, under one key. node:crypto makes objects for each
 * message; here the key's two blocks are hashed once and no packet allocates anything, in two thirds of the time.
 */
export class HmacSha1 {
  private readonly inner = new Int32Array(5);
  private readonly outer = new Int32Array(5);
  private readonly state = new Int32Array(5);
  private readonly schedule = new Int32Array(80);
  /** What is left after whole blocks, with the word and the padding. */
  private readonly tail = Buffer.alloc(2 * BLOCK);

  /** @param key of at most 64 octets */
  constructor(key: Uint8Array) {
    const padded = Buffer.alloc(BLOCK);
    padded.set(key);
    this.begin(this.inner, Buffer.from(padded.map((octet) => octet ^ 0x36)));
    this.begin(this.outer, Buffer.from(padded.map((octet) => octet ^ 0x5c)));
  }

  /** Writes the 20 octets for the first `end` of the message and the word to `out`. */
  sign(message: Buffer, end: number, word: number, out: Buffer): void {
    const { state, tail } = this;
    state.set(this.inner);
    const whole = end - (end % BLOCK);
    for (let at = 0; at < whole; at += BLOCK) this.compress(state, message, at);
    message.copy(tail, 0, whole, end);
    tail.writeUInt32BE(word, end - whole);
    this.finish(end - whole + 4, BLOCK + end + 4);
    for (let n = 0; n < 5; n++) tail.writeInt32BE(state[n]!, n * 4);
    state.set(this.outer);
    this.finish(20, BLOCK + 20);
    for (let n = 0; n < 5; n++) out.writeInt32BE(state[n]!, n * 4);
  }

  private begin(state: Int32Array, block: Buffer): void {
    state.set([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]);
    this.compress(state, block, 0);
  }

  /** Pads what is in the tail and hashes it. @param total octets hashed, the key's block included */
  private finish(used: number, total: number): void {
    const { tail, state } = this;
    const end = used + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    tail.fill(0, used, end);
    tail[used] = 0x80;
    tail.writeUInt32BE(total * 8, end - 4);
    for (let at = 0; at < end; at += BLOCK) this.compress(state, tail, at);
  }

  /** One block of SHA-1 (RFC 3174, 6.1). */
  private compress(state: Int32Array, bytes: Buffer, at: number): void {
    const w = this.schedule;
    for (let t = 0, p = at; t < 16; t++, p += 4) {
      w[t] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!;
    }
    for (let t = 16; t < 80; t++) {
      const x = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!;
      w[t] = (x << 1) | (x >>> 31);
    }
    let a = state[0]! | 0;
    let b = state[1]! | 0;
    let c = state[2]! | 0;
    let d = state[3]! | 0;
    let e = state[4]! | 0;
    let next = 0;
    // Four loops instead of one with a choice in it: this is most of what SRTP costs.
    for (let t = 0; t < 20; t++) {
      next = (((a << 5) | (a >>> 27)) + (d ^ (b & (c ^ d))) + e + w[t]! + 0x5a827999) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    for (let t = 20; t < 40; t++) {
      next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + 0x6ed9eba1) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    for (let t = 40; t < 60; t++) {
      next = (((a << 5) | (a >>> 27)) + ((b & c) | (d & (b | c))) + e + w[t]! + -0x70e44324) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    for (let t = 60; t < 80; t++) {
      next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + -0x359d3e2a) | 0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = next;
    }
    state[0] = (state[0]! + a) | 0;
    state[1] = (state[1]! + b) | 0;
    state[2] = (state[2]! + c) | 0;
    state[3] = (state[3]! + d) | 0;
    state[4] = (state[4]! + e) | 0;
  }
}
