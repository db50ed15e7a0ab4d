import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** A record of the zone; names without a final dot. */
export type DnsRecord =
  | { readonly name: string; readonly type: 'A' | 'AAAA'; readonly address: string }
  | {
      readonly name: string;
      readonly type: 'SRV';
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly target: string;
    }
  | {
      readonly name: string;
      readonly type: 'NAPTR';
      readonly order: number;
      readonly preference: number;
      readonly service: string;
      readonly replacement: string;
    };

const TYPES = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 } as const;

/** A name server on 127.0.0.1 that knows a few records, and of any other name that it does not exist. */
export class DnsServer {
  /** What was asked, `TYPE name`, in order. */
  readonly asked: string[] = [];
  /** The zone. */
  readonly records: DnsRecord[] = [];
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, from) => socket.send(this.#answer(query), from.port, from.address));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query, 12);
    const type = query.readUInt16BE(end);
    const kind = Object.entries(TYPES).find(([, code]) => code === type)?.[0] ?? String(type);
    this.asked.push(`${kind} ${name}`);
    const known = this.records.filter((record) => record.name === name);
    const answers = known.filter((record) => TYPES[record.type] === type).map(encode);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(known.length > 0 ? 0x8580 : 0x8583, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answers.length, 6);
    return Buffer.concat([head, query.subarray(12, end + 4), ...answers]);
  }
}

function readName(message: Buffer, at: number): { name: string; end: number } {
  const labels: string[] = [];
  let position = at;
  for (let length = message[position] ?? 0; length > 0; length = message[position] ?? 0) {
    labels.push(message.toString('latin1', position + 1, position + 1 + length));
    position += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: position + 1 };
}

function nameOf(name: string): Buffer {
  const labels = name.split('.').map((label) => text(label));
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}

function numbers(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) buffer.writeUInt16BE(value, i * 2);
  return buffer;
}

function encode(record: DnsRecord): Buffer {
  const data = dataOf(record);
  // The name is that of the question; a minute to live.
  return Buffer.concat([numbers(0xc00c, TYPES[record.type], 1, 0, 60, data.length), data]);
}

function dataOf(record: DnsRecord): Buffer {
  if (record.type === 'SRV') {
    return Buffer.concat([numbers(record.priority, record.weight, record.port), nameOf(record.target)]);
  }
  if (record.type === 'NAPTR') {
    const fields = [text('s'), text(record.service), text('')];
    return Buffer.concat([numbers(record.order, record.preference), ...fields, nameOf(record.replacement)]);
  }
  if (isIPv4(record.address)) return Buffer.from(record.address.split('.').map(Number));
  // Only what tests need: `::1` and the like.
  const last = Number.parseInt(record.address.replace('::', ''), 16);
  return Buffer.concat([Buffer.alloc(14), numbers(last)]);
}
