// Two stacks in virtual time, a capture at one of them or at both, and the story that is told of it.
import { expect } from 'vitest'
import { explain } from '../../src/inspect/explain/explain.ts'
import { explanationText } from '../../src/inspect/explain/story-text.ts'
import type { Impairment } from '../../src/link/impairment.ts'
import type { PcapngOptions } from '../../src/link/pcapng.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import type { Host, HostOptions } from '../../src/simulate/host.ts'
import { Network } from '../../src/simulate/network.ts'
import type { NetworkLink } from '../../src/simulate/network-link.ts'

export interface Setting {
  impairment?: Impairment
  tcp?: HostOptions['tcp']
  /** Where the capture is taken. */
  at?: 'client' | 'server' | 'both'
  ipv6?: boolean
  writer?: PcapngOptions
}

export class Play {
  readonly network = new Network({ seed: 11 })
  readonly client: Host
  readonly server: Host
  readonly link: NetworkLink
  readonly #blocks: Uint8Array[] = []
  readonly #isIpv6: boolean
  accepted: Endpoint | null = null

  constructor({ impairment, tcp, at = 'client', ipv6 = false, writer }: Setting = {}) {
    const sixth = { addresses: ['fd00::1'] }
    this.#isIpv6 = ipv6
    this.client = this.network.host('client', { tcp, ...(ipv6 ? sixth : {}) })
    this.server = this.network.host('server', { tcp, ...(ipv6 ? { addresses: ['fd00::2'] } : {}) })
    this.link = this.network.link(this.client, this.server, impairment ?? { delay: 10, rate: 10 })
    const sink = (block: Uint8Array) => void this.#blocks.push(block)
    if (at === 'both') this.network.capture(sink, writer)
    else this[at].ports[0].tapped.tap(sink, { name: at, ...writer })
  }

  /** Reads what comes, unless it is told not to, and finishes when the other one has. */
  listen(reads = true): this {
    this.server.stack.listen({ port: 80 }).onConnection = (endpoint) => {
      this.accepted = endpoint
      endpoint.onReadable = () => {
        if (reads) drain(endpoint)
      }
    }
    return this
  }

  connect(): Endpoint {
    const endpoint = this.client.stack.connect({ address: this.#isIpv6 ? 'fd00::2' : this.server.address, port: 80 })
    endpoint.onReadable = () => drain(endpoint)
    return endpoint
  }

  send(octets: number, finishes = true): Endpoint {
    const endpoint = this.connect()
    let left = octets
    const write = () => {
      while (left > 0) {
        const taken = endpoint.send(CHUNK, 0, Math.min(left, CHUNK.length))
        left -= taken
        if (taken === 0) return
      }
      if (finishes) endpoint.finish()
    }
    endpoint.onOpen = write
    endpoint.onWritable = write
    return endpoint
  }

  at(time: number, happen: () => void): this {
    this.network.after(time, happen)
    return this
  }

  get file(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.concat(this.#blocks))
  }

  told(until: number) {
    this.network.advance(until)
    const { explanation, conversations } = explain(this.file)
    const [story] = explanation.conversations
    const text = explanationText(explanation, explanation.conversations)
    expect(text).not.toMatch(/NaN|Infinity|undefined/)
    return { explanation, conversations, story, text, lines: story.lines.map((line) => line.text) }
  }
}

export const CHUNK = new Uint8Array(65_536)

export function drain(endpoint: Endpoint): void {
  endpoint.look((_bytes, _start, length) => length)
  if (endpoint.isAtEnd) endpoint.finish()
}
