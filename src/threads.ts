import { fileURLToPath } from 'node:url';

/**
 * The compiled file of a thread entry. Worker threads load compiled code only; when the caller itself runs from
 * TypeScript (tests, benches), the entry is taken from the build beside it.
 *
 * @param callerUrl the caller's `import.meta.url`
 * @param relative the entry relative to the caller, e.g. `./media-worker.js`
 */
export function threadEntry(callerUrl: string, relative: string): URL {
  const target = new URL(relative, callerUrl);
  if (!callerUrl.endsWith('.ts')) return target;
  const path = fileURLToPath(target);
  const at = path.lastIndexOf('/src/');
  return new URL(`file://${path.slice(0, at)}/dist/${path.slice(at + '/src/'.length)}`);
}
