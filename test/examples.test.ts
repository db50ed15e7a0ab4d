import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLI, ROOT } from './kit/server.js';

/** What is shipped to be tried first must work as it is. */
describe('examples', () => {
  it('parley check finds nothing wrong', async () => {
    const { code, output } = await parley(['check']);
    expect(output).not.toMatch(/error|warning/i);
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
