import type { TracerProvider } from '@opentelemetry/api';
import { reasonOf } from '../../errors.js';
import type { Logger } from '../../telemetry/log.js';
import { type Api, CallTracing } from './call-tracing.js';

const NAME = 'parley';

/**
 * Traces calls where somebody wants them: with the SDK that the user has registered (`node --import`), else, where
 * OTEL_EXPORTER_OTLP_ENDPOINT names a collector and the packages are there, by OTLP over HTTP.
 *
 * @returns undefined when nobody does: then tracing costs nothing
 */
export async function startTracing(logger: Logger, env = process.env): Promise<CallTracing | undefined> {
  const wanted = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const off = env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none';
  try {
    const api: Api = await import('@opentelemetry/api');
    if (isRegistered(api)) return new CallTracing(api, api.trace.getTracer(NAME));
    if (!wanted || off) return undefined;
    const { provider, shutdown } = await exporting(env);
    logger.info({ endpoint: new URL(wanted).host }, 'traces go to a collector');
    return new CallTracing(api, provider.getTracer(NAME), shutdown);
  } catch (error) {
    if (wanted && !off)
      logger.warn({ reason: reasonOf(error), install: PACKAGES }, 'traces are wanted but can not be made');
    return undefined;
  }
}

const PACKAGES =
  '@opentelemetry/api @opentelemetry/sdk-trace @opentelemetry/resources @opentelemetry/exporter-trace-otlp-http';

/** Without an SDK a span has no id. What is begun here is never ended, hence never exported. */
function isRegistered(api: Api): boolean {
  return api.isSpanContextValid(api.trace.getTracer(NAME).startSpan('probe').spanContext());
}

/** The exporter and the batches are set by the variables of the OpenTelemetry specification. */
async function exporting(env: NodeJS.ProcessEnv): Promise<{ provider: TracerProvider; shutdown: () => Promise<void> }> {
  const [sdk, resources, otlp] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const detected = resources.detectResources({ detectors: [resources.envDetector] });
  const named = resources.resourceFromAttributes({ 'service.name': env.OTEL_SERVICE_NAME ?? NAME });
  const provider = new sdk.TracerProvider({
    resource: resources.defaultResource().merge(named).merge(detected),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new otlp.OTLPTraceExporter() })],
  });
  return { provider, shutdown: () => provider.shutdown() };
}
