// `serveNode`: handlers that were written for `node:http` (a function of request and response, Express, Fastify) on a stack. Parsing,
// headers and limits are Node's then, over the stack's sockets: such handlers want its very classes, with everything they do.
import type { IncomingMessage, RequestListener, Server, ServerOptions, ServerResponse } from 'node:http'
import type { NodeStack } from './create-stack.ts'
import type { OnStack } from './net/adopt.ts'
import type { ListenOptions } from './net/listen.ts'
import type { Filter } from './net/server.ts'

/** Fastify, as far as it is looked at. */
export interface Routed {
  /** Its plugins are loaded. */
  ready(): PromiseLike<unknown>
  routing(request: IncomingMessage, response: ServerResponse): void
}

export interface ServeNodeOptions {
  /** 80 when not given. */
  port?: number
  /** Every address when not given. */
  host?: string
  backlog?: number
  signal?: AbortSignal
  /** Asked about every connection before any SYN-ACK goes out. */
  filter?: Filter
  /** What `http.createServer` takes: time-outs, the largest head, and so on. */
  server?: ServerOptions
}

/** Fulfilled when it listens, with Node's own server: `close`, `address`, `on` are as everywhere. */
export async function serveNode(
  stack: NodeStack,
  app: RequestListener | Routed,
  options: ServeNodeOptions = {},
): Promise<OnStack<Server>> {
  const { port = 80, filter, server: serverOptions = {}, ...listening } = options
  const server = stack.http.createServer(serverOptions, await handlerOf(app))
  if (filter !== undefined) server.filter(filter)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...listening, port } satisfies ListenOptions, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server
}

async function handlerOf(app: RequestListener | Routed): Promise<RequestListener> {
  // An app of Express is a function, and so is one of connect.
  if (typeof app === 'function') return app
  await app.ready()
  return (request, response) => app.routing(request, response)
}
