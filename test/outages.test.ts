import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPENING_HOURS } from './kit/examples.js';
import { house } from './kit/house.js';
import { Phone } from './kit/phone.js';
import { assertComplete, Server } from './kit/server.js';
import { speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

describe('parts of the server fail while a caller talks', () => {
  let server: Server;
  let phone: Phone;

  beforeAll(async () => {
    server = await Server.start({ faults: true, env: { PARLEY_LIMITS_LOAD_LOOP_MS: '400' } });
    await call();
  });

  async function call(): Promise<void> {
    phone = await Phone.dial(server);
    await phone.greeted();
  }

  // What a first try left of the call is no place to begin the second.
  beforeEach(async ({ task }) => {
    if (!task.result?.retryCount) return;
    await phone.close();
    await call();
  });

  afterAll(async () => {
    await phone?.close();
    await server?.stop();
  });

  /** What was heard since then of the stream that plays now, once the agent has fallen quiet. */
  async function heardSince(at: number): Promise<string> {
    await phone.rtp.spoken(at);
    return transcribe(phone.since(at));
  }

  /** Asks, and waits for the beginning of the answer. */
  async function beginOfAnswer(): Promise<void> {
    await phone.rtp.play(await speak(OPENING_HOURS.question));
    const said = performance.now();
    await until('the answer on the wire', () => phone.rtp.speaks(said), { everyMs: 10 });
  }

  it('a media worker that crashes, and one that hangs: the sentence is heard again, and the talk goes on', async () => {
    const restored = () => server.journal(phone.callId).filter(({ type }) => type === 'media.restored').length;
    const invited = () => phone.peer.received.filter(({ method }) => method === 'INVITE').length;
    const before = [restored(), invited()] as const;
    await beginOfAnswer();
    const lost = performance.now();
    server.fault('media-0', 'exit');
    await until('another worker', () => restored() === before[0] + 1);
    server.fault('media-0', 'hang');
    await until('a third', () => restored() === before[0] + 2);
    // Quiet is also what a dead worker leaves, before the next one says it again.
    const again = async () => OPENING_HOURS.answer.test(await heardSince(lost));
    await until('the sentence again', again, { ms: 30_000 });
    expect(invited() - before[1]).toBe(2);
  });

  it('the SIP edge that crashes, and one that hangs: the call stands, and others are taken', async () => {
    for (const how of ['throw', 'hang'] as const) {
      const before = logged('dialogs of the edge before go on');
      server.fault('edge', how);
      await until('another edge', () => logged('dialogs of the edge before go on') > before);
    }
    const other = await Phone.dial(server);
    await other.hangUp();
    await other.close();
    expect((await phone.call.again('OPTIONS')).status).toBe(200);
  });

  /** How often the server has logged what begins so: a test that is tried again finds the lines of its first try. */
  function logged(beginning: string): number {
    return server.log.filter(({ msg }) => msg?.startsWith(beginning)).length;
  }

  it('all speech workers, one crashed and one hung, while the caller speaks: the caller hears that it takes a moment, and the answer', async () => {
    const question = await speak(OPENING_HOURS.question);
    const middle = 160 * Math.round(question.pcm.length / 320);
    const begun = phone.rtp.play({ ...question, pcm: question.pcm.subarray(0, middle) });
    const said = phone.rtp.play({ ...question, pcm: question.pcm.subarray(middle) });
    await begun;
    const deaths = logged('a speech worker is lost');
    server.fault('speech-0', 'exit');
    await until('its death', () => logged('a speech worker is lost') > deaths);
    server.fault('speech-1', 'hang');
    await said;
    const at = performance.now();
    let heard = '';
    const answered = async () => {
      heard = await heardSince(at);
      return OPENING_HOURS.answer.test(heard);
    };
    await until('the answer', answered, { ms: 30_000 });
    expect(heard).toMatch(/one moment/i);
  });

  it('errors that nothing caught, in the main thread: the call goes on', async () => {
    for (const how of ['throw', 'reject'] as const) {
      const before = logged('an error that nothing caught');
      server.fault('main', how);
      await until(`what a ${how} leaves`, () => logged('an error that nothing caught') > before);
    }
    expect(await server.get('/readyz')).toContain('PARLEY_ERR_INTERNAL');
    server.fault('.*', 'clock', { ms: 3_600_000 });
    await isAnswered();
    server.fault('.*', 'clock', { ms: -7_200_000 });
  });

  it('a main thread that comes late: new calls are told to come again, until it does not', async () => {
    server.fault('main', 'stall', { ms: 600, times: 8 });
    const answers: string[] = [];
    const ring = async () => {
      const late = await Phone.invite(server);
      const answer = await late.call.final();
      late.call.acknowledge(answer);
      await late.close();
      answers.push(`${answer.status} ${answer.header('retry-after')}`.trim());
      return answers.at(-1);
    };
    await until('a refusal', async () => (await ring()) === '503 10', { ms: 15_000 });
    await until('an answer', async () => (await ring()) === '200', { ms: 20_000, everyMs: 500 });
    await phone.hangUp();
    await server.waitForIdle(15_000);
    const journal = server.journal(phone.callId);
    assertComplete(journal);
    // A clock that was set, forward and back, has moved no event.
    const times = journal.flatMap(({ type, at }) => (type === 'agent.turn' ? [at] : []));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(journal.at(-1)?.at).toBeLessThan(600_000);
  });

  /** Asks, and waits until the answer was heard, whatever the agent says besides. */
  async function isAnswered(): Promise<void> {
    const question = await speak(OPENING_HOURS.question);
    const at = performance.now();
    await phone.rtp.play(question);
    await until('the answer', async () => OPENING_HOURS.answer.test(await heardSince(at)), { ms: 40_000 });
  }
});

/** A disk of one's own takes the rights to mount one. */
describe.skipIf(process.getuid?.() !== 0)('a server with a disk of 6 MB', () => {
  const files = house([{ name: 'desk', answer: { record: true } }]);
  const data = join(files.path, 'data');
  const filler = join(data, 'filler');
  let server: Server;

  beforeAll(async () => {
    mkdirSync(data);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'parley-test', data]);
    server = await Server.start({ cwd: files.path, data, env: { PARLEY_LIMITS_DRAIN_MS: '60000' } });
  });

  afterAll(async () => {
    await server?.stop();
    execFileSync('umount', [data]);
    files.remove();
  });

  const alarms = async (): Promise<string[]> =>
    JSON.parse(await server.get('/readyz')).alarms.map(({ code }: { code: string }) => code);

  it('is full: the caller notices nothing, alarms are raised, and nothing is lost once there is room', async () => {
    const phone = await Phone.dial(server, '1');
    await phone.greeted();
    fill(filler);
    expect(await transcribe(await phone.ask('What are your opening hours?'))).toMatch(/\b(nine|9|seven|7)\b/i);
    await until('both alarms', async () => {
      const codes = await alarms();
      return codes.includes('PARLEY_ERR_STORE_UNAVAILABLE') && codes.includes('PARLEY_ERR_RECORDING_WRITE');
    });
    expect(await server.get('/metrics')).toContain('parley_alarm{code="PARLEY_ERR_STORE_UNAVAILABLE"} 1');
    await phone.hangUp();
    await phone.close();
    rmSync(filler);
    await server.waitForIdle(20_000);
    assertComplete(server.journal());
    await until('no alarm of the store', async () => !(await alarms()).includes('PARLEY_ERR_STORE_UNAVAILABLE'));
    expect(server.noise).toEqual([]);
  });

  it('ends its calls at once at a second signal, though there was time for them', async () => {
    const phone = await Phone.dial(server, '1');
    process.kill(server.pid, 'SIGTERM');
    await until('draining', () => server.lastWords().includes('no more calls'));
    expect(phone.call.ended).toBe(false);
    process.kill(server.pid, 'SIGTERM');
    await until('BYE', () => phone.call.ended);
    await until('the end of the process', () => !server.alive);
    expect(await server.stop()).toMatchObject({ code: 0 });
    await phone.close();
  });
});

/** Until there is room for nothing. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    closeSync(file);
  }
}
