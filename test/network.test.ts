import { describe, expect, it } from 'vitest';
import { OPENING_HOURS } from './kit/examples.js';
import { fixture } from './kit/fixture.js';
import { Phone } from './kit/phone.js';
import { RoughLine } from './kit/rough-line.js';
import { assertComplete, Server } from './kit/server.js';
import { overlap, speak, transcribe } from './kit/speech.js';
import { until } from './kit/until.js';

/** Sentences long enough that the loss of a syllable is no loss of their sense. */
const LINES = [
  'Hello, can you tell me your opening hours on Saturday?',
  'How much is the shipping to another country?',
] as const;

/** What networks do to calls, with sockets on both sides of it. */
describe.concurrent('a bad network', () => {
  let server: Server;

  fixture(async () => {
    const env = { SILENT_AFTER_S: '1', TIMEOUT_S: '5', ACTION: 'hangup' };
    const named = Object.entries(env).map(([name, value]) => [`PARLEY_MEDIA_WATCH_${name}`, value]);
    server = await Server.start({ env: Object.fromEntries(named) });
    return server;
  });

  /** What the journal has of RTP that did not come or go. */
  function alarms(phone: Phone): string[] {
    return server
      .journal(phone.callId)
      .flatMap((event) =>
        event.type === 'media.silent' ? [`${event.direction} ${event.on ? 'silent' : 'back'}`] : [],
      );
  }

  it('of 5 % loss, 40 ms jitter, reordering, duplicates and a NAT that forgets is talked through', async () => {
    using line = await RoughLine.open({ loss: 5, jitterMs: 40, duplicates: 5, driftPpm: 200 });
    await using phone = await Phone.dialOver(line, server);
    await phone.greeted();
    expect(await transcribe(await phone.ask(LINES[0]))).toMatch(OPENING_HOURS.answer);
    await line.move();
    await until('the same stream from the other port', () => alarms(phone).includes('received back'));
    await phone.rtp.play(await speak(LINES[1]));
    const isAsked = ({ text }: { text: string }) => overlap(LINES[1], text) > 0.6;
    await server.event('caller.turn', { sipCallId: phone.callId, where: isAsked, ms: 20_000 });
    await phone.hangUp();
    await server.event('call.ended', { sipCallId: phone.callId });
    expect(line.counts.lost).toBeGreaterThan(50);
    expect(Math.min(line.counts.doubled, line.counts.overtaken)).toBeGreaterThan(50);
    const journal = server.journal(phone.callId);
    assertComplete(journal);
    const turns = journal.flatMap((event) => (event.type === 'caller.turn' ? [event.text] : []));
    expect(overlap(LINES.join(' '), turns.join(' ')), turns.join(' / ')).toBeGreaterThan(0.7);
    const quality = journal.find((event) => event.type === 'media.quality' && event.direction === 'received');
    if (quality?.type !== 'media.quality') throw new Error('no media.quality');
    expect(quality.jitterMs).toBeGreaterThan(5);
    expect(quality.lossPercent).toBeGreaterThan(1);
  });

  it('that brings nothing any more is told, waited for on hold, and given up', async () => {
    await using phone = await Phone.dial(server);
    const sipCallId = phone.callId;
    await phone.greeted();
    phone.rtp.mute(true);
    await server.event('media.silent', { sipCallId, where: ({ on }) => on });
    phone.rtp.mute(false);
    await server.event('media.silent', { sipCallId, where: ({ on }) => !on });
    // On hold for longer than all times, and nothing comes of it.
    await phone.call.again('INVITE', phone.rtp.sdp('inactive'));
    phone.rtp.mute(true);
    const held = performance.now();
    await until('a long hold', () => performance.now() - held > 6000);
    expect(phone.call.open).toBe(true);
    expect(alarms(phone)).toEqual(['received silent', 'received back']);
    await phone.call.again('INVITE', phone.rtp.sdp());
    await until('BYE', () => !phone.call.open);
    const ended = await server.event('call.ended', { sipCallId });
    expect(ended).toMatchObject({ by: 'error', reason: 'no RTP received for 5 s' });
    expect(alarms(phone)).toEqual(['received silent', 'received back', 'received silent']);
  });

  it('that carries only one way is told by what the caller reports', async () => {
    await using phone = await Phone.dial(server);
    const sipCallId = phone.callId;
    await phone.greeted();
    const arrived = () => phone.rtp.heard.at(-1)!.sequence;
    const stuck = arrived();
    phone.rtp.report(stuck);
    await until('more packets', () => ((arrived() - stuck) & 0xffff) > 60);
    phone.rtp.report(stuck);
    const alarm = await server.event('media.silent', { sipCallId });
    expect(alarm).toMatchObject({ direction: 'sent', on: true });
    phone.rtp.report(arrived());
    await server.event('media.silent', { sipCallId, where: ({ on }) => !on });
    expect(alarms(phone)).toEqual(['sent silent', 'sent back']);
    await phone.hangUp();
  });
});
