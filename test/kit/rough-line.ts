import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** What a network does to packets on their way. Each direction is treated alike, and each packet by itself. */
export interface Weather {
  /** Share that never comes, %. */
  loss?: number;
  /** Every packet is late by 0 to this, ms: beyond the time between two packets they overtake each other. */
  jitterMs?: number;
  /** Share that comes twice, %; the second is late by its own. */
  duplicates?: number;
  /** The clock of who is behind the line runs slow by so much, or fast where below zero, ppm: the delay grows or shrinks. */
  driftPpm?: number;
  /** The same weather again for the same number. */
  seed?: number;
}

/** Delay that is left for a sender whose clock runs fast to eat up, ms: at -200 ppm enough for four minutes. */
const FAST_RESERVE_MS = 50;

/**
 * A UDP relay with a bad network inside: stands between a caller's RTP socket and the server's. To the server the caller
 * is at {@link inside}, to the caller the server is at {@link outside}.
 */
export class RoughLine {
  readonly counts = { passed: 0, lost: 0, doubled: 0, overtaken: 0 };
  private server: { address: string; port: number } | undefined;
  private caller: RemoteInfo | undefined;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly random: () => number;
  private readonly began = performance.now();
  private numbers = 0;
  private latest = 0;

  private constructor(
    private readonly weather: Weather,
    private readonly toCaller: Socket,
    private toServer: Socket,
  ) {
    this.random = randomOf(weather.seed ?? 1);
    toCaller.on('message', (bytes, from) => {
      this.caller = from;
      if (this.server) this.carry(() => this.send(this.toServer, bytes, this.server));
    });
    this.listen(toServer);
  }

  static async open(weather: Weather): Promise<RoughLine> {
    const [outside, inside] = await Promise.all([bound(), bound()]);
    return new RoughLine(weather, outside, inside);
  }

  /** Where the server's packets have to go. */
  get inside(): number {
    return this.toServer.address().port;
  }

  /** Where the caller's packets have to go. */
  get outside(): number {
    return this.toCaller.address().port;
  }

  /** The caller's SDP as the server is to see it. */
  fromCaller(sdp: string): string {
    return sdp.replace(/^m=audio \d+/m, `m=audio ${this.inside}`);
  }

  /** The server's SDP as the caller is to see it. */
  fromServer(sdp: string): string {
    const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
    const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
    if (!port || !address) throw new Error(`SDP without an audio address:\n${sdp}`);
    this.server = { address, port: Number(port) };
    return sdp.replace(/^m=audio \d+/m, `m=audio ${this.outside}`);
  }

  /** The caller's packets come from another port of its address, as from a NAT that has lost its binding. */
  async move(): Promise<void> {
    const [before, after] = [this.toServer, await bound()];
    this.listen(after);
    this.toServer = after;
    before.close();
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.toCaller.close();
    this.toServer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private listen(socket: Socket): void {
    socket.on('message', (bytes) => {
      if (this.caller) this.carry(() => this.send(this.toCaller, bytes, this.caller));
    });
  }

  private carry(deliver: () => void): void {
    const { loss = 0, duplicates = 0 } = this.weather;
    if (100 * this.random() < loss) {
      this.counts.lost++;
      return;
    }
    this.later(deliver);
    if (100 * this.random() >= duplicates) return;
    this.counts.doubled++;
    this.later(deliver);
  }

  private later(deliver: () => void): void {
    const { jitterMs = 0, driftPpm = 0 } = this.weather;
    const reserve = driftPpm < 0 ? FAST_RESERVE_MS : 0;
    const drift = ((performance.now() - this.began) * driftPpm) / 1e6;
    const delay = Math.max(0, reserve + drift) + this.random() * jitterMs;
    const number = ++this.numbers;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.counts.passed++;
      if (number < this.latest) this.counts.overtaken++;
      this.latest = Math.max(this.latest, number);
      deliver();
    }, delay);
    this.timers.add(timer);
  }

  private send(socket: Socket, bytes: Buffer, to: { address: string; port: number } | undefined): void {
    if (to) socket.send(bytes, to.port, to.address);
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** Numbers in [0, 1) that are the same every time: a linear congruential generator. */
function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}
