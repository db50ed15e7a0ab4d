import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { resample } from '../../src/audio/resample.js';
import { freePort, scratchFolder } from './scratch.js';
import { until } from './until.js';
import { decodeWav, encodeWav, join, type Sound, silence } from './wav.js';

/** An event of baresip's ctrl_tcp. */
export interface BaresipEvent {
  type: string;
  param?: string;
}

const MODULES = ['aufile.so', 'aubridge.so', 'sndfile.so'];
/** What it can be told to speak: the module, and the rate of its sound, Hz. */
const CODECS = {
  PCMU: { module: 'g711.so', sampleRate: 8000 },
  G722: { module: 'g722.so', sampleRate: 16_000 },
  opus: { module: 'opus.so', sampleRate: 48_000 },
} as const;
/** How its audio is encrypted, by the name it has for it. */
const ENCRYPTION = {
  'srtp-mand': 'srtp.so',
  dtls_srtp: 'dtls_srtp.so',
} as const;
/** Debian's folder of modules; on other architectures and releases the path is the same. */
const MODULE_PATH = '/usr/lib/baresip/modules';

/** The softphone baresip, without a sound card: it says WAV files and records what it hears. */
export class Baresip {
  readonly events: BaresipEvent[] = [];
  private readonly replies: { ok: boolean; token: string; data?: string }[] = [];
  private buffer = Buffer.alloc(0);
  private said = 0;
  private commands = 0;
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly control: Socket,
    private readonly folder: { path: string; remove(): void },
    private readonly sampleRate: number,
    /** Who calls. */
    readonly name: string,
  ) {
    control.on('data', (bytes) => this.read(bytes));
    child.stdout?.on('data', (text) => {
      this.output = (this.output + text).slice(-4000);
    });
  }

  /**
   * @param encryption of its audio; without it there is none
   * @param account it registers and calls with, `<sip:201@127.0.0.1:5060>;auth_pass=...`; else it has a name of its own
   */
  static async start(
    codec: keyof typeof CODECS = 'PCMU',
    encryption?: keyof typeof ENCRYPTION,
    account?: string,
  ): Promise<Baresip> {
    const folder = scratchFolder('baresip');
    const port = await freePort();
    writeConfig(folder.path, await freePort(), port, CODECS[codec], encryption);
    const own = `<sip:caller-${randomBytes(3).toString('hex')}@127.0.0.1>;regint=0`;
    const used = account ?? `${own}${encryption ? `;mediaenc=${encryption}` : ''}`;
    writeFileSync(path.join(folder.path, 'accounts'), `${used}\n`);
    const name = /sip:([^@]+)@/.exec(used)?.[1] ?? '';
    const child = spawn('baresip', ['-4', '-f', folder.path], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.on('error', () => undefined);
    try {
      const control = await until('control connection of baresip', () => open(port), { ms: 10_000, everyMs: 100 });
      return new Baresip(child, control, folder, CODECS[codec].sampleRate, name);
    } catch (error) {
      child.kill();
      folder.remove();
      throw error;
    }
  }

  /** Dials and waits until the call stands. @throws Error when it is refused */
  async dial(uri: string): Promise<void> {
    await this.command('dial', uri);
    const { type, param } = await this.event(/^CALL_(ESTABLISHED|CLOSED)$/);
    if (type === 'CALL_CLOSED') throw new Error(`refused: ${param}`);
  }

  /** Says this from now on, then is silent. */
  async say(sound: Sound): Promise<void> {
    const file = path.join(this.folder.path, `line-${++this.said}.wav`);
    const { sampleRate } = this;
    const pcm = resample(sound.pcm, sound.sampleRate, sampleRate);
    writeFileSync(file, encodeWav(join({ pcm, sampleRate }, silence(60, sampleRate))));
    await this.command('ausrc', `aufile,${file}`);
  }

  /** Waits until it is called, and answers. */
  async answer(): Promise<void> {
    await this.event('CALL_INCOMING', 20_000);
    await this.command('accept', '');
    await this.event('CALL_ESTABLISHED');
  }

  /** Hands the other side on to somebody else, by REFER. */
  async transfer(uri: string): Promise<void> {
    await this.command('transfer', uri);
  }

  /** Puts the other side on hold, or takes it back. */
  async hold(on: boolean): Promise<void> {
    await this.command(on ? 'hold' : 'resume', '');
  }

  /** Presses keys, each until it is sent. */
  async press(keys: string): Promise<void> {
    for (const key of keys) {
      await this.command('sndcode', key);
      // It sends the end of a key with the next one, or with this.
      await this.command('sndcode', '\u0004').catch(() => undefined);
    }
  }

  async hangUp(): Promise<void> {
    await this.command('hangup', '');
    await this.event('CALL_CLOSED');
  }

  /** Waits for an event, also one that came earlier. */
  event(type: string | RegExp, ms = 10_000): Promise<BaresipEvent> {
    const isIt = (event: BaresipEvent) => (typeof type === 'string' ? event.type === type : type.test(event.type));
    return until(`baresip event ${type}`, () => this.events.find(isIt), { ms }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output}`);
    });
  }

  /** What it has heard since the call stood. */
  sound(): Sound {
    const folder = path.join(this.folder.path, 'heard');
    const file = readdirSync(folder).find((name) => name.endsWith('-dec.wav'));
    if (!file) throw new Error('baresip recorded nothing');
    return decodeWav(readFileSync(path.join(folder, file)));
  }

  /** Twice does no harm. */
  async stop(): Promise<void> {
    this.control.destroy();
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null && this.child.kill('SIGTERM')) await ended;
    this.folder.remove();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async command(command: string, params: string): Promise<void> {
    const token = `${command}-${++this.commands}`;
    const json = JSON.stringify({ command, params, token });
    this.control.write(`${Buffer.byteLength(json)}:${json},`);
    const reply = await until(`reply of baresip to ${command}`, () => this.replies.find((one) => one.token === token));
    if (!reply.ok) throw new Error(`baresip refused ${command} ${params}: ${reply.data}`);
  }

  /** Netstrings: `length:json,`. */
  private read(bytes: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, bytes]);
    for (;;) {
      const colon = this.buffer.indexOf(':');
      const length = Number(this.buffer.toString('latin1', 0, colon));
      if (colon < 0 || this.buffer.length < colon + length + 2) return;
      const message = JSON.parse(this.buffer.toString('utf8', colon + 1, colon + 1 + length));
      this.buffer = this.buffer.subarray(colon + length + 2);
      if (message.event) this.events.push(message);
      else this.replies.push(message);
    }
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

function writeConfig(
  folder: string,
  sipPort: number,
  controlPort: number,
  codec: (typeof CODECS)[keyof typeof CODECS],
  encryption: keyof typeof ENCRYPTION | undefined,
): void {
  const heard = path.join(folder, 'heard');
  const quiet = path.join(folder, 'quiet.wav');
  mkdirSync(heard);
  writeFileSync(quiet, encodeWav(silence(120, codec.sampleRate)));
  const lines = [
    `sip_listen 127.0.0.1:${sipPort}`,
    'net_interface 127.0.0.1',
    // aufile is a source only; a bridge to nowhere lets the decoder run, and sndfile records in front of it.
    'audio_player aubridge,nowhere',
    `audio_source aufile,${quiet}`,
    'audio_alert aufile,/dev/null',
    ...['ausrc', 'auplay'].flatMap((side) => [
      `${side}_srate ${codec.sampleRate}`,
      `${side}_channels 1`,
      `${side}_format s16`,
    ]),
    'rtp_ports 40000-40100',
    `module_path ${MODULE_PATH}`,
    ...[codec.module, ...MODULES].map((module) => `module ${module}`),
    ...(encryption ? [`module ${ENCRYPTION[encryption]}`] : []),
    // RFC 7587 has two channels in its name; a telephone speaks into one.
    'opus_stereo no',
    'opus_sprop_stereo no',
    'module_tmp account.so',
    'module_app menu.so',
    'module_app ctrl_tcp.so',
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    `snd_path ${heard}`,
  ];
  writeFileSync(path.join(folder, 'config'), `${lines.join('\n')}\n`);
  writeFileSync(path.join(folder, 'contacts'), '');
}
