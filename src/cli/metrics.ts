// `/metrics` of `tunstack serve`: the counters for Prometheus and its like, in OpenMetrics, for allowed addresses only.
import type { Command } from 'cac'
import {
  type Answer,
  HttpError,
  type HttpRequest,
  HttpResponse,
  type HttpServer,
  type MetricFamily,
  OPEN_METRICS_TYPE,
  openMetrics,
  peerFilter,
  stackMetrics,
} from '../index.ts'
import type { PortableStack } from '../portable.ts'
import type { Allowed } from './allowed.ts'

export function addMetricsOptions(command: Command): Command {
  return command
    .option('--no-metrics', 'Without the counters at /metrics')
    .option('--metrics-allow <networks>', 'Who may read them, such as 10.0.0.0/8', {
      default: "the host side's own networks",
    })
}

/** Answers a request for them. `networks`: who may ask unless settings say so. */
export function metrics(
  stack: PortableStack,
  server: () => HttpServer | null,
  { allow }: Allowed,
  networks: readonly string[],
): (request: HttpRequest) => Answer {
  const allowed = allow ?? networks
  const admits = peerFilter(allowed, [])
  return ({ endpoint }) => {
    const { remoteAddress } = endpoint
    if (!admits(remoteAddress)) {
      const hint = `"tunstack serve --metrics-allow ${remoteAddress}" lets you in`
      throw new HttpError(403, `The counters are for ${allowed.join(' and ')}, and you are ${remoteAddress}: ${hint}.`)
    }
    const headers = { 'Content-Type': OPEN_METRICS_TYPE, 'Cache-Control': 'no-store' }
    return new HttpResponse(openMetrics([...stackMetrics(stack), ...serverMetrics(server())]), { headers })
  }
}

function serverMetrics(server: HttpServer | null): MetricFamily[] {
  if (server === null) return []
  const counts = Object.entries(server.counts).map(([what, value]) => ({ labels: { what }, value }))
  const help = 'Of the HTTP server of "tunstack serve": clients that were'
  return [
    {
      name: 'tunstack_http_connections',
      type: 'gauge',
      help: 'Connections that the HTTP server has.',
      samples: [{ value: server.connectionCount }],
    },
    { name: 'tunstack_http_clients', type: 'counter', help: `${help} accepted, refused and so on.`, samples: counts },
  ]
}
