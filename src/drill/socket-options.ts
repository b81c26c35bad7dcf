// Options of a script's TCP socket: kept while there is no connection, given to it when there is one, and handed on by a listener.
import type { TcpSettings } from '../core/tcp/settings.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { ListenEndpoint } from '../runtime/listen-endpoint.ts'
import { Unsupported, type Value } from './script.ts'
import type { Like } from './setup.ts'
import { done, failed, type Outcome } from './socket.ts'
import { namesOf, numberOf } from './values.ts'

type Held = number | string

/** What an option does to a connection. Options without one are only kept. */
const APPLIED: Readonly<Record<string, (endpoint: Endpoint, value: Held, all: ReadonlyMap<string, Held>) => void>> = {
  SO_SNDBUF: (endpoint, value) => endpoint.setBuffers({ send: Number(value) }),
  SO_RCVBUF: (endpoint, value) => endpoint.setBuffers({ receive: Number(value) }),
  SO_LINGER: (endpoint, value) => endpoint.setLinger(Number(value) < 0 ? -1 : Number(value) * 1000),
  SO_KEEPALIVE: keepAlive,
  TCP_KEEPIDLE: keepAlive,
  TCP_KEEPINTVL: keepAlive,
  TCP_KEEPCNT: keepAlive,
  TCP_NODELAY: (endpoint, value) => endpoint.setNoDelay(value !== 0),
  TCP_CORK: (endpoint, value) => endpoint.setCork(value !== 0),
  TCP_MAXSEG: (endpoint, value) => endpoint.setMaximumSegment(Number(value)),
  TCP_USER_TIMEOUT: (endpoint, value) => endpoint.setUserTimeout(Number(value)),
  TCP_LINGER2: (endpoint, value) => endpoint.setFinWait2Timeout(Number(value) * 1000),
  TCP_CONGESTION: (endpoint, value) => endpoint.setCongestionControl(String(value)),
  IP_TOS: trafficClass,
  IPV6_TCLASS: trafficClass,
  IP_TTL: hopLimit,
  IPV6_UNICAST_HOPS: hopLimit,
}
/** Kept, and without an effect on a connection. */
const KEPT = new Set(['SO_REUSEADDR', 'SO_REUSEPORT', 'SO_OOBINLINE', 'IPV6_V6ONLY', 'SO_TIMESTAMPING', 'SO_PRIORITY'])
/** FreeBSD's names, and those that count in other units. */
const ALIASES: Readonly<Record<string, string>> = { TCP_NOPUSH: 'TCP_CORK' }
const BUFFERS = new Set(['SO_SNDBUF', 'SO_RCVBUF'])
const TYPE_STREAM = 1

function keepAlive(endpoint: Endpoint, _value: Held, all: ReadonlyMap<string, Held>): void {
  const milliseconds = (name: string) => (all.has(name) ? Number(all.get(name)) * 1000 : null)
  const probes = all.has('TCP_KEEPCNT') ? Number(all.get('TCP_KEEPCNT')) : null
  const isOn = Number(all.get('SO_KEEPALIVE') ?? 0) !== 0
  endpoint.setKeepAlive(isOn, milliseconds('TCP_KEEPIDLE'), milliseconds('TCP_KEEPINTVL'), probes)
}

function trafficClass({ connection }: Endpoint, value: Held): void {
  connection.trafficClass = Number(value) & ~3
}

function hopLimit({ connection }: Endpoint, value: Held): void {
  connection.hopLimit = Number(value)
}

export class SocketOptions {
  readonly #held: Map<string, Held>
  /** `send` with MSG_MORE corks for the time being. */
  #isMore = false

  constructor(held: ReadonlyMap<string, Held> = new Map()) {
    this.#held = new Map(held)
  }

  copy(): SocketOptions {
    return new SocketOptions(this.#held)
  }

  get(name: string): Held | undefined {
    return this.#held.get(name)
  }

  isOn(name: string): boolean {
    return Number(this.#held.get(name) ?? 0) !== 0
  }

  set(level: string, written: string, value: Value, like: Like): Outcome {
    const name = ALIASES[written] ?? written
    if (!Object.hasOwn(APPLIED, name) && !KEPT.has(name))
      throw new Unsupported(`the option ${level} ${written} is not known`)
    const held = heldOf(name, value)
    if (held === null) throw new Unsupported(`${written} can't be set to what is written`)
    if (name === 'TCP_CONGESTION' && !['reno', 'cubic', 'bbr'].includes(String(held))) return failed('ENOENT')
    if (name === 'TCP_MAXSEG' && (Number(held) < 88 || Number(held) > 32_767) && like === 'linux')
      return failed('EINVAL')
    this.#held.set(name, held)
    return done()
  }

  read(level: string, written: string, settings: TcpSettings, like: Like): Held {
    const name = ALIASES[written] ?? written
    const held = this.#held.get(name)
    // Linux tells of twice what was asked for, the other half being its own bookkeeping.
    if (held !== undefined) return BUFFERS.has(name) && like === 'linux' ? Number(held) * 2 : held
    if (name === 'SO_TYPE') return TYPE_STREAM
    if (name === 'SO_SNDBUF') return settings.sendBufferInitial
    if (name === 'SO_RCVBUF') return settings.receiveBufferInitial
    if (name === 'TCP_CONGESTION') return String(settings.congestion)
    if (name === 'TCP_KEEPIDLE') return settings.keepAliveIdle / 1000
    if (name === 'TCP_KEEPINTVL') return settings.keepAliveInterval / 1000
    if (name === 'TCP_KEEPCNT') return settings.keepAliveProbes
    if (name === 'TCP_LINGER2') return settings.finWait2 / 1000
    if (Object.hasOwn(APPLIED, name) || KEPT.has(name)) return 0
    throw new Unsupported(`the option ${level} ${written} is not known`)
  }

  /** All that are set, or the one that has just been. */
  applyTo(endpoint: Endpoint, only: string | null = null): void {
    for (const [name, value] of this.#held) {
      if (only === null || (ALIASES[only] ?? only) === name) APPLIED[name]?.(endpoint, value, this.#held)
    }
    if (only === 'TCP_CORK') this.#isMore = false
  }

  applyToListener(listener: ListenEndpoint): void {
    listener.setMaximumSegment(Number(this.#held.get('TCP_MAXSEG') ?? 0))
  }

  /** MSG_MORE, or its absence, at a `send`. */
  cork(endpoint: Endpoint, isMore: boolean): void {
    if (this.isOn('TCP_CORK')) return
    if (isMore !== this.#isMore) endpoint.setCork(isMore)
    this.#isMore = isMore
  }
}

function heldOf(name: string, value: Value): Held | null {
  const one = value.kind === 'list' ? value.items[0] : value
  if (one === undefined || one.kind === 'any') return null
  if (one.kind === 'text') return one.text
  if (one.kind === 'struct' && name === 'SO_LINGER') {
    const [isOn, seconds] = [
      one.fields.get('onoff') ?? one.fields.get('l_onoff'),
      one.fields.get('linger') ?? one.fields.get('l_linger'),
    ]
    return numberOf(isOn) === 0 ? -1 : numberOf(seconds)
  }
  const number = numberOf(one)
  return number ?? (namesOf(one).size > 0 ? null : 0)
}
