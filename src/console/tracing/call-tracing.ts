import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { LiveEvent, StoredEvent } from '../../journal/events.js';
import { endAttributes, type SpanDescription, turnSpan } from './spans.js';

/** The package `@opentelemetry/api`: only its types are needed to build. */
export type Api = typeof import('@opentelemetry/api');

/** W3C Trace Context, version 00. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** Events that wait for the end of their turn. */
const MOST_EVENTS = 1000;

interface TracedCall {
  span: Span;
  context: Context;
  /** Wall clock of the journal's 0, ms since 1970. */
  epoch: number;
  /** Since the agent's last turn. */
  events: StoredEvent[];
  /** What goes on: name and beginning. */
  open: Map<string, { at: number; attributes: SpanDescription['attributes'] }>;
}

/** OpenTelemetry spans of calls: a projection of their journals, told as each turn ends. */
export class CallTracing {
  private readonly calls = new Map<string, TracedCall>();

  constructor(
    private readonly api: Api,
    private readonly tracer: Tracer,
    private readonly shutdown: () => Promise<void> = async () => undefined,
  ) {}

  /** Takes an event of a call. */
  observe(event: StoredEvent | LiveEvent): void {
    if (!('seq' in event)) return;
    if (event.type === 'call.received') return this.begin(event);
    const call = this.calls.get(event.call);
    if (!call) return;
    if (call.events.length < MOST_EVENTS) call.events.push(event);
    this.happened(call, event);
  }

  /** W3C `traceparent` of a call's span, for whom the call's work is handed to. */
  traceparent(call: string): string | undefined {
    const context = this.calls.get(call)?.span.spanContext();
    if (!context || !this.api.isSpanContextValid(context)) return undefined;
    return `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`;
  }

  /** Ends what is open and sends what is left. */
  async close(): Promise<void> {
    for (const { span } of this.calls.values()) span.end();
    this.calls.clear();
    await this.shutdown();
  }

  private begin(event: Extract<StoredEvent, { type: 'call.received' }>): void {
    const epoch = Date.parse(event.time) - event.at;
    const { entry, agent, trunk } = event;
    const attributes = { 'parley.call': event.call, ...defined({ entry, agent, trunk }) };
    const { SpanKind, trace } = this.api;
    const parent = this.parentOf(event.traceparent);
    const span = this.tracer.startSpan('call', { startTime: epoch, kind: SpanKind.SERVER, attributes }, parent);
    const context = trace.setSpan(parent, span);
    this.calls.set(event.call, { span, context, epoch, events: [], open: new Map() });
  }

  private parentOf(traceparent: string | undefined): Context {
    const { ROOT_CONTEXT, trace } = this.api;
    const [, traceId, spanId, flags = '0'] = TRACEPARENT.exec(traceparent ?? '') ?? [];
    if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
    const traceFlags = Number.parseInt(flags, 16);
    return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
  }

  private happened(call: TracedCall, event: StoredEvent): void {
    const { span, epoch, open } = call;
    switch (event.type) {
      case 'call.answered':
        span.setAttribute('parley.codec', event.codec);
        return this.tell(call, { name: 'setup', start: 0, end: event.at, attributes: {}, children: [] });
      case 'agent.turn':
        this.tell(call, turnSpan(call.events.splice(0), event));
        return;
      case 'transfer.started': {
        const attributes = { 'parley.target': configured(event.target), 'parley.method': event.method };
        return void open.set('transfer', { at: event.at, attributes });
      }
      case 'transfer.finished':
        return this.finish(call, 'transfer', event.at, { 'parley.outcome': event.outcome });
      case 'transfer.bridged':
        return void open.set('with a person', {
          at: event.at,
          attributes: { 'parley.person': configured(event.person) },
        });
      case 'transfer.unbridged':
        return this.finish(call, 'with a person', event.at);
      case 'interruption':
      case 'backchannel':
      case 'idle':
      case 'hold':
        return void span.addEvent(event.type, {}, epoch + event.at);
      case 'error':
        return void span.addEvent('error', { 'parley.code': event.code }, epoch + event.at);
      case 'call.summary':
        return void span.setAttributes(endAttributes(event));
      case 'call.ended':
        return this.end(call, event);
    }
  }

  private end(call: TracedCall, event: Extract<StoredEvent, { type: 'call.ended' }>): void {
    for (const name of [...call.open.keys()]) this.finish(call, name, event.at);
    call.span.setAttributes(endAttributes(event));
    if (event.by === 'error') call.span.setStatus({ code: this.api.SpanStatusCode.ERROR });
    call.span.end(call.epoch + event.at);
    this.calls.delete(event.call);
  }

  private finish(call: TracedCall, name: string, end: number, more: SpanDescription['attributes'] = {}): void {
    const begun = call.open.get(name);
    if (!begun) return;
    call.open.delete(name);
    this.tell(call, { name, start: begun.at, end, attributes: { ...begun.attributes, ...more }, children: [] });
  }

  private tell({ context, epoch }: TracedCall, described: SpanDescription): void {
    const { trace, SpanStatusCode } = this.api;
    const emit = ({ name, start, end, attributes, failed, children }: SpanDescription, parent: Context) => {
      const span = this.tracer.startSpan(name, { startTime: epoch + start, attributes }, parent);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      const within = trace.setSpan(parent, span);
      for (const child of children) emit(child, within);
      span.end(epoch + end);
    };
    emit(described, context);
  }
}

/** A target's name; a SIP URI of an agent file may hold a number. */
function configured(target: string): string {
  return /^sips?:/i.test(target) ? 'sip' : target;
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
  const known = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(known.map(([name, value]) => [`parley.${name}`, value]));
}
