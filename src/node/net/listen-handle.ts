// A listener as a server's `_handle` has it: connections are handed to `onconnection` in the async context of whoever called `listen`,
// requests that a filter wants to judge to `onrequest`. Wakes come from the driver's turn.
import { AsyncResource } from 'node:async_hooks'
import { setImmediate } from 'node:timers'
import type { Interface } from '../../core/ip/interface.ts'
import type { Owner } from '../../core/ready.ts'
import { TcpError } from '../../runtime/endpoint.ts'
import { type ConnectionRequest, type ListenEndpoint, listen } from '../../runtime/listen-endpoint.ts'
import { CODE_OF_RESULT, type ErrorCode } from '../errors.ts'
import { fillName, type NetHost, type SocketName } from './host.ts'
import { TcpHandle } from './tcp-handle.ts'

export interface ListenHandleOptions {
  address: string
  /** 0 for one that is free; with an interface, for all of them. */
  port: number
  backlog?: number
  ipv6Only?: boolean
  reusePort?: boolean
  interface?: Interface
  isAsking: boolean
}

export class ListenHandle implements Owner {
  onconnection: ((this: ListenHandle, code: ErrorCode | null, handle: TcpHandle) => void) | null = null
  onrequest: ((this: ListenHandle, request: ConnectionRequest) => void) | null = null
  owner: { close(): unknown } | null = null
  /** Its sockets are of IPv6, and show IPv4 addresses in their mapped form; not those of an interface, which nobody asked for IPv6. */
  readonly isMapped: boolean
  readonly #host: NetHost
  readonly #resource = new AsyncResource('TUNSTACKSERVER')
  readonly #endpoint: ListenEndpoint
  #letGo: (() => void) | null
  #isClosed = false

  private constructor(host: NetHost, endpoint: ListenEndpoint, isMapped: boolean) {
    this.isMapped = isMapped
    this.#host = host
    this.#endpoint = endpoint
    this.#letGo = host.keepAlive.hold()
    endpoint.onConnection = (one) => this.onconnection?.(null, TcpHandle.accepted(host, one, isMapped))
    endpoint.onRequest = (request) => this.onrequest?.(request)
    endpoint.listener.owner = this
  }

  /** The handle, or why there can't be one. */
  static open(host: NetHost, options: ListenHandleOptions): ListenHandle | ErrorCode {
    const { isAsking, ...rest } = options
    const onRequest = isAsking ? () => {} : undefined
    try {
      const endpoint = listen(host.core.tcp, host.driver, { ...rest, onRequest })
      return new ListenHandle(host, endpoint, !endpoint.localAddress.isIpv4 && rest.interface === undefined)
    } catch (error) {
      if (error instanceof TcpError) return CODE_OF_RESULT[error.reason]
      throw error
    }
  }

  wake(): void {
    this.#resource.runInAsyncScope(this.#endpoint.wake, this.#endpoint)
  }

  get name(): string {
    return 'net.Server'
  }

  getAsyncId(): number {
    return this.#resource.asyncId()
  }

  /** Whether `onrequest` is asked about who comes from now on. */
  ask(isAsking: boolean): void {
    this.#endpoint.listener.asks = isAsking
  }

  close(closed?: () => void): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.unref()
    this.#endpoint.close()
    if (closed !== undefined) setImmediate(() => this.#resource.runInAsyncScope(closed))
  }

  ref(): void {
    if (!this.#isClosed) this.#letGo ??= this.#host.keepAlive.hold()
  }

  unref(): void {
    this.#letGo?.()
    this.#letGo = null
  }

  hasRef(): boolean {
    return this.#letGo !== null
  }

  getsockname(name: SocketName): void {
    fillName(name, this.#endpoint.localAddress, this.#endpoint.localPort, false)
  }
}
