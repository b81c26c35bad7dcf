// What `tunstack serve` answers: the start page, what the server tells of itself under `/_tunstack/` and `/metrics`, and files for
// the rest where there are any.
import type { PortableStack } from '../runtime/create-stack.ts'
import { type EventStream, eventStream } from './event-stream.ts'
import type { HttpRequest } from './request.ts'
import { type Answer, HttpResponse } from './response.ts'
import type { Handler, HttpServer } from './server.ts'
import { startPage } from './start-page.ts'
import { HttpError } from './status.ts'

export interface SiteOptions {
  readonly stack: PortableStack
  /** For its list of connections; it is not there yet when the site is made. */
  readonly server: () => HttpServer | null
  /** Answers everything that is not the server's own; without it the start page stands at `/`. */
  readonly files: ((request: HttpRequest, wall: number) => Answer | Promise<Answer>) | null
  /** Answers what is the dashboard's, at `/_tunstack/`; null for anything else. */
  readonly dashboard?: ((request: HttpRequest) => Answer | null) | null
  /** Answers at `/metrics`. */
  readonly metrics?: ((request: HttpRequest) => Answer) | null
}

const TICK = 1000

export function site({ stack, server, files, dashboard = null, metrics = null }: SiteOptions): Handler {
  const { time } = stack.driver
  return (request) => {
    const { path } = request
    if (files !== null && path !== '/metrics' && !path.startsWith('/_tunstack/')) return files(request, time.wall())
    const answer = dashboard?.(request) ?? null
    if (answer !== null) return answer
    switch (path) {
      case '/':
      case '/_tunstack/':
      case '/_tunstack/start':
        mustRead(request)
        return startPage(request, { hasDashboard: dashboard !== null, hasMetrics: metrics !== null })
      case '/_tunstack/connections':
        mustRead(request)
        return HttpResponse.json([...(server()?.connections() ?? [])])
      case '/metrics':
        if (metrics === null) throw new HttpError(404)
        mustRead(request)
        return metrics(request)
      case '/_tunstack/events':
        mustRead(request)
        return eventStream((events) => tick(stack, request, events))
      case '/_tunstack/count':
        return count(request)
      default:
        throw new HttpError(404)
    }
  }
}

function mustRead({ method }: HttpRequest): void {
  if (method !== 'GET' && method !== 'HEAD') throw new HttpError(405, undefined, { Allow: 'GET, HEAD' })
}

/** Once a second what TCP knows of this connection. */
function tick(stack: PortableStack, request: HttpRequest, events: EventStream): void {
  if (events.isClosed) return
  const { rtt, segmentsIn, segmentsOut, octetsAcked } = request.endpoint.info()
  events.send(JSON.stringify({ rtt, segmentsIn, segmentsOut, octetsAcked }))
  const cancel = stack.driver.time.after(TICK, () => tick(stack, request, events))
  events.onClose = cancel
}

async function count(request: HttpRequest): Promise<HttpResponse> {
  if (request.method !== 'POST' && request.method !== 'PUT') throw new HttpError(405, undefined, { Allow: 'POST, PUT' })
  let octets = 0
  for await (const piece of request.pieces()) octets += piece.length
  return HttpResponse.json({ octets })
}
