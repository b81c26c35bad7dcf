// An HTTP/1.1 client on the endpoint, for programs that have a stack and not Node: requests, connections that are kept for the next
// one, redirects. `createHttpClient` is where users begin; what happens on a connection is client-connection.ts.
import type { PortableStack } from '../runtime/create-stack.ts'
import { type Asked, ClientConnection, type ClientLimits, Unanswered } from './client-connection.ts'
import type { ClientResponse } from './client-response.ts'
import { HeaderFields, type HeadersInit } from './headers.ts'
import { isTokenText, writeLatin1 } from './octets.ts'
import { RequestBody, type RequestContent } from './request-body.ts'
import { HttpError } from './status.ts'

export interface RequestInit {
  /** GET, or POST where there is a body. */
  method?: string
  headers?: HeadersInit
  /** By and by it is sent in chunks. */
  body?: RequestContent | null
  /** Redirects that are followed: none when not given. */
  redirects?: number
  /** Told of each response of 1xx. */
  onInformation?: (status: number) => void
  /** Told of a redirect that is followed, before its body is thrown away. */
  onRedirect?: (response: ClientResponse) => void
}

export interface HttpClientOptions {
  limits?: Partial<ClientLimits>
  /** False: a connection for each request, which says `Connection: close`. */
  keepAlive?: boolean
  /** The address of a name. Without it only addresses are known. */
  resolve?: (name: string) => string | Promise<string>
}

export const DEFAULT_CLIENT_LIMITS: ClientLimits = Object.freeze({
  connectTimeout: 10_000,
  silence: 60_000,
  idleTimeout: 4_000,
  connectionsPerHost: 64,
  head: 65_536,
  fields: 200,
  body: Number.MAX_SAFE_INTEGER,
  chunkLine: 4096,
  trailers: 65_536,
  informational: 32,
})

/** RFC 9110 §9.2.2: asked twice they do what they do once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** What the client says itself. */
const OURS = ['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect']

interface Host {
  readonly idle: ClientConnection[]
  readonly all: Set<ClientConnection>
  readonly waiting: (() => void)[]
}

interface Asking {
  readonly url: URL
  readonly method: string
  readonly fields: HeaderFields
  readonly body: RequestBody
}

export function createHttpClient(stack: PortableStack, options: HttpClientOptions = {}): HttpClient {
  return new HttpClient(stack, options)
}

export class HttpClient {
  readonly #stack: PortableStack
  readonly #limits: ClientLimits
  readonly #keepAlive: boolean
  readonly #resolve: HttpClientOptions['resolve']
  readonly #hosts = new Map<string, Host>()
  #isClosed = false

  constructor(stack: PortableStack, options: HttpClientOptions = {}) {
    this.#stack = stack
    this.#limits = { ...DEFAULT_CLIENT_LIMITS, ...options.limits }
    this.#keepAlive = options.keepAlive ?? true
    this.#resolve = options.resolve
  }

  /** Fulfilled with the head of the response; its body must be read, or cancelled. */
  async request(address: string | URL, init: RequestInit = {}): Promise<ClientResponse> {
    const body = new RequestBody(init.body ?? null)
    const hasBody = body.length !== null || body.isChunked
    const fields = new HeaderFields(init.headers)
    for (const name of OURS) fields.delete(name)
    const { redirects = 0 } = init
    let asking: Asking = { url: readUrl(address), method: init.method ?? (hasBody ? 'POST' : 'GET'), fields, body }
    if (!isTokenText(asking.method)) throw new TypeError(`'${asking.method}' is no name of a method`)
    for (let followed = 0; ; followed++) {
      const response = await this.#ask(asking, init)
      const next = redirects === 0 ? null : redirected(response, asking)
      if (next === null) return response
      if (followed === redirects) {
        response.cancel()
        throw new HttpError(502, `There are more than ${redirects} redirects.`)
      }
      init.onRedirect?.(response)
      await drop(response)
      asking = next
    }
  }

