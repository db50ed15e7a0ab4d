import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { until } from './until.js';

/** A UDP packet as the kernel saw it. */
export interface CapturedPacket {
  /** ms since the epoch, by the kernel's clock. */
  at: number;
  source: number;
  destination: number;
  /** As much of it as was kept. */
  payload: Buffer;
}

/** Records what crosses the loopback interface: times are the kernel's, however busy the programs are. */
export class Capture {
  private constructor(
    private readonly program: ChildProcess,
    readonly file: string,
  ) {}

  /**
   * @param file pcap file to write
   * @param filter in pcap's language, e.g. `udp portrange 20000-29999`
   * @param octets kept of each packet
   * @param core processor core to run on; any when left out
   */
  static async start(file: string, filter: string, octets = 1600, core?: number): Promise<Capture> {
    const dumpcap = ['dumpcap', '-i', 'lo', '-f', filter, '-s', String(octets), '-B', '64', '-P', '-q', '-w', file];
    const [command = '', ...args] = core === undefined ? dumpcap : ['taskset', '-c', String(core), ...dumpcap];
    const program = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    let failure: Error | undefined;
    program.once('error', (error) => {
      failure = error;
    });
    program.stderr?.on('data', (text) => {
      output += text;
    });
    await until('dumpcap runs', () => {
      if (failure) throw failure;
      if (program.exitCode !== null) throw new Error(`dumpcap ended: ${output}`);
      return /^File: /m.test(output);
    });
    return new Capture(program, file);
  }

  /** Ends the recording; resolves when the file is complete. */
  async stop(): Promise<void> {
    if (this.program.exitCode !== null) return;
    const ended = once(this.program, 'exit');
    this.program.kill('SIGINT');
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

const GLOBAL_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 14;
const UDP_HEADER = 8;

/** The UDP packets over IPv4 of a pcap file made by {@link Capture}, one after the other. */
export function* readCapture(file: string): Generator<CapturedPacket> {
  const bytes = readFileSync(file);
  const perSecond = bytes.readUInt32LE(0) === 0xa1b23c4d ? 1e9 : 1e6;
  for (let at = GLOBAL_HEADER; at + RECORD_HEADER <= bytes.length; ) {
    const kept = bytes.readUInt32LE(at + 8);
    const start = at + RECORD_HEADER + ETHERNET;
    const udp = start + (bytes[start]! & 0x0f) * 4;
    yield {
      at: bytes.readUInt32LE(at) * 1000 + (bytes.readUInt32LE(at + 4) * 1000) / perSecond,
      source: bytes.readUInt16BE(udp),
      destination: bytes.readUInt16BE(udp + 2),
      payload: bytes.subarray(udp + UDP_HEADER, at + RECORD_HEADER + kept),
    };
    at += RECORD_HEADER + kept;
  }
}
