// Every limit of the HTTP server, with its name. Durations are milliseconds, sizes octets.

export interface HttpLimits {
  /** The request line and all fields. */
  readonly head: number
  readonly target: number
  readonly fields: number
  /** Of a request; 413 beyond. */
  readonly body: number
  /** A chunk's line: its size and whatever extensions it has. */
  readonly chunkLine: number
  readonly trailers: number
  /** What is left of a body that nobody wants is read and thrown away up to here, so that the connection may be used again. */
  readonly unwanted: number
  /** From the first octet of a request (or the connection's beginning) to the end of its head; 408 beyond. */
  readonly headTimeout: number
  /** Without an octet of a body that is waited for. */
  readonly bodyTimeout: number
  /** Between two requests. */
  readonly idleTimeout: number
  /** Octets a second that a body must come with, and an answer must be taken with, over any `rateSpan`. */
  readonly leastRate: number
  readonly rateSpan: number
  /** How long a peer may take to close after us. */
  readonly lingerTimeout: number
  /** Connections of one IPv4 address, or of one IPv6 /64. */
  readonly connectionsPerPeer: number
  readonly connections: number
  /** More than the limit: so many are told so at a time (503), all others are reset. */
  readonly refusals: number
  readonly requestsPerConnection: number
  /** Of one peer; 429 beyond. */
  readonly requestsPerSecond: number
  /** So many may come at once before that is held against it: those of one second when not given. */
  readonly requestBurst: number | null
  /** Seconds, in the Retry-After of a 503 for too many connections. */
  readonly retryAfter: number
}

export const DEFAULT_LIMITS: HttpLimits = Object.freeze({
  head: 16_384,
  target: 8192,
  fields: 100,
  body: 16_777_216,
  chunkLine: 256,
  trailers: 4096,
  unwanted: 262_144,
  headTimeout: 20_000,
  bodyTimeout: 30_000,
  idleTimeout: 60_000,
  leastRate: 100,
  rateSpan: 20_000,
  lingerTimeout: 2_000,
  connectionsPerPeer: 20_000,
  connections: 50_000,
  refusals: 256,
  requestsPerConnection: Number.MAX_SAFE_INTEGER,
  requestsPerSecond: Number.POSITIVE_INFINITY,
  requestBurst: null,
  retryAfter: 5,
})
