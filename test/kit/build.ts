import { execFileSync } from 'node:child_process';

/** Compiles src/ to dist/: worker threads and child processes load compiled code. */
export default function build(): void {
  execFileSync('node', ['tools/vendor.mjs'], { stdio: 'inherit' });
  // Types are the business of `npm run check`.
  execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json', '--noCheck'], { stdio: 'inherit' });
}
