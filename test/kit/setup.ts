import build from './build.js';
import { scratchFolder } from './scratch.js';

/**
 * Before all tests: compiles once, and makes a folder that holds every temporary file of the run, those of the programs
 * that tests start too. After them it is deleted.
 */
export default function setup(): (() => void) | undefined {
  // Vitest calls it for each project of vitest.config.ts.
  if (process.env.PARLEY_TEST_CLIPS) return undefined;
  const folder = scratchFolder('tests');
  process.env.TMPDIR = folder.path;
  process.env.NODE_COMPILE_CACHE = `${folder.path}/compiled`;
  process.env.PARLEY_TEST_CLIPS = `${folder.path}/clips`;
  build();
  return () => folder.remove();
}
