// Octets one way as fast as TCP takes them, and what is measured of them meanwhile.
import type { Host } from '../simulate/host.ts'
import type { Network } from '../simulate/network.ts'
import { MeasuredFlow } from './measured.ts'
import type { BulkFlow } from './scenario.ts'

const CHUNK = new Uint8Array(65_536)

export class BulkTransfer extends MeasuredFlow {
  readonly from: string
  readonly to: string
  readonly isHttp = false
  readonly #network: Network
  /** Octets that are left to write. */
  #left: number

  constructor(flow: BulkFlow, name: string, network: Network, [from, to]: readonly [Host, Host], port: number) {
    super(name, flow.controller ?? 'cubic', flow.start ?? 0)
    this.from = flow.from
    this.to = flow.to
    this.#network = network
    this.#left = flow.size ?? Number.POSITIVE_INFINITY
    this.#listen(to, port)
    network.after(this.start, () => this.#begin(from, to, port))
    if (flow.duration !== undefined) network.after(this.start + flow.duration, () => this.#end())
  }

  #listen(to: Host, port: number): void {
    to.stack.listen({ port }).onConnection = (endpoint) => {
      endpoint.onReadable = () => {
        endpoint.look((_bytes, _start, length) => {
          this.delivered += length
          return length
        })
        if (!endpoint.isAtEnd || this.done !== Number.POSITIVE_INFINITY) return
        this.done = this.#network.now()
        this.settle()
        endpoint.finish()
      }
    }
  }

  #begin(from: Host, to: Host, port: number): void {
    const endpoint = from.stack.connect({ address: to.address, port })
    this.sender = endpoint
    endpoint.setCongestionControl(this.controller)
    endpoint.onOpen = () => this.#write()
    endpoint.onWritable = () => this.#write()
    endpoint.onClose = (reason) => {
      if (reason !== 'none') this.trouble = reason
    }
  }

  #write(): void {
    const endpoint = this.sender
    if (endpoint === null) return
    while (this.#left > 0) {
      const taken = endpoint.send(CHUNK, 0, Math.min(this.#left, CHUNK.length))
      this.#left -= taken
      if (taken === 0) return
    }
    endpoint.finish()
  }

  #end(): void {
    if (this.#left === 0) return
    this.#left = 0
    this.#write()
  }
}
