import { createServer, type Server } from 'node:http';
import { ParleyError, reasonOf } from '../../errors.js';

/**
 * Serves `GET /metrics` for Prometheus.
 *
 * @throws ParleyError `PARLEY_ERR_HTTP_START`
 */
export async function serveMetrics(
  { host, port }: { host: string; port: number },
  metrics: () => string,
): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new ParleyError('PARLEY_ERR_HTTP_START', { host, port, reason: reasonOf(error) })),
    );
    server.listen(port, host, resolve);
  });
  return { port: portOf(server), close: () => void server.close().closeAllConnections() };
}

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}
