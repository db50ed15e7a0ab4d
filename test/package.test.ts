import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Phone } from './kit/phone.js';
import { RawPeer } from './kit/raw-peer.js';
import { RtpPeer } from './kit/rtp-peer.js';
import { scratchFolder } from './kit/scratch.js';
import { ROOT } from './kit/server.js';
import { transcribe } from './kit/speech.js';

const run = promisify(execFile);

/** What `npm publish` would publish, in a project that has nothing else. */
describe('the package', () => {
  const project = scratchFolder('package');
  const programs: ChildProcess[] = [];

  beforeAll(async () => {
    // Compiled before the tests; packing would compile again.
    const pack = ['pack', '--ignore-scripts', '--pack-destination', project.path];
    await run('npm', pack, { cwd: ROOT });
    const tarball = readdirSync(project.path).find((name) => name.endsWith('.tgz')) ?? '';
    writeFileSync(join(project.path, 'package.json'), '{ "private": true, "type": "module" }');
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`];
    // Opus is optional, and would be compiled here; other scripts run.
    await run('npm', [...install, '--omit=optional'], { cwd: project.path, env: plainEnvironment() });
  }, 240_000);

  afterAll(async () => {
    // One that still writes would do so into the folder that is being removed.
    const ended = programs.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    for (const child of ended) child.kill();
    await Promise.all(ended.map((child) => once(child, 'exit')));
    project.remove();
  });

  /** Starts a program in the project, and waits for the line that says that it is ready. */
  async function start(args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, args, {
      cwd: project.path,
      env: {
        ...plainEnvironment(),
        PARLEY_SIP_PORT: '0',
        PARLEY_DATA: join(project.path, `data-${programs.length}`),
        // A busy machine is no reason here to refuse calls.
        PARLEY_LIMITS_LOAD_LOOP_MS: '0',
        PARLEY_LIMITS_LOAD_MEDIA_MS: '0',
        PARLEY_LIMITS_LOAD_SPEECH_BACKLOG: '0',
      },
    });
    programs.push(child);
    let errors = '';
    child.stderr.on('data', (text) => {
      errors += text;
    });
    for await (const line of createInterface(child.stdout)) if (/ready/.test(line)) return line;
    throw new Error(`${args.join(' ')} ended: ${errors}`);
  }

  it('installs into an empty project without the extra tree, has its command and its types', async () => {
    const installed = readdirSync(join(project.path, 'node_modules'));
    expect(installed).toContain('parley');
    for (const name of [
      'onnxruntime-node',
      'onnxruntime-web',
      '@huggingface',
      '@moonshine-ai',
      '@ricky0123',
      'sharp',
    ]) {
      expect(installed).not.toContain(name);
    }
    const help = await run('npx', ['parley', '--help'], { cwd: project.path });
    expect(help.stdout).toMatch(/Usage: parley/);

    // The examples are a user's programs; the compiler and the types of Node are what they would install.
    for (const name of ['standalone.ts', 'own-srf.ts']) {
      cpSync(join(ROOT, 'examples/plugin', name), join(project.path, name));
    }
    mkdirSync(join(project.path, 'node_modules/@types'), { recursive: true });
    const types = join(project.path, 'node_modules/@types/node');
    if (!existsSync(types)) symlinkSync(join(ROOT, 'node_modules/@types/node'), types);
    const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--types', 'node'];
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const compiled = await run(tsc, [...options, 'standalone.ts', 'own-srf.ts'], { cwd: project.path }).catch(
      (error: { stdout: string }) => error,
    );
    expect(compiled.stdout).toBe('');
  });

  it("answers calls by itself, with the program's function", async () => {
    const ready = await start(['standalone.js']);
    const [, host = '', port = ''] = /(\S+):(\d+)$/.exec(ready) ?? [];
    const phone = await Phone.dial({ sip: { host, port: Number(port) } });
    await phone.greeted();
    expect(await transcribe(await phone.ask('Where is my parcel?'))).toMatch(/digits|four/i);
    expect(await transcribe(await phone.ask('four seven one one'))).toMatch(/hamburg|tuesday/i);
    await phone.hangUp();
    await phone.close();
  });

  it('takes its part of the calls of a drachtio-srf application, on the edge that comes with it', async () => {
    const where = ['--sip', '127.0.0.1:0', '--control', '127.0.0.1:0', '--http', '127.0.0.1:0', '--secret', 'x'];
    const edge: { sip: string; control: string } = JSON.parse(
      await start(['node_modules/parley/dist/cli/parley.js', 'edge', ...where, '--json']),
    );
    await start(['own-srf.js', '127.0.0.1', edge.control.split(':')[1] ?? '', 'x']);
    const sip = { host: '127.0.0.1', port: Number(edge.sip.split(':')[1]) };
    const phone = await Phone.dial({ sip }, '8217');
    await phone.greeted();
    expect(await transcribe(phone.rtp.sound())).toMatch(/claims|customer/i);
    await phone.hangUp();
    await phone.close();
    const peer = await RawPeer.open(sip);
    const rtp = await RtpPeer.open();
    expect((await peer.invite('9999', rtp.sdp()).final()).status).toBe(486);
    expect((await peer.options()).status).toBe(200);
    rtp.close();
    peer.close();
  });
});

/** Without what npm tells the programs that it starts, such as these tests. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|PARLEY_|DRACHTIO_)/i.test(name)));
}