  /** Connections that are kept or in use. */
  get connectionCount(): number {
    let count = 0
    for (const { all } of this.#hosts.values()) count += all.size
    return count
  }

  /** Gives up what is under way, and ends what is kept. */
  close(): void {
    this.#isClosed = true
    for (const { all, waiting } of this.#hosts.values()) {
      for (const connection of [...all]) connection.close()
      for (const resume of waiting.splice(0)) resume()
    }
  }

  async #ask(asking: Asking, init: RequestInit): Promise<ClientResponse> {
    const { url, method, body } = asking
    const asked: Asked = {
      method,
      url: url.href,
      head: headOf(asking, this.#keepAlive),
      body,
      onInformation: init.onInformation ?? null,
    }
    for (;;) {
      const connection = await this.#connection(url)
      const wasUsed = connection.requests > 0
      try {
        return await connection.ask(asked)
      } catch (error) {
        // RFC 9112 §9.3.1: the server may have closed it just then.
        if (!wasUsed || !(error instanceof Unanswered) || !IDEMPOTENT.has(method) || !body.isWhole) throw error
      }
    }
  }

  /** One that is kept, or a new one, or as soon as another is done. */
  async #connection(url: URL): Promise<ClientConnection> {
    const port = url.port === '' ? 80 : Number(url.port)
    const address = await this.#addressOf(url)
    const host = this.#hostOf(`${address} ${port}`)
    for (;;) {
      if (this.#isClosed) throw new HttpError(502, 'The client was closed.')
      const kept = host.idle.pop()
      if (kept !== undefined) return kept
      if (host.all.size < this.#limits.connectionsPerHost) return this.#open(host, address, port)
      await new Promise<void>((resolve) => host.waiting.push(resolve))
    }
  }

  #open(host: Host, address: string, port: number): ClientConnection {
    const endpoint = this.#stack.connect({ address, port })
    const connection = new ClientConnection(endpoint, this.#limits, this.#stack.driver.time)
    host.all.add(connection)
    connection.onFree = () => {
      host.idle.push(connection)
      host.waiting.shift()?.()
    }
    connection.onOver = () => {
      host.all.delete(connection)
      const place = host.idle.indexOf(connection)
      if (place >= 0) host.idle.splice(place, 1)
      host.waiting.shift()?.()
    }
    return connection
  }

  #hostOf(key: string): Host {
    let host = this.#hosts.get(key)
    if (host === undefined) this.#hosts.set(key, (host = { idle: [], all: new Set(), waiting: [] }))
    return host
  }

  async #addressOf({ hostname }: URL): Promise<string> {
    if (hostname.startsWith('[')) return hostname.slice(1, -1)
    if (/^[\d.]+$/.test(hostname)) return hostname
    if (this.#resolve === undefined) throw new TypeError(`'${hostname}' is a name, and nobody here knows names`)
    return this.#resolve(hostname)
  }
}

function readUrl(address: string | URL): URL {
  const url = new URL(address)
  if (url.protocol !== 'http:') throw new TypeError(`'${url.href}' is no address of http`)
  if (url.username !== '' || url.password !== '') throw new TypeError('an address has no user and no password in it')
  return url
}

/** RFC 9112 §3, RFC 9110 §7.2: the host first. */
function headOf({ url, method, fields, body }: Asking, keepAlive: boolean): Uint8Array {
  let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n`
  if (!fields.has('host')) head += `Host: ${url.host}\r\n`
  for (const [name, value] of fields) head += `${name}: ${value}\r\n`
  if (body.isChunked) head += 'Transfer-Encoding: chunked\r\n'
  // RFC 9110 §8.6: a method that means a body says that there is none.
  else if (body.length !== null || method === 'POST' || method === 'PUT' || method === 'PATCH')
    head += `Content-Length: ${body.length ?? 0}\r\n`
  if (!keepAlive) head += 'Connection: close\r\n'
  const octets = new Uint8Array(head.length + 2)
  writeLatin1(octets, 0, `${head}\r\n`)
  return octets
}

/** RFC 9110 §15.4: what is to be asked next; null where that is no redirect. */
function redirected(response: ClientResponse, asking: Asking): Asking | null {
  const location = response.headers.get('location')
  const { status } = response
  if (!REDIRECTS.has(status) || location === null) return null
  const url = readUrl(new URL(location, asking.url))
  if (url.hash === '') url.hash = asking.url.hash
  const fields = new HeaderFields(asking.fields)
  fields.delete('host')
  if (url.host !== asking.url.host) for (const name of ['authorization', 'cookie']) fields.delete(name)
  const becomesGet = status === 303 ? asking.method !== 'HEAD' : status < 303 && asking.method === 'POST'
  if (!becomesGet) {
    if (!asking.body.isWhole)
      throw new HttpError(502, 'A body that was sent by and by can not be sent again elsewhere.')
    return { url, method: asking.method, fields, body: asking.body }
  }
  for (const name of ['content-type', 'content-encoding', 'content-language', 'content-location']) fields.delete(name)
  return { url, method: 'GET', fields, body: new RequestBody(null) }
}

const MOST_DROPPED = 65_536

/** A short body is read to its end, so that the connection can be used again. */
async function drop(response: ClientResponse): Promise<void> {
  for await (const _ of response.pieces()) if (response.received > MOST_DROPPED) return
}
