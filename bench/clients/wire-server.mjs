// The end that `npm run bench:wire` measures: `wire-server.mjs SETTING`, which is JSON: { kind, netns, mtu, offload, congestion, loss }.
// `ours` stands on a TUN device in that namespace, `kernel` is node:net, node:http and node:dgram on the kernel's TCP. Both have echo (7),
// discard (9), a source without end (19), HTTP (80). On ours those are endpoints and the tiny server; 10,000 higher stand the same programs of
// Node's that the kernel's side runs. Asked `begin` and `end` by its parent it says what it took: collections, its profile.
import { Session } from 'node:inspector'
import { PerformanceObserver } from 'node:perf_hooks'

const { kind, netns, mtu, offload, congestion, loss } = JSON.parse(process.argv[2])
const API = 10_000
const CHUNK = new Uint8Array(65_536)
const BODY = Buffer.alloc(612, 'x')
const FOREVER = 3_600_000
let datagrams = 0

function serveNet(net, ports) {
  const listen = (port, handler) => {
    net
      .createServer({ noDelay: true }, (socket) => handler(socket.on('error', () => {})))
      .listen({ port: port + ports, backlog: 4096 })
  }
  listen(7, (socket) => socket.on('data', (octets) => socket.write(octets)))
  listen(9, (socket) => socket.on('data', () => {}))
  listen(19, (socket) => {
    const fill = () => {
      while (!socket.destroyed && socket.write(CHUNK));
    }
    socket.on('drain', fill).resume()
    fill()
  })
}

function serveHttp(http, ports) {
  const server = http.createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length })
    response.end(BODY)
  })
  server.headersTimeout = server.requestTimeout = FOREVER
  return new Promise((resolve) => server.listen({ port: 80 + ports, backlog: 4096 }, resolve))
}

function serveDatagrams(dgram, ports) {
  const sink = dgram.createSocket({ type: 'udp4', recvBufferSize: 8 << 20 })
  sink.on('message', () => datagrams++).bind(9 + ports)
  const source = dgram.createSocket({ type: 'udp4', sendBufferSize: 8 << 20 })
  source.on('message', (order, { address, port }) => {
    const [seconds, length] = order.toString().split(' ').map(Number)
    const until = performance.now() + seconds * 1000
    const octets = Buffer.alloc(length)
    const sent = () => {
      if (performance.now() < until) source.send(octets, port, address, sent)
    }
    for (let count = 0; count < 64; count++) sent()
  })
  source.bind(19 + ports)
}

/** On endpoints: what a program would write that asks for speed. */
function serveEndpoints(stack) {
  stack.listen({ port: 7, backlog: 4096 }).onConnection = (endpoint) => {
    endpoint.setNoDelay(true)
    endpoint.onReadable = () => {
      endpoint.look((octets, start, length) => endpoint.send(octets, start, start + length))
      if (endpoint.isAtEnd) endpoint.close()
    }
  }
  stack.listen({ port: 9 }).onConnection = (endpoint) => {
    endpoint.onReadable = () => {
      endpoint.look((_octets, _start, length) => length)
      if (endpoint.isAtEnd) endpoint.close()
    }
  }
  stack.listen({ port: 19 }).onConnection = (endpoint) => {
    const fill = () => {
      while (endpoint.room > 0) endpoint.lend(CHUNK)
    }
    endpoint.onWritable = fill
    endpoint.onReadable = () => endpoint.isAtEnd && endpoint.abort()
    fill()
  }
  const sink = stack.openUdp()
  sink.bind(9)
  sink.onReadable = () => {
    while (sink.receive() !== null) datagrams++
  }
  const source = stack.openUdp()
  source.bind(19)
  source.onReadable = () => {
    const order = source.receive()
    if (order === null) return
    const text = String.fromCharCode(...order.bytes.subarray(order.offset, order.offset + order.length))
    const [seconds, length] = text.split(' ').map(Number)
    const [address, port] = [order.source.copy(), order.sourcePort]
    const until = performance.now() + seconds * 1000
    const octets = new Uint8Array(length)
    const send = () => {
      for (let count = 0; count < 256 && source.send(octets, address, port); count++);
      if (performance.now() < until) setImmediate(send)
    }
    send()
  }
}

async function serveOurs() {
  const { createHttpServer, createStack, HttpResponse, impaired, SeededRandom, tun } = await import(
    '../../dist/index.js'
  )
  const stack = await createStack({ tcp: { congestion } })
  stack.hold()
  const response = new HttpResponse(new Uint8Array(BODY), { headers: { 'Content-Type': 'text/plain' } })
  const limits = { headTimeout: FOREVER, idleTimeout: FOREVER }
  createHttpServer(() => response, { limits }).listen(stack)
  serveEndpoints(stack)
  serveNet(stack.net, API)
  serveDatagrams(stack.dgram, API)
  await serveHttp(stack.http, API)
  // The impairment link loses packets, not super-segments.
  const by = offload === 'on' || (loss > 0 || offload === 'none' ? false : 'software')
  const gro = offload !== 'no-gro'
  const device = tun({ netns, name: 'tun0', address: '10.7.0.1/24', mtu, offload: by, gro })
  const link = loss > 0 ? impaired(device, { loss }, new SeededRandom(1, 'wire')) : device
  stack.addInterface({ link, addresses: ['10.7.0.2/24'] })
}

async function serveKernel() {
  const [net, http, dgram] = await Promise.all([import('node:net'), import('node:http'), import('node:dgram')])
  for (const ports of [0, API]) {
    serveNet(net, ports)
    serveDatagrams(dgram, ports)
    await serveHttp(http, ports)
  }
}

const pauses = []
const observer = new PerformanceObserver((list) => pauses.push(...list.getEntries().map(({ duration }) => duration)))
const session = new Session()
session.connect()
const post = (method, parameters) =>
  new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)))
  })

const answers = {
  async begin({ isProfiled }) {
    pauses.length = 0
    observer.observe({ entryTypes: ['gc'] })
    if (!isProfiled) return {}
    await post('Profiler.enable')
    await post('Profiler.setSamplingInterval', { interval: 500 })
    await post('Profiler.start')
    return {}
  },
  async end({ isProfiled }) {
    const profile = isProfiled ? (await post('Profiler.stop')).profile : null
    await new Promise((resolve) => setTimeout(resolve, 5))
    observer.disconnect()
    return { pauses: [...pauses], datagrams, resident: process.memoryUsage().rss, profile }
  },
  async count() {
    return { datagrams }
  },
}

process.on('message', async (question) => process.send(await answers[question.ask](question)))
process.on('disconnect', () => process.exit())
await (kind === 'ours' ? serveOurs() : serveKernel())
process.send({ ready: true })
