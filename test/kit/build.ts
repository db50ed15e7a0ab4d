import { execFileSync } from 'node:child_process';

/** Compiles src/ to dist/ once before the tests: worker threads and child processes load compiled code. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
