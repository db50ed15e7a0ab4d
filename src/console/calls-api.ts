import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { ParleyError } from '../errors.js';
import type { Access, Env } from './access.js';
import type { AuditLog } from './audit.js';
import type { AudibleCall } from './live/audible.js';
import type { CallFigures } from './live-figures.js';
import { bodyOf, refused } from './refusal.js';

/** A live call as the API shows it. */
export interface LiveCall {
  id: string;
  from: string;
  /** Display name of the caller, where it says more than the number. */
  name?: string | undefined;
  /** The caller does not want to be known to others: not to be shown to people who need not know. */
  withheld?: boolean | undefined;
  to: string;
  /** The dialplan entry that took it, `file#name`. */
  entry?: string | undefined;
  agent: string | undefined;
  /** Who is joined with the caller. */
  person?: string | undefined;
  /** Who takes part beside them, or is being called for it. */
  participants: readonly { id: string; target: string; person: string | undefined }[];
  /** As in the calls room: received, preparing, answering, talking... */
  state: string;
  onHold: boolean;
  /** Since the INVITE, ms. */
  ageMs: number;
}

/** What can be done to a live call. Rejects with a ParleyError that says why it can't. */
export interface CallControls {
  hold(): Promise<void>;
  resume(): Promise<void>;
  sendDigits(digits: string, method: 'rfc4733' | 'info' | 'inband'): Promise<void>;
  recording(action: 'pause' | 'resume', reason: string): void;
  hangUp(reason: string): void;
  /** What supervisors do to it. */
  readonly supervision: {
    say(text: string, by: string): void;
    whisper(text: string, by: string): void;
    pause(on: boolean, by: string): void;
    sendOn(target: string, by: string): Promise<void>;
    takeBack(by: string): void;
    listen: AudibleCall['supervision']['listen'];
  };
  /** People who take part while the agent stays. */
  readonly participants: {
    add(target: string, by: string): Promise<string>;
    remove(participant: string, by: string): void;
  };
  /** Puts on the call's record who did what to it. */
  audit(action: string, by: string, role: string): void;
}

/** The live calls. */
export interface CallsSource {
  list(): LiveCall[];
  get(id: string): CallControls | undefined;
}

const MOST_BYTES = 16_384;

const dtmf = z.strictObject({
  digits: z.string().min(1).max(80),
  method: z.enum(['rfc4733', 'info', 'inband']).default('rfc4733'),
});
const words = z.strictObject({ text: z.string().trim().min(1).max(2000) });
const agent = z.strictObject({ action: z.enum(['pause', 'resume']) });
const destination = z.strictObject({ target: z.string().min(1).max(200) });
const participant = z.strictObject({ participant: z.string().min(1).max(20) });
const recording = z.strictObject({ action: z.enum(['pause', 'resume']) });

/** What the API of calls needs besides them. */
export interface CallsApiOptions {
  access: Access;
  audit: Pick<AuditLog, 'note'>;
  /** Of a live call, for its list. */
  figures(call: string): CallFigures | undefined;
  /** Deletes all that is kept of a call. */
  remove(call: string): Promise<{ events: number; recordings: number }>;
  /** Recordings of a call, and the sound of one of them, decrypted. @throws ParleyError */
  recordings: {
    list(call: string): Promise<{ name: string; bytes: number }[]>;
    open(call: string, name: string): Promise<AsyncGenerator<Uint8Array, void, undefined> | undefined>;
  };
  /** The SIP messages of a call, masked. */
  sip(call: string): Promise<readonly unknown[]>;
}

