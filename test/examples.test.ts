import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadSettings } from '../src/settings.js';
import { scratchFolder } from './kit/scratch.js';
import { CLI, ROOT } from './kit/server.js';

/** Elements of a drachtio.conf.xml, as its documentation has them. */
const DRACHTIO = new Set(
  'drachtio drachtio/admin drachtio/sip drachtio/sip/contacts drachtio/sip/contacts/contact drachtio/sip/timers drachtio/sip/tls drachtio/sip/outbound-proxy drachtio/sip/spammers drachtio/sip/spammers/header drachtio/sip/spammers/header/value drachtio/cdrs drachtio/logging drachtio/logging/console drachtio/logging/loglevel drachtio/logging/sofia-loglevel'.split(
    ' ',
  ),
);

/** The elements of a small XML file. @throws Error when they are not nested as they should be */
function xmlElements(xml: string): { path: string; attributes: Record<string, string> }[] {
  const elements: { path: string; attributes: Record<string, string> }[] = [];
  const open: string[] = [];
  const tags = xml.replace(/<!--[\s\S]*?-->/g, '').matchAll(/<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|[<>]/g);
  for (const [tag, closing, name = '', attributes = '', empty] of tags) {
    if (name === '' || (closing && open.pop() !== name)) throw new Error(`out of place: ${tag}`);
    if (closing) continue;
    const given = [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]);
    elements.push({ path: [...open, name].join('/'), attributes: Object.fromEntries(given) });
    if (!empty) open.push(name);
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join('/')}`);
  return elements;
}

/** What is shipped to be tried first must work as it is. */
describe('examples', () => {
  it('parley check finds nothing wrong', async () => {
    const { code, output } = await parley(['check']);
    expect(output).not.toMatch(/error|warning/i);
    expect(code).toBe(0);
  });

  it.each(['llm', 'transfer'])('so it does of examples/%s', async (name) => {
    const { code, output } = await parley(['check', '--config', `examples/${name}/parley.yaml`]);
    expect(output).toMatch(/all right/);
    expect(code).toBe(0);
  });

  it('the order desk finds an order in a text chat', async () => {
    const lines = ['What are your opening hours?', 'Where is my order?', '482715'];
    const { code, output } = await parley(['chat', 'orders'], lines);
    expect(output).toMatch(/nine to seven/i);
    expect(output).toMatch(/six digit/i);
    expect(output).toMatch(/on its way/i);
    expect(code).toBe(0);
  });

  it('the clinic hands an emergency to a person', async () => {
    const { output } = await parley(['chat', 'clinic'], ['I have chest pain']);
    expect(output).toMatch(/nine one one/i);
    expect(output).toMatch(/hands over/i);
  });

  it("the dialplan's tests pass", async () => {
    const { code, output } = await parley(['test', 'dialplans']);
    expect(output).toMatch(/\b0 failed/);
    expect(code).toBe(0);
  });

  it('Kamailio takes its configuration', () => {
    const checked = spawnSync('kamailio', ['-c', '-f', 'sip-config/kamailio.cfg'], { cwd: ROOT, encoding: 'utf8' });
    expect(checked.stderr).toContain('config file ok');
    expect(checked.status).toBe(0);
  });

  it("the drachtio-server's configuration is well-formed, has only elements that it knows, and is what Parley expects", () => {
    const text = readFileSync(join(ROOT, 'sip-config/drachtio.conf.xml'), 'utf8');
    const elements = xmlElements(text);
    expect(elements.map(({ path }) => path).filter((path) => !DRACHTIO.has(path))).toEqual([]);
    const { drachtio } = loadSettings(undefined, {}).sip;
    const admin = elements.find(({ path }) => path === 'drachtio/admin');
    expect(admin?.attributes).toEqual({ port: String(drachtio.port), secret: drachtio.secret });
    expect(() => xmlElements(text.replace('</sip>', '</sips>'))).toThrow('</sips>');
  });

  it('what is deployed sets only settings that exist, and has every file that the server reads', () => {
    const compose: Compose = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8'));
    expect(Object.keys(compose.services)).toEqual(['drachtio', 'redis', 'parley']);
    const composed = loadSettings(undefined, withDefaults(compose.services.parley?.environment ?? {}));
    expect(composed).toMatchObject({ store: { kind: 'redis' }, sip: { drachtio: { host: '127.0.0.1' } } });

    const objects = parseAllDocuments(readFileSync(join(ROOT, 'deploy/kubernetes.yaml'), 'utf8'));
    expect(objects.flatMap(({ errors }) => errors)).toEqual([]);
    const [config, , workload]: KubernetesObject[] = objects.map((object) => object.toJS());
    const folder = scratchFolder('kubernetes');
    const file = join(folder.path, 'parley.yaml');
    const token = join(folder.path, 'token');
    writeFileSync(file, config?.data?.['parley.yaml'] ?? '');
    writeFileSync(token, 'a-token-of-sixteen-characters');
    const names = workload?.spec?.template.spec.containers[0]?.env.map(({ name }) => name);
    expect(names).toEqual(['PARLEY_RTP_ADDRESS', 'PARLEY_HTTP_TOKEN_FILE']);
    const settings = loadSettings(file, { PARLEY_RTP_ADDRESS: '10.0.0.7', PARLEY_HTTP_TOKEN_FILE: token });
    expect(settings).toMatchObject({ http: { token: 'a-token-of-sixteen-characters' }, rtp: { address: '10.0.0.7' } });
    folder.remove();

    const image = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
    for (const folder of ['agents', 'dialplans', 'models/turns', 'models/topics/weights', 'dist']) {
      expect(image).toMatch(new RegExp(`^COPY .*${folder}`, 'm'));
    }
  });

  it('every command of the README exists', async () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const manifest: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    for (const [, script] of readme.matchAll(/npm run ([\w:-]+)/g))
      expect(manifest.scripts).toHaveProperty(script ?? '');
    for (const [, file] of readme.matchAll(/\bsh (\S+\.sh)/g)) expect(existsSync(join(ROOT, file ?? ''))).toBe(true);
    const help = (await parley(['--help'])).output;
    for (const [, command] of readme.matchAll(/(?:npx|`)\s?parley ([a-z]+)/g)) {
      expect(help).toMatch(new RegExp(`^\\s+${command}\\b`, 'm'));
    }
  });
});

interface Compose {
  services: Record<string, { environment?: Record<string, string> }>;
}

interface KubernetesObject {
  data?: Record<string, string>;
  spec?: { template: { spec: { containers: { env: { name: string }[] }[] } } };
}

/** `${NAME:-default}` as compose reads it when NAME is not set. */
function withDefaults(environment: Record<string, string>): Record<string, string> {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.map(([name, value]) => [name, value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')]));
}

/** Runs the compiled program with lines on its standard input. */
function parley(args: readonly string[], lines: readonly string[] = []): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI, ...args],
      { cwd: ROOT, timeout: 30_000 },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, output: stdout + stderr });
      },
    );
    child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  });
}
