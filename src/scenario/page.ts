// A page of several resources on one connection: over HTTP/1.1 each is asked for when the one before it is whole, over HTTP/2 all at once.
// The first is this project's own client and server, the second the frames of http2-frames.ts.
import { createHttpClient } from '../http/client.ts'
import { HttpResponse } from '../http/response.ts'
import { createHttpServer } from '../http/server.ts'
import type { Host } from '../simulate/host.ts'
import type { Network } from '../simulate/network.ts'
import { Http2Asker } from './http2-asker.ts'
import { serveHttp2 } from './http2-server.ts'
import { MeasuredFlow, type Response } from './measured.ts'
import type { HttpFlow } from './scenario.ts'

export class Page extends MeasuredFlow {
  readonly from: string
  readonly to: string
  readonly isHttp = true
  readonly #network: Network

  constructor(flow: HttpFlow, name: string, network: Network, [client, server]: readonly [Host, Host], port: number) {
    super(name, flow.controller ?? 'cubic', flow.start ?? 0)
    this.from = flow.server
    this.to = flow.client
    this.#network = network
    for (const [place, { name: resource, size, count = 1 }] of flow.resources.entries())
      for (let number = 1; number <= count; number++) {
        const own = resource ?? `resource ${place + 1}`
        this.responses.push(response(count === 1 ? own : `${own} ${number}`, size))
      }
    if (flow.http === '1.1') this.#oneByOne(client, server, port)
    else this.#atOnce(client, server, port)
  }

  #oneByOne(client: Host, server: Host, port: number): void {
    const bodies = this.responses.map(({ size }) => new HttpResponse(new Uint8Array(size)))
    const serving = createHttpServer(({ path, endpoint }) => {
      if (this.sender !== endpoint) endpoint.setCongestionControl(this.controller)
      this.sender = endpoint
      return bodies[Number(path.slice(1))] ?? HttpResponse.error(404)
    })
    serving.listen(server.stack, { port })
    this.#network.after(this.start, () => {
      const asker = createHttpClient(client.stack, { limits: { connectionsPerHost: 1 } })
      const address = server.address.includes(':') ? `[${server.address}]` : server.address
      for (const [number, one] of this.responses.entries()) {
        one.asked = this.#network.now()
        this.#fetch(asker, `http://${address}:${port}/${number}`, one)
      }
    })
  }

  async #fetch(asker: ReturnType<typeof createHttpClient>, url: string, one: Response): Promise<void> {
    try {
      const answer = await asker.request(url)
      for await (const piece of answer.pieces()) this.#arrived(one, piece.length)
    } catch (error) {
      this.trouble = (error as Error).message
    }
  }

  #atOnce(client: Host, server: Host, port: number): void {
    serveHttp2(server.stack, port, {
      sizeOf: (number) => this.responses[number]?.size ?? 0,
      opened: (endpoint) => {
        endpoint.setCongestionControl(this.controller)
        this.sender = endpoint
      },
    })
    this.#network.after(this.start, () => {
      const endpoint = client.stack.connect({ address: server.address, port })
      for (const one of this.responses) one.asked = this.#network.now()
      new Http2Asker(endpoint, this.responses.length, {
        received: (number, octets) => this.#arrived(this.responses[number], octets),
        failed: (sentence) => {
          this.trouble = sentence
        },
      })
    })
  }

  #arrived(one: Response, octets: number): void {
    const now = this.#network.now()
    if (one.received === 0) one.first = now
    else one.stall = Math.max(one.stall, now - one.latest)
    one.latest = now
    one.received += octets
    this.delivered += octets
    if (one.received < one.size || one.last !== Number.POSITIVE_INFINITY) return
    one.last = now
    if (this.responses.some(({ last }) => last === Number.POSITIVE_INFINITY)) return
    this.done = now
    this.settle()
  }
}

function response(name: string, size: number): Response {
  const never = Number.POSITIVE_INFINITY
  return { name, size, asked: never, first: never, last: never, received: 0, stall: 0, latest: never, samples: [] }
}
