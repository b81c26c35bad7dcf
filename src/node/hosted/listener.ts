// What a server of Node's listens with on a simulated host, in the place of a kernel's handle. It opens when Node says `listen`.
// Connections are made where no program's own stores are, and handed over in the context of whoever called `listen`.
import { AsyncResource } from 'node:async_hooks'
import { setImmediate } from 'node:timers'
import type { Owner } from '../../core/ready.ts'
import { TcpError } from '../../runtime/endpoint.ts'
import { type ListenEndpoint, listen } from '../../runtime/listen-endpoint.ts'
import { CODE_OF_RESULT, errnoOf } from '../errors.ts'
import { fillName, type SocketName } from '../net/host.ts'
import { HostedTcp } from './handle.ts'
import { drain, type Holding, type Scope } from './scope.ts'

/** Of libuv's `uv_tcp_bind`. */
const IPV6_ONLY = 1
const REUSE_PORT = 2

export interface ListenAddress {
  /** Null for everybody's. */
  readonly address: string | null
  readonly port: number
  readonly flags: number
}

export class HostedListener implements Owner, Holding {
  onconnection: ((status: number, handle: HostedTcp) => void) | null = null
  readonly scope: Scope
  readonly #resource = new AsyncResource('TCPSERVERWRAP')
  readonly #at: ListenAddress
  #endpoint: ListenEndpoint | null = null
  #isRef = true
  #isClosed = false

  constructor(scope: Scope, at: ListenAddress) {
    this.scope = scope
    this.#at = at
  }

  listen(backlog: number): number {
    if (this.scope.isOver) return errnoOf('ENETUNREACH')
    const { core, driver } = this.scope.host!.stack
    const { address, port, flags } = this.#at
    const ipv6Only = (flags & IPV6_ONLY) !== 0
    try {
      const options = { address: address ?? '::', port, backlog, ipv6Only, reusePort: (flags & REUSE_PORT) !== 0 }
      const endpoint = listen(core.tcp, driver, options)
      const isMapped = !endpoint.localAddress.isIpv4
      endpoint.onConnection = (one) => this.#accept(HostedTcp.accepted(this.scope, one, isMapped))
      endpoint.listener.owner = this
      this.#endpoint = endpoint
    } catch (error) {
      if (error instanceof TcpError) return errnoOf(CODE_OF_RESULT[error.reason])
      throw error
    }
    this.scope.holdings.add(this)
    return 0
  }

  #accept(handle: HostedTcp): void {
    this.#resource.runInAsyncScope(() => this.onconnection?.(0, handle))
    drain()
  }

  wake(): void {
    this.#endpoint?.wake()
  }

  getAsyncId(): number {
    return this.#resource.asyncId()
  }

  close(closed?: () => void): void {
    if (this.#isClosed) return
    this.drop()
    if (closed !== undefined) setImmediate(() => this.#resource.runInAsyncScope(closed))
  }

  drop(): void {
    this.#isClosed = true
    if (this.#endpoint !== null) {
      this.#endpoint.listener.owner = null
      this.#endpoint.close()
    }
    this.scope.holdings.delete(this)
  }

  describe() {
    if (!this.#isRef || this.#endpoint === null) return null
    return { kind: 'server' as const, what: `listens on port ${this.#endpoint.localPort}` }
  }

  ref(): void {
    this.#isRef = true
  }

  unref(): void {
    this.#isRef = false
  }

  hasRef(): boolean {
    return this.#isRef && !this.#isClosed
  }

  getsockname(name: SocketName): number {
    if (this.#endpoint === null) return errnoOf('EBADF')
    fillName(name, this.#endpoint.localAddress, this.#endpoint.localPort, false)
    return 0
  }
}
