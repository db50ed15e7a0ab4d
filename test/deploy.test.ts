import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadSettings } from '../src/settings.js';
import { scratchFolder } from './kit/scratch.js';
import { CLI, ROOT } from './kit/server.js';

interface Instruction {
  name: string;
  value: string;
  /** Of the stage it is in; its image until it is given one. */
  stage: string;
}

/** No image can be built where there is no Docker engine: what can be known without one is. */
describe('the Dockerfile', () => {
  const file = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const instructions = instructionsOf(file);
  const stages = instructions.filter(({ name }) => name === 'FROM');
  const final = instructions.filter(({ stage }) => stage === stages.at(-1)?.stage);

  it('knows its instructions, names the stage that it builds in, and pins its images', () => {
    const known = 'FROM WORKDIR RUN ENV COPY USER VOLUME EXPOSE HEALTHCHECK ENTRYPOINT CMD'.split(' ');
    expect(instructions.filter(({ name }) => !known.includes(name))).toEqual([]);
    expect(stages).toHaveLength(2);
    expect(stages[0]?.value).toMatch(/ AS build$/);
    for (const { value } of stages) expect(value).toMatch(/^[\w./-]+:[\w.-]+/);
    for (const { value } of instructions.filter(({ name }) => name === 'ENTRYPOINT' || name === 'CMD')) {
      if (!value.includes('HEALTH')) expect(Array.isArray(JSON.parse(value))).toBe(true);
    }
  });

  it('copies what is there and is not ignored', () => {
    const ignored = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
    for (const { value } of instructions.filter(({ name }) => name === 'COPY')) {
      const words = value.split(/\s+/);
      if (words[0]?.startsWith('--from=')) {
        expect(words[0]).toBe('--from=build');
        continue;
      }
      for (const source of words.slice(0, -1)) {
        expect(isThere(source), source).toBe(true);
        expect(ignored).not.toContain(source.split('/')[0]);
      }
    }
  });

  it('runs as nobody in particular, is looked after, and has every file that the server reads', () => {
    const named = (name: string) => final.filter((instruction) => instruction.name === name).map(({ value }) => value);
    expect(named('USER')).toEqual(['node']);
    const [health = ''] = named('HEALTHCHECK');
    const [node, program] = JSON.parse(health.slice(health.indexOf('[')));
    expect([node, isThere(program.replace(/^dist(.*)js$/, 'src$1ts'))]).toEqual(['node', true]);
    expect(named('ENTRYPOINT')).toEqual(['["node", "dist/cli/parley.js"]']);
    const manifest: { files: string[] } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const read = manifest.files.filter((path) => /^(dist|vendor|models|agents|dialplans)/.test(path));
    const copied = named('COPY').join('\n');
    for (const path of read) expect(copied).toContain(path.includes('/') ? dirname(path).replace('/**', '') : path);
  });
});

describe('the health check of the image', () => {
  it.each([
    [200, '{"ok":true}', 0, ''],
    [503, '{"ok":false,"reason":"no speech worker"}', 1, 'no speech worker'],
  ])('asks where HTTP is configured to be: %i %s', async (status, body, code, said) => {
    const asked: unknown[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
    });
    const host = '127.0.0.2';
    await once(server.listen(0, host), 'listening');
    const { port } = server.address() as AddressInfo;
    const folder = scratchFolder('health');
    writeFileSync(join(folder.path, 'parley.yaml'), `http: { host: ${host}, port: 1 }\n`);
    const env = { ...process.env, PARLEY_HTTP_PORT: String(port) };
    const check = spawn(process.execPath, [join(dirname(CLI), 'health.js')], { cwd: folder.path, env });
    const errors = text(check.stderr);
    expect(await once(check, 'exit')).toEqual([code, null]);
    expect(asked).toEqual(['/healthz']);
    expect(await errors).toContain(said);
    server.close();
    folder.remove();
  });
});

describe('the Kubernetes manifests', () => {
  it('mount what exists, and ask for a port that is there', () => {
    const objects = parseAllDocuments(readFileSync(join(ROOT, 'deploy/kubernetes.yaml'), 'utf8')).map(
      (document): KubernetesObject => document.toJS(),
    );
    for (const { apiVersion, kind, metadata } of objects) {
      expect([apiVersion, kind, metadata.name].every(Boolean)).toBe(true);
    }
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const pod = objects.find(({ kind }) => kind === 'DaemonSet')?.spec?.template.spec;
    const volumes = new Map(pod?.volumes.map((volume) => [volume.name, volume]));
    for (const volume of volumes.values()) {
      if (volume.configMap) expect(names).toContain(`ConfigMap ${volume.configMap.name}`);
      if (volume.secret) expect(names).toContain(`Secret ${volume.secret.secretName}`);
    }
    for (const { ports, volumeMounts, startupProbe, readinessProbe, livenessProbe } of pod?.containers ?? []) {
      for (const mount of volumeMounts) expect(volumes.has(mount.name)).toBe(true);
      for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
        expect(ports.map(({ name }) => name)).toContain(probe.httpGet.port);
      }
      expect([startupProbe, readinessProbe, livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
        '/healthz',
        '/readyz',
        '/healthz',
      ]);
    }
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: expect.any(Number) });
  });
});

