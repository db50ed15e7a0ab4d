import { loadSettings } from '../settings.js';
import { apiOf } from './api.js';
import { EXIT, printFailure } from './output.js';

/*
 * What the health check of a container runs: is the server of this configuration (PARLEY_CONFIG, ./parley.yaml and the
 * environment) of use? A program of its own: `parley` with all its commands takes four times as much of a processor to
 * load, and this runs every few seconds beside live calls.
 */
try {
  const settings = loadSettings(undefined);
  // Without HTTP nobody can be asked.
  if (settings.http.enabled) await apiOf(settings).get('/healthz');
} catch (error) {
  printFailure(error);
  process.exitCode = EXIT.failed;
}
