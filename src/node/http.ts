// `stack.http` and `stack.https`: Node's own modules, whose servers listen on a stack and whose agents connect by it. Parsing, headers,
// keep-alive, pipelining, upgrades are Node's; so are all the other exports.

import type http from 'node:http'
import type { Agent, ClientRequest, IncomingMessage, RequestListener, ServerOptions, ServerResponse } from 'node:http'
import type https from 'node:https'
import { derive } from './derive.ts'
import type { OnStack } from './net/adopt.ts'
import type { Connect } from './net/net.ts'
import { settle } from './tls.ts'

type Responses<Request extends typeof IncomingMessage> = typeof ServerResponse<InstanceType<Request>>

export interface Http extends Omit<typeof http, 'createServer'> {
  createServer<
    Request extends typeof IncomingMessage = typeof IncomingMessage,
    Response extends Responses<Request> = typeof ServerResponse,
  >(listener?: RequestListener<Request, Response>): OnStack<http.Server<Request, Response>>
  createServer<
    Request extends typeof IncomingMessage = typeof IncomingMessage,
    Response extends Responses<Request> = typeof ServerResponse,
  >(
    options: ServerOptions<Request, Response>,
    listener?: RequestListener<Request, Response>,
  ): OnStack<http.Server<Request, Response>>
}

export interface Https extends Omit<typeof https, 'createServer'> {
  createServer<
    Request extends typeof IncomingMessage = typeof IncomingMessage,
    Response extends Responses<Request> = typeof ServerResponse,
  >(listener?: RequestListener<Request, Response>): OnStack<https.Server<Request, Response>>
  createServer<
    Request extends typeof IncomingMessage = typeof IncomingMessage,
    Response extends Responses<Request> = typeof ServerResponse,
  >(
    options: https.ServerOptions<Request, Response>,
    listener?: RequestListener<Request, Response>,
  ): OnStack<https.Server<Request, Response>>
}

type AnyOptions = Record<string, unknown>

/** As Node's own global agents. */
const GLOBAL = { keepAlive: true, scheduling: 'lifo', timeout: 5000 } as const

export function createHttp(node: typeof http, listening: object, connect: Connect): Http {
  const Agent = derive(node.Agent, {
    createConnection: (options: AnyOptions) => connect(withoutPath(options)),
  })
  return modules(node, node, listening, Agent)
}

export function createHttps(node: typeof https, plain: typeof http, listening: object, connect: Connect): Https {
  const createConnection = Reflect.get(node.Agent.prototype, 'createConnection')
  const Agent = derive(node.Agent, {
    // Node's, which keeps sessions of TLS, over a socket that is there already.
    createConnection(this: https.Agent, given: AnyOptions, done: unknown) {
      const options = withoutPath(given)
      if (given.socket) return Reflect.apply(createConnection, this, [options, done])
      const below = connect(options)
      return settle(Reflect.apply(createConnection, this, [{ ...options, socket: below }, done]), below)
    },
  })
  return modules(node, plain, listening, Agent)
}

function modules<Module extends Http | Https>(
  node: typeof http | typeof https,
  { ClientRequest }: typeof http,
  listening: object,
  AgentOnStack: typeof Agent | typeof https.Agent,
): Module {
  const globalAgent = new AgentOnStack(GLOBAL)
  const Server = derive(node.Server, listening)
  const Request = derive(ClientRequest, {}, (args) => withDefaultAgent(args, globalAgent))
  const request = (...args: unknown[]): ClientRequest => Reflect.construct(Request, args)
  return {
    ...node,
    ...('ClientRequest' in node ? { ClientRequest: Request } : {}),
    Server,
    Agent: AgentOnStack,
    globalAgent,
    createServer: (...args: unknown[]) => Reflect.construct(Server, args),
    request,
    get: (...args: unknown[]) => request(...args).end(),
  } as unknown as Module
}

/** Of a request's URL. What is left names a pipe, which a stack does not have, and says so. */
function withoutPath(options: AnyOptions): AnyOptions {
  return { ...options, path: options.socketPath }
}

/** `(url[, options][, callback])` or `(options[, callback])`. */
function withDefaultAgent(args: readonly unknown[], agent: Agent): unknown[] {
  const [url, ...rest] = isUrl(args[0]) ? args : [null, ...args]
  const [options, ...callback] = typeof rest[0] === 'function' ? [{}, ...rest] : rest
  const given = [{ ...(options as object), _defaultAgent: agent }, ...callback]
  return url === null ? given : [url, ...given]
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && 'searchParams' in value)
}