/** `GET /v1/calls` and what can be done to one of them: see docs/guides/call-control.md. */
export function callsApi(
  source: CallsSource,
  { access, audit, remove, sip, recordings, figures }: CallsApiOptions,
): Hono<Env> {
  const app = new Hono<Env>();
  const tooLong = new ParleyError('PARLEY_ERR_HTTP_BODY', { reason: `its body is longer than ${MOST_BYTES} bytes` });
  app.use(bodyLimit({ maxSize: MOST_BYTES, onError: (c) => refused(c, tooLong) }));
  app.get('/', access.requires('viewer'), (c) =>
    c.json({ calls: source.list().map((call) => ({ ...call, ...figures(call.id) })) }),
  );
  app.get('/:id/recordings', access.requires('supervisor'), async (c) =>
    c.json({ recordings: await recordings.list(c.req.param('id')) }),
  );
  app.get('/:id/recordings/:name', access.requires('supervisor'), async (c) => {
    const { id, name } = c.req.param();
    const sound = await recordings.open(id, name);
    if (!sound)
      return refused(c, new ParleyError('PARLEY_ERR_CALL_UNKNOWN', { id: name, store: 'the recordings', hint: '' }));
    void audit.note(c.get('principal'), 'recording.read', `${id} ${name}`, 'done');
    const type = name.endsWith('.wav') ? 'audio/wav' : 'audio/ogg';
    return c.body(ReadableStream.from(sound) as ReadableStream, 200, { 'Content-Type': type });
  });
  app.get('/:id/sip', access.requires('viewer'), async (c) => {
    const messages = await sip(c.req.param('id'));
    return messages.length > 0 ? c.json({ messages }) : refused(c, noTrace(c.req.param('id')));
  });
  const command = (path: string, run: (call: CallControls, body: unknown, by: string) => unknown) =>
    app.post(`/:id/${path}`, access.requires('supervisor'), async (c) => {
      const id = c.req.param('id') ?? '';
      const who = c.get('principal');
      try {
        const call = source.get(id);
        if (!call) throw new ParleyError('PARLEY_ERR_HTTP_NO_CALL', { call: id });
        const body = await bodyOf(c);
        const told = await run(call, body, who.name);
        call.audit(path, who.name, who.role);
        void audit.note(who, `call.${path}`, id, 'done');
        return c.json({ ok: true, ...(typeof told === 'object' && told) });
      } catch (error) {
        void audit.note(who, `call.${path}`, id, 'failed');
        return refused(c, error);
      }
    });
  command('hold', (call) => call.hold());
  command('resume', (call) => call.resume());
  command('dtmf', (call, body) => {
    const { digits, method } = dtmf.parse(body);
    return call.sendDigits(digits, method);
  });
  command('recording', (call, body) => call.recording(recording.parse(body).action, 'API'));
  command('say', ({ supervision }, body, by) => supervision.say(words.parse(body).text, by));
  command('whisper', ({ supervision }, body, by) => supervision.whisper(words.parse(body).text, by));
  command('agent', ({ supervision }, body, by) => supervision.pause(agent.parse(body).action === 'pause', by));
  command('transfer', ({ supervision }, body, by) => supervision.sendOn(destination.parse(body).target, by));
  command('participants', async ({ participants }, body, by) => {
    return { participant: await participants.add(destination.parse(body).target, by) };
  });
  command('participants/remove', ({ participants }, body, by) =>
    participants.remove(participant.parse(body).participant, by),
  );
  command('take-back', ({ supervision }, _body, by) => supervision.takeBack(by));
  command('end', (call) => call.hangUp('ended by API'));
  app.delete('/:id', access.requires('admin'), async (c) => {
    const id = c.req.param('id');
    try {
      const removed = await remove(id);
      await audit.note(c.get('principal'), 'call.delete', id, 'done');
      return c.json({ ok: true, ...removed });
    } catch (error) {
      void audit.note(c.get('principal'), 'call.delete', id, 'failed');
      return refused(c, error);
    }
  });
  return app;
}

function noTrace(id: string): ParleyError {
  const hint = 'Its SIP messages are kept for store.retention.sipMs where sip.trace.enabled is on.';
  return new ParleyError('PARLEY_ERR_CALL_UNKNOWN', { id, store: 'the SIP traces', hint });
}
