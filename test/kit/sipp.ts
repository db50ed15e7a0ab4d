import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SipTarget } from './raw-peer.js';
import { rtpHeader } from './rtp-peer.js';
import { freePort, scratchFolder } from './scratch.js';
import { ROOT } from './server.js';
import { until } from './until.js';
import { type Sound, toMuLaw } from './wav.js';

/** A run of sipp. */
export interface SippOptions {
  /** A file of test/sipp without `.xml`. */
  scenario: string;
  target: SipTarget;
  number?: string;
  /** Call-ID, of a run of one call. */
  callId?: string;
  calls?: number;
  /** Calls at one time; 1 by default. */
  atOnce?: number;
  /** What each caller says after ACK, 8 kHz. */
  says: Sound;
  /** Payload types that the scenario `caller` offers: PCMU and telephone-event by default. */
  formats?: string;
  /** How long each caller stays after it began to speak, ms. */
  stayMs?: number;
  /** The whole run, s. */
  timeoutS?: number;
}

/** Where Debian has sipp's recordings of keys by RFC 4733. */
export const SIPP_PCAPS = '/usr/share/sip-tester';

/** sipp as people who are called. */
export interface SippPeople {
  /** What it counted, after so many calls, half a minute, or {@link SippPeople.stop}. */
  result: Promise<SippResult>;
  stop(): void;
}

/** sipp as people who are called, test/sipp/person.xml; resolves when they can be. */
export async function sippPeople(port: number, calls: number): Promise<SippPeople> {
  const folder = scratchFolder('sipp');
  copyFileSync(join(ROOT, 'test/sipp/person.xml'), join(folder.path, 'scenario.xml'));
  if (existsSync(SIPP_PCAPS)) symlinkSync(SIPP_PCAPS, join(folder.path, 'keys'));
  const options = ['-p', String(port), '-mp', String(await freePort()), '-m', String(calls), '-timeout', '30s'];
  const stopping = new AbortController();
  let ended: SippResult | undefined;
  const result = counted(folder.path, options, stopping.signal).finally(() => folder.remove());
  void result.then((counts) => {
    ended = counts;
  });
  await until(`sipp on port ${port}`, () => {
    if (ended) throw new Error(`sipp ended: ${ended.errors}`);
    return listensOnUdp(port);
  });
  return { result, stop: () => stopping.abort() };
}

/** Whether this machine has a UDP socket on the port (proc(5), /proc/net/udp). */
function listensOnUdp(port: number): boolean {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/udp', 'utf8')
    .split('\n')
    .some((line) => line.trim().split(/\s+/)[1]?.endsWith(wanted));
}

/** What sipp counted. */
export interface SippResult {
  code: number;
  succeeded: number;
  failed: number;
  /** Its own account of what went wrong. */
  errors: string;
}

/** Runs sipp to its end, with RTP by its own rtp_stream. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  const folder = scratchFolder('sipp');
  try {
    const words = toMuLaw(options.says.pcm);
    writeFileSync(join(folder.path, 'caller.ul'), words);
    writeFileSync(join(folder.path, 'caller.pcap'), pcapOf(words));
    // sipp looks for recordings beside the scenario.
    copyFileSync(join(ROOT, 'test/sipp', `${options.scenario}.xml`), join(folder.path, 'scenario.xml'));
    if (existsSync(SIPP_PCAPS)) symlinkSync(SIPP_PCAPS, join(folder.path, 'keys'));
    const atOnce = options.atOnce ?? 1;
    return await counted(folder.path, [
      `${options.target.host}:${options.target.port}`,
      // Its own choice is 5060, where answers to whoever names no port go, too.
      ...['-s', options.number ?? '8001', '-p', String(await freePort()), '-mp', String(await freePort())],
      ...['-m', String(options.calls ?? 1), '-l', String(atOnce), '-r', String(Math.max(10, atOnce))],
      ...['-d', String(options.stayMs ?? 500), '-key', 'formats', options.formats ?? '0 101'],
      ...['-timeout', `${options.timeoutS ?? 60}s`],
      ...(options.callId ? ['-cid_str', options.callId] : []),
    ]);
  } finally {
    folder.remove();
  }
}

/** Runs scenario.xml of this folder. */
async function counted(folder: string, options: readonly string[], signal?: AbortSignal): Promise<SippResult> {
  const statistics = join(folder, 'statistics.csv');
  const errors = join(folder, 'errors.log');
  const args = [
    ...options,
    ...['-sf', 'scenario.xml', '-i', '127.0.0.1', '-mi', '127.0.0.1'],
    ...['-timeout_error', '-recv_timeout', '15000', '-nostdin'],
    ...['-trace_stat', '-stf', statistics, '-fd', '1', '-trace_err', '-error_file', errors],
  ];
  const code = await new Promise<number>((resolve) => {
    execFile('sipp', args, { cwd: folder, maxBuffer: 1 << 26, ...(signal && { signal }) }, (error) => {
      resolve(error ? (typeof error.code === 'number' ? error.code : -1) : 0);
    });
  });
  const said = existsSync(errors) ? readFileSync(errors, 'utf8') : '';
  return { code, ...readCounts(statistics), errors: said.slice(0, 4000) };
}

/** The last row of the statistics file. */
function readCounts(file: string): { succeeded: number; failed: number } {
  if (!existsSync(file)) return { succeeded: 0, failed: 0 };
  const rows = readFileSync(file, 'utf8').trim().split('\n');
  const names = (rows[0] ?? '').split(';');
  const values = (rows.at(-1) ?? '').split(';');
  const count = (name: string) => Number(values[names.indexOf(name)] ?? 0);
  return { succeeded: count('SuccessfulCall(C)'), failed: count('FailedCall(C)') };
}

/** A recording of PCMU in RTP over UDP, IPv4 and Ethernet, a packet each 20 ms. Nobody checks the checksums left 0. */
function pcapOf(said: Buffer): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const parts = [header];
  for (let n = 0; n * 160 < said.length; n++) {
    const rtp = Buffer.concat([rtpHeader(n, n * 160, 0x7061_6361), said.subarray(n * 160, (n + 1) * 160)]);
    const packet = Buffer.alloc(42);
    packet.writeUInt16BE(0x0800, 12);
    packet.writeUInt16BE(0x4500, 14);
    packet.writeUInt16BE(28 + rtp.length, 16);
    packet.writeUInt16BE(0x4011, 22);
    packet.writeUInt32BE(0x7f00_0001, 26);
    packet.writeUInt32BE(0x7f00_0001, 30);
    packet.writeUInt16BE(6000, 34);
    packet.writeUInt16BE(6000, 36);
    packet.writeUInt16BE(8 + rtp.length, 38);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(Math.floor(n / 50), 0);
    record.writeUInt32LE((n % 50) * 20_000, 4);
    record.writeUInt32LE(packet.length + rtp.length, 8);
    record.writeUInt32LE(packet.length + rtp.length, 12);
    parts.push(record, packet, rtp);
  }
  return Buffer.concat(parts);
}