describe('whatever stops the server', () => {
  it('gives it the time to drain, and to hand on who is left', () => {
    const { drainMs, referMs } = loadSettings(undefined, {}).limits;
    const manifests = read('deploy/kubernetes.yaml');
    const compose: { services: { parley: { stop_grace_period: string } } } = parse(read('compose.yaml'));
    const [, minutes, seconds] = /^(\d+)m(\d+)s$/.exec(compose.services.parley.stop_grace_period) ?? [];
    const graces = {
      kubernetes: Number(/terminationGracePeriodSeconds: (\d+)/.exec(manifests)?.[1]),
      systemd: Number(/^TimeoutStopSec=(\d+)$/m.exec(read('deploy/parley.service'))?.[1]),
      compose: 60 * Number(minutes) + Number(seconds),
    };
    for (const [what, grace] of Object.entries(graces))
      expect(grace, what).toBeGreaterThanOrEqual((drainMs + referMs) / 1000 + 10);
  });

  it('gives it the time to start', () => {
    const startup = /startupProbe: .*periodSeconds: (\d+), failureThreshold: (\d+)/.exec(
      read('deploy/kubernetes.yaml'),
    );
    const systemd = Number(/^TimeoutStartSec=(\d+)$/m.exec(read('deploy/parley.service'))?.[1]);
    expect(Number(startup?.[1]) * Number(startup?.[2])).toBeGreaterThanOrEqual(systemd);
  });
});

describe('the documentation', () => {
  it('connects trunks with settings that exist', () => {
    const page = readFileSync(join(ROOT, 'docs/guides/trunks.md'), 'utf8');
    const folder = scratchFolder('trunks');
    const password = join(folder.path, 'password');
    writeFileSync(password, 'eight or more');
    const snippets = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    const settings = snippets.filter((text) => /^(sip|trunks):/m.test(text));
    expect(settings).toHaveLength(3);
    const names = settings.map((text, n) => {
      const file = join(folder.path, `${n}.yaml`);
      writeFileSync(file, text.replace(/\/run\/secrets\/\w+/g, password));
      return loadSettings(file, {}).trunks.map(({ name }) => name);
    });
    expect(names).toEqual([['pbx'], ['twilio'], ['telnyx']]);
    folder.remove();
  });

  it('has no link that leads nowhere, and its index leads to every page', () => {
    const pages = ['README.md', ...['docs', 'sip-config', 'examples'].flatMap(pagesOf)];
    const reached = new Set<string>();
    const broken: string[] = [];
    for (const page of pages) {
      const text = readFileSync(join(ROOT, page), 'utf8').replace(/```[\s\S]*?```/g, '');
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)\s]+)\)/g)) {
        const [path = '', anchor] = link.split('#');
        const target = join(dirname(page), path);
        if (page === 'docs/README.md') reached.add(target);
        const there = existsSync(join(ROOT, target)) && (anchor === undefined || anchorsOf(target).has(anchor));
        if (!there) broken.push(`${page}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
    expect(pages.filter((page) => /^docs\/./.test(page) && page !== 'docs/README.md' && !reached.has(page))).toEqual(
      [],
    );
  });
});

interface Probe {
  httpGet: { path: string; port: string };
}

interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec?: {
    template: {
      spec: {
        securityContext: object;
        volumes: { name: string; configMap?: { name: string }; secret?: { secretName: string } }[];
        containers: {
          ports: { name: string }[];
          volumeMounts: { name: string }[];
          startupProbe: Probe;
          readinessProbe: Probe;
          livenessProbe: Probe;
        }[];
      };
    };
  };
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A path whose last part may hold `*`. */
function isThere(source: string): boolean {
  const [head = '', tail] = basename(source).split('*');
  if (tail === undefined) return existsSync(join(ROOT, source));
  return readdirSync(join(ROOT, dirname(source))).some((name) => name.startsWith(head) && name.endsWith(tail));
}

function pagesOf(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => join(folder, name));
}

/** One instruction a line, with continued lines joined and comments gone. */
function instructionsOf(file: string): Instruction[] {
  const lines = file
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
  let stage = '';
  return lines.map((line) => {
    const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') stage = value;
    return { name, value, stage };
  });
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(join(ROOT, page), 'utf8').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}
