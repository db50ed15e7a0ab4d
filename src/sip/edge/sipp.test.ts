import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Srf from 'drachtio-srf';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ANSWER, EdgeBench, until } from '../../../test/kit/edge-bench.js';
import { scratchFolder } from '../../../test/kit/scratch.js';

let bench: EdgeBench;

beforeEach(async () => {
  // The T1 of RFC 3261: sipp takes what is sent again for another message.
  bench = await EdgeBench.start(500);
  await bench.application((srf) => {
    srf.invite((req, res) => {
      const accept = () => {
        srf.createUAS(req, res, { localSdp: ANSWER }).then(
          () => undefined,
          // A CANCEL was first.
          () => undefined,
        );
      };
      if (req.calledNumber === 'transfer') void transfer(srf, req, res);
      else if (req.calledNumber === 'moved') res.send(302, { headers: { Contact: bench.uri } });
      else if (req.calledNumber === 'race') {
        req.on('cancel', () => undefined);
        res.send(180, {});
        setTimeout(accept, Math.random() * 6);
      } else accept();
    });
  });
});

afterEach(async () => {
  await bench.close();
  expect(bench.edge.counts()).toMatchObject({ transactions: 0, dialogs: 0, timers: 0 });
});

/** Answers, asks the caller to call elsewhere, and ends the call when they report that it came about. */
async function transfer(srf: Srf, req: Srf.SrfRequest, res: Srf.SrfResponse): Promise<void> {
  const dialog = await srf.createUAS(req, res, { localSdp: ANSWER });
  dialog.on('notify', (report, response) => {
    response.send(200);
    if (report.body.startsWith('SIP/2.0 200')) dialog.destroy({ headers: {} }, () => undefined);
  });
  dialog.once('ack', () => {
    const refer = { method: 'REFER', headers: { 'Refer-To': `<${bench.uri}>` } };
    // The peer says how it went in its reports; a call that is gone is seen by what sipp misses.
    dialog.request(refer as never).catch(() => undefined);
  });
}

/** Plays calls of a scenario of test/sipp/edge; what sipp has to complain of, empty when nothing. */
async function complaints(scenario: string, calls: number): Promise<string> {
  const folder = scratchFolder('sipp-edge');
  const errors = join(folder.path, 'errors.log');
  const args = [
    `127.0.0.1:${bench.edge.sipPort}`,
    ...['-sf', join(process.cwd(), 'test/sipp/edge', `${scenario}.xml`), '-i', '127.0.0.1', '-mi', '127.0.0.1'],
    ...['-m', String(calls), '-r', '100', '-recv_timeout', '5000', '-timeout', '20s', '-timeout_error', '-nostdin'],
    ...['-trace_err', '-error_file', errors],
  ];
  const code = await new Promise<unknown>((resolve) => {
    execFile('sipp', args, { cwd: folder.path }, (error) => resolve(error?.code ?? 0));
  });
  const said = code === 0 ? '' : `${code} ${readFileSync(errors, 'utf8')}`;
  folder.remove();
  return said;
}

it.each(['hold', 'transfer', 'redirect', 'cancel-race'])('a caller of another make: %s', async (scenario) => {
  expect(await complaints(scenario, 30)).toBe('');
  await until(() => bench.edge.counts().dialogs === 0);
});
