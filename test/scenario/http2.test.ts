// The small HTTP/2 of scenarios against Node's own, both ways, over two simulated hosts.
import http2 from 'node:http2'
import { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { simulate } from '../../src/node/simulate.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { Http2Asker } from '../../src/scenario/http2-asker.ts'
import { FrameReader, frame } from '../../src/scenario/http2-frames.ts'
import { serveHttp2 } from '../../src/scenario/http2-server.ts'

/** More than the windows that nobody has opened: 65,535. */
const SIZES = [400_000, 5, 70_000, 16_384, 0]

function streamOf(endpoint: Endpoint): Duplex {
  let resume: (() => void) | null = null
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      const write = (from: number) => {
        const taken = from + endpoint.send(chunk, from)
        if (taken === chunk.length) done()
        else resume = () => write(taken)
      }
      write(0)
    },
    final: (done) => {
      endpoint.finish()
      done()
    },
  })
  endpoint.onWritable = () => resume?.()
  endpoint.onReadable = () => {
    for (let octets = endpoint.read(); octets !== null; octets = endpoint.read()) stream.push(octets)
    if (endpoint.isAtEnd) stream.push(null)
  }
  return stream
}

function hosts() {
  const network = simulate({ seed: 3 })
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 10, loss: 0.01 })
  return { network, client, server }
}

describe("HTTP/2's frames", () => {
  it("ask Node's server", async () => {
    const { network, client, server } = hosts()
    const asked: string[] = []
    const node = http2.createServer((request, response) => {
      asked.push(`${request.method} ${request.headers[':scheme']} ${request.authority} ${request.url}`)
      response.end(Buffer.alloc(SIZES[Number(request.url.slice(1))]))
    })
    server.stack.listen({ port: 80 }).onConnection = (endpoint) => void node.emit('connection', streamOf(endpoint))
    const received = SIZES.map(() => 0)
    const failures: string[] = []
    await network.run(
      () =>
        new Promise<void>((resolve) => {
          const endpoint = client.stack.connect({ address: server.address, port: 80 })
          new Http2Asker(endpoint, SIZES.length, {
            received: (number, octets) => {
              received[number] += octets
              if (received.every((so, at) => so === SIZES[at])) resolve()
            },
            failed: (sentence) => void failures.push(sentence),
          })
        }),
    )
    expect(asked).toEqual(SIZES.map((_, number) => `GET http ${server.address}:80 /${number}`))
    expect(failures).toEqual([])
    network.close()
  })

  it("answer Node's client, frame by frame in turn", async () => {
    const { network, client, server } = hosts()
    serveHttp2(server.stack, 80, { sizeOf: (number) => SIZES[number], opened: () => {} })
    const ended: number[] = []
    const answers = await network.run(async () => {
      const endpoint = client.stack.connect({ address: server.address, port: 80 })
      const session = http2.connect('http://server', { createConnection: () => streamOf(endpoint) })
      const all = SIZES.map(async (_, number) => {
        const stream = session.request({ ':path': `/${number}` })
        const status = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])))
        let octets = 0
        for await (const chunk of stream) octets += (chunk as Buffer).length
        ended.push(number)
        return [await status, octets]
      })
      const settled = await Promise.all(all)
      session.close()
      return settled
    })
    expect(answers).toEqual(SIZES.map((size) => [200, size]))
    expect(ended[ended.length - 1]).toBe(0)
    network.close()
  })

  it('are read from stretches of any length', () => {
    const whole = Buffer.concat([frame(0, 1, 5, new Uint8Array(700)), frame(8, 0, 0, Uint8Array.of(0, 0, 0, 9))])
    for (const length of [1, 7, 9, 10, 300, whole.length]) {
      const seen: unknown[] = []
      const reader = new FrameReader(({ type, flags, stream, payload }) =>
        seen.push([type, flags, stream, payload.length]),
      )
      for (let at = 0; at < whole.length; at += length) reader.read(whole.subarray(at, at + length))
      expect(seen).toEqual([
        [0, 1, 5, 700],
        [8, 0, 0, 4],
      ])
    }
  })
})
