import { describe, expect, it } from 'vitest';
import { Scheduler, type WorkKind } from './speech-scheduler.js';

function setUp() {
  const scheduler = new Scheduler(
    () => 0,
    (error) => {
      throw error;
    },
  );
  const done: string[] = [];
  const submit = (kind: WorkKind, key: string, name = key) =>
    scheduler.submit({
      kind,
      key,
      run: async () => {
        done.push(name);
      },
    });
  return { scheduler, done, submit };
}

describe('Scheduler', () => {
  it('serves finals first, then speech to be played, and recordings last', async () => {
    const { scheduler, done, submit } = setUp();
    submit('transcribe', 't');
    submit('partial', 'p');
    submit('prepare', 's1');
    submit('play', 's2');
    submit('final', 'f1');
    submit('final', 'f2');
    await scheduler.idle();
    expect(done).toEqual(['f1', 'f2', 's2', 's1', 'p', 't']);
  });

  it('replaces a waiting partial by a newer one of the same stream', async () => {
    const { scheduler, done, submit } = setUp();
    submit('partial', 'a', 'a old');
    submit('partial', 'b');
    submit('partial', 'a', 'a new');
    expect(scheduler.backlog).toBe(2);
    await scheduler.idle();
    expect(done).toEqual(['a new', 'b']);
  });

  it('drops cancelled work', async () => {
    const { scheduler, done, submit } = setUp();
    submit('prepare', 'gone');
    submit('prepare', 'kept');
    scheduler.cancel('gone');
    await scheduler.idle();
    expect(done).toEqual(['kept']);
  });

  it('lets what comes while it works go before what waits', async () => {
    const { scheduler, done, submit } = setUp();
    scheduler.submit({
      kind: 'partial',
      key: 'first',
      run: async () => {
        done.push('first');
        setImmediate(() => submit('final', 'urgent'));
      },
    });
    submit('transcribe', 'long');
    await scheduler.idle();
    expect(done).toEqual(['first', 'urgent', 'long']);
  });
});
