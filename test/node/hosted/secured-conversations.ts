// Conversations over TLS and HTTP/2, played on the kernel's loopback and on simulated hosts.
import { once } from 'node:events'
import type http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { type Conversation, close, listen, serve, watch } from './stage.ts'

export const secured: Record<string, Conversation> = {
  'TLS, with a certificate that is known and one that is not': async (stage) => {
    const { host, pem } = stage
    const server = stage.onServer(() =>
      tls.createServer(pem, (socket) => {
        stage.log('server', socket.getProtocol(), typeof socket.remoteAddress)
        socket.pipe(socket)
      }),
    )
    server.on('tlsClientError', (error: NodeJS.ErrnoException) => stage.log('server', error.code))
    const port = await stage.onServer(() => listen(server))
    await stage.onClient(async () => {
      const socket = tls.connect({ port, host, ca: pem.cert, checkServerIdentity: () => undefined })
      const gone = watch(stage, 'client', socket)
      await once(socket, 'secureConnect')
      stage.log('client', socket.authorized, socket.remotePort === port)
      socket.write('hello')
      stage.log('client', String((await once(socket, 'data'))[0]))
      socket.end()
      await gone
      await watch(stage, 'stranger', tls.connect({ port, host }))
    })
    await stage.onServer(() => close(server))
  },

  'a connection that is made secure later': async (stage) => {
    const { host, pem } = stage
    const { port, server } = await stage.onServer(() =>
      serve(stage, {}, (socket) => {
        socket.once('data', (octets) => {
          stage.log('server', String(octets))
          socket.write('go ahead')
          const secure = new tls.TLSSocket(socket, { isServer: true, ...pem })
          secure.on('data', (piece) => secure.end(`secure ${piece}`))
          secure.on('secure', () => stage.log('server', 'secure'))
        })
      }),
    )
    await stage.onClient(async () => {
      const socket = net.connect({ port, host })
      socket.write('STARTTLS')
      await once(socket, 'data')
      const secure = tls.connect({ socket, ca: pem.cert, checkServerIdentity: () => undefined })
      const gone = watch(stage, 'client', secure)
      secure.write('hello')
      stage.log('client', String((await once(secure, 'data'))[0]))
      await gone
    })
    await stage.onServer(() => close(server))
  },

  'a reset under TLS': async (stage) => {
    const { host, pem } = stage
    let under: Socket | undefined
    const server = stage.onServer(() => tls.createServer(pem, (socket) => socket.on('error', () => {}).pipe(socket)))
    server.on('connection', (socket) => {
      under = socket
    })
    const port = await stage.onServer(() => listen(server))
    await stage.onClient(async () => {
      const socket = tls.connect({ port, host, ca: pem.cert, checkServerIdentity: () => undefined })
      const gone = watch(stage, 'client', socket)
      // When it has been answered, nothing of the handshake is left to be written.
      socket.write('hello')
      await once(socket, 'data')
      await sleep(20)
      stage.onServer(() => under?.resetAndDestroy())
      await gone
    })
    await stage.onServer(() => close(server))
  },

  'https with an agent that keeps connections': async (stage) => {
    const { host, pem } = stage
    const server = stage.onServer(() =>
      https.createServer(pem, (request, response) => response.end(`you asked for ${request.url}`)),
    )
    const port = await stage.onServer(() => listen(server))
    await stage.onClient(async () => {
      const agent = new https.Agent({ keepAlive: true, ca: pem.cert, checkServerIdentity: () => undefined })
      for (const path of ['/one', '/two', '/three']) {
        const request = https.get({ agent, host, port, path })
        const [response] = (await once(request, 'response')) as [http.IncomingMessage]
        let text = ''
        for await (const piece of response) text += piece
        stage.log('client', text, request.reusedSocket)
        await sleep(5)
      }
      agent.destroy()
    })
    await stage.onServer(() => close(server))
  },

  'HTTP/2, with TLS and in clear': async (stage) => {
    const { host, pem } = stage
    for (const isSecure of [true, false]) {
      const server = stage.onServer(() => (isSecure ? http2.createSecureServer(pem) : http2.createServer()))
      server.on('stream', (stream: http2.ServerHttp2Stream, headers) => {
        stage.log('server', headers[':path'], typeof stream.session?.socket.remoteAddress)
        stream.respond({ ':status': 200, date: 'none' })
        stream.end(Buffer.alloc(200_000, 'a'))
      })
      const port = await stage.onServer(() => listen(server as unknown as net.Server))
      await stage.onClient(async () => {
        const url = `${isSecure ? 'https' : 'http'}://${host}:${port}`
        const session = http2.connect(url, { ca: pem.cert, checkServerIdentity: () => undefined })
        session.on('close', () => stage.log('client', 'session closed'))
        await once(session, 'connect')
        const streams = ['/one', '/two'].map(async (path) => {
          const stream = session.request({ ':path': path })
          const [headers] = await once(stream, 'response')
          let length = 0
          for await (const piece of stream) length += (piece as Buffer).length
          return [headers[':status'], length]
        })
        stage.log('client', ...(await Promise.all(streams)).flat())
        await new Promise((resolve) => session.ping(resolve))
        session.close()
        await once(session, 'close')
      })
      await stage.onServer(() => close(server as unknown as net.Server))
    }
  },
}
