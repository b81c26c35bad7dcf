// Servers of Node's ecosystem on a stack on tun0 of a namespace, in a process of its own: `ecosystem-run.js NETNS`. Sends 'ready' to its
// parent when all listen, and for each message what was asked of each server, and by how many addresses that are not the client's.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import fastify from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import { makeCertificate } from '../../test/support/certificate.ts'
import { project } from './project.ts'
import { ADDRESS, HOST } from './serving.ts'

export interface Asked {
  requests: number
  /** By another address than the client's. */
  wrong: number
}

const LARGE = Buffer.alloc(1_000_000, 'tunstack ')
const PAGE = '<!doctype html><title>tunstack</title><link rel="icon" href="data:,"><p>hello'

const { createStack, tun }: typeof import('../../src/index.ts') = await import(new URL('dist/index.js', project).href)
const pem = makeCertificate()
if (pem === null) throw new Error('openssl is missing')
const stack = await createStack()
const link = tun({ netns: process.argv[2], name: 'tun0', address: `${HOST}/24` })
stack.addInterface({ link, addresses: [`${ADDRESS}/24`] })

const asked: Record<string, Asked> = {}

function note(server: string, address: string | undefined): string | undefined {
  asked[server] ??= { requests: 0, wrong: 0 }
  asked[server].requests++
  if (address !== HOST) asked[server].wrong++
  return address
}

/** What every server answers: a page, who asks, a megabyte. */
function answer(server: string) {
  return (request: IncomingMessage | Http2ServerRequest, given: ServerResponse | Http2ServerResponse) => {
    const response = given as ServerResponse
    const { url, socket, httpVersion } = request
    const address = note(server, socket.remoteAddress)
    const version = (socket as TLSSocket).getProtocol?.() ?? 'clear'
    if (url === '/large') response.end(LARGE)
    else if (url?.startsWith('/who')) response.end(JSON.stringify({ address, version, httpVersion }))
    else {
      response.setHeader('content-type', 'text/html')
      response.end(PAGE)
    }
  }
}

function chat(server: string) {
  const all = new WebSocketServer({ noServer: true })
  all.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    const address = note(server, request.socket.remoteAddress)
    socket.on('message', (words) => {
      for (const client of all.clients) client.send(`${address}: ${words}`)
    })
  })
  return (request: IncomingMessage, socket: IncomingMessage['socket'], head: Buffer) => {
    all.handleUpgrade(request, socket, head, (client) => all.emit('connection', client, request))
  }
}

const app = fastify({ serverFactory: (handler) => stack.http.createServer(handler), bodyLimit: 1e8 })
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
app.addHook('onRequest', async ({ socket }) => void note('Fastify', socket.remoteAddress))
app.get('/', (_request, reply) => reply.type('text/html').send(PAGE))
app.get('/who', ({ socket }) => ({ address: socket.remoteAddress, version: 'clear', httpVersion: '1.1' }))
app.get('/large', (_request, reply) => reply.send(LARGE))
app.post('/count', ({ body }) => ({ octets: (body as Buffer).length }))
app.server.on('upgrade', chat('ws'))
await app.listen({ port: 80, host: ADDRESS })

const servers = [
  stack.https.createServer(pem, answer('TLS 1.3')).on('upgrade', chat('wss')).listen(443, ADDRESS),
  stack.https.createServer({ ...pem, maxVersion: 'TLSv1.2' }, answer('TLS 1.2')).listen(444, ADDRESS),
  stack.http2.createSecureServer(pem, answer('HTTP/2')).listen(8443, ADDRESS),
  stack.http2.createServer(answer('HTTP/2 in clear')).listen(8080, ADDRESS),
]
await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
process.on('message', () => {
  process.send?.(asked)
  for (const server of Object.keys(asked)) delete asked[server]
})
process.once('disconnect', () => process.exit())
process.send?.('ready')
