// Small programs on Node's modules, each of which logs what happens to it: played on the kernel's loopback and on simulated hosts.
// Nothing in a log may depend on addresses or on how long things take.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import dgram from 'node:dgram'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import zlib from 'node:zlib'
import { WebSocket, WebSocketServer } from 'ws'
import { secured } from './secured-conversations.ts'
import { type Conversation, close, listen, serve, watch } from './stage.ts'

const sockets: Record<string, Conversation> = {
  'the client ends, the server still talks': async (stage) => {
    const { port, server, closed } = await stage.onServer(() =>
      serve(stage, { allowHalfOpen: true }, (socket) => {
        socket.on('data', (octets) => stage.log('server', String(octets)))
        socket.on('end', () => socket.end('after your end'))
      }),
    )
    await stage.onClient(async () => {
      const socket = net.connect({ port, host: stage.host })
      const gone = watch(stage, 'client', socket)
      socket.on('data', (octets) => stage.log('client', String(octets)))
      socket.end('hello')
      await gone
    })
    await closed()
    await stage.onServer(() => close(server))
  },

  'the client resets': async (stage) => {
    const { port, server, closed } = await stage.onServer(() => serve(stage, {}, (socket) => socket.resume()))
    await stage.onClient(async () => {
      const socket = net.connect({ port, host: stage.host })
      const gone = watch(stage, 'client', socket)
      await once(socket, 'connect')
      await sleep(20)
      socket.resetAndDestroy()
      await gone
    })
    await sleep(20)
    await closed()
    await stage.onServer(() => close(server))
  },

  'the server goes without reading': async (stage) => {
    const { port, server } = await stage.onServer(() =>
      serve(stage, {}, (socket) => {
        setTimeout(() => socket.destroy(), 30)
      }),
    )
    await stage.onClient(async () => {
      const socket = net.connect({ port, host: stage.host })
      const gone = watch(stage, 'client', socket)
      socket.write('nobody reads this')
      socket.resume()
      await gone
    })
    await stage.onServer(() => close(server))
  },

  'nobody listens, and an address in use': async (stage) => {
    const { port, server } = await stage.onServer(() => serve(stage, {}, () => {}))
    await stage.onServer(async () => {
      const other = net.createServer()
      other.listen(port)
      const error = await new Promise<NodeJS.ErrnoException>((resolve) => other.on('error', resolve))
      stage.log('server', error.code, error.syscall, other.listening)
      await close(server)
    })
    await stage.onClient(() => watch(stage, 'client', net.connect({ port, host: stage.host })))
  },

  'idle timeouts, and a signal that aborts': async (stage) => {
    const { port, server, closed } = await stage.onServer(() => serve(stage, {}, (socket) => socket.resume()))
    await stage.onClient(async () => {
      const controller = new AbortController()
      const socket = new net.Socket({ signal: controller.signal })
      const gone = watch(stage, 'client', socket)
      socket.connect({ port, host: stage.host })
      socket.setTimeout(30)
      await once(socket, 'timeout')
      controller.abort()
      await gone
    })
    await closed()
    await stage.onServer(() => close(server))
  },

  'reads into a buffer of its own': async (stage) => {
    const { port, server, closed } = await stage.onServer(() =>
      serve(stage, {}, (socket) => socket.end('x'.repeat(3000))),
    )
    await stage.onClient(async () => {
      let length = 0
      const callback = (count: number) => {
        length += count
        return true
      }
      const options = { port, host: stage.host, onread: { buffer: Buffer.alloc(1000), callback } }
      const socket = net.connect(options)
      await watch(stage, 'client', socket)
      stage.log('client', length, socket.bytesRead)
    })
    await closed()
    await stage.onServer(() => close(server))
  },

  'megabytes both ways, through gzip, with pauses': async (stage) => {
    const { port, server, closed } = await stage.onServer(() =>
      serve(stage, { allowHalfOpen: true }, (socket) => {
        pipeline(socket, zlib.createGunzip(), zlib.createGzip({ level: 1 }), socket).then(
          () => stage.log('server', 'done'),
          (error) => stage.log('server', error.code),
        )
      }),
    )
    await stage.onClient(async () => {
      const octets = Buffer.alloc(1_000_000, 'some text that is not all the same, 0123456789')
      const socket = net.connect({ port, host: stage.host })
      const gone = watch(stage, 'client', socket)
      socket.write(zlib.gzipSync(octets, { level: 0 }))
      socket.end()
      const hash = createHash('sha256')
      const text = socket.pipe(zlib.createGunzip())
      text.once('data', () => {
        text.pause()
        setTimeout(() => text.resume(), 20)
      })
      for await (const piece of text) hash.update(piece)
      stage.log(
        'client',
        hash.digest('hex') === createHash('sha256').update(octets).digest('hex'),
        socket.bytesWritten > 1e6,
      )
      await gone
    })
    await closed()
    await stage.onServer(() => close(server))
  },

  'more connections than there may be': async (stage) => {
    const { port, server } = await stage.onServer(async () => {
      const serving = await serve(stage, {}, (socket) => socket.resume())
      serving.server.maxConnections = 1
      serving.server.on('drop', () => stage.log('server', 'drop'))
      return serving
    })
    await stage.onClient(async () => {
      const first = net.connect({ port, host: stage.host })
      await once(first, 'connect')
      await sleep(10)
      await watch(stage, 'second', net.connect({ port, host: stage.host }).resume())
      first.destroy()
    })
    await stage.onServer(() => close(server))
  },

  'async contexts': async (stage) => {
    const store = new AsyncLocalStorage<string>()
    const say = (name: string) => stage.log(name, store.getStore() ?? 'none')
    const port = await stage.onServer(() =>
      store.run('server', async () => {
        const server = net.createServer((socket) => {
          say('connection')
          socket.on('data', () => say('data'))
          socket.on('end', () => say('server end'))
          store.run('inside', () => setTimeout(() => say('timer'), 10))
          server.close(() => say('server closed'))
        })
        return listen(server)
      }),
    )
    await stage.onClient(() =>
      store.run('client', async () => {
        const socket = net.connect({ port, host: stage.host })
        store.run('listener', () => socket.on('connect', () => say('connect')))
        await once(socket, 'connect')
        say('after connect')
        socket.write('x', () => say('written'))
        await sleep(30)
        socket.on('close', () => say('close'))
        socket.end(() => say('finished'))
        await once(socket.resume(), 'close')
        await sleep(10)
      }),
    )
  },
}

const requests: Record<string, Conversation> = {
  'a request that is given up': async (stage) => {
    const server = stage.onServer(() =>
      http.createServer((request, response) => {
        stage.log('server', request.method)
        response.on('close', () => stage.log('server', 'response closed', response.writableFinished))
      }),
    )
    const port = await stage.onServer(() => listen(server))
    await stage.onClient(async () => {
      const request = http.request({ host: stage.host, port, method: 'POST' })
      request.on('error', (error: NodeJS.ErrnoException) => stage.log('client', error.code))
      request.write('some of it')
      await sleep(30)
      request.destroy()
      await sleep(20)
    })
    await stage.onServer(() => close(server))
  },

  'streams of fetch, up and down': async (stage) => {
    const server = stage.onServer(() =>
      http.createServer(async (request, response) => {
        let length = 0
        for await (const piece of request) length += piece.length
        response.write(`${length} `)
        setTimeout(() => response.end('octets'), 20)
      }),
    )
    const port = await stage.onServer(() => listen(server))
    await stage.onClient(async () => {
      const body = new ReadableStream({
        async pull(controller) {
          await sleep(5)
          controller.enqueue(new Uint8Array(100_000))
          if (++pieces === 3) controller.close()
        },
      })
      let pieces = 0
      const url = `http://${stage.host}:${port}/`
      const response = await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)
      stage.log('client', response.status, await response.text())
      const head = await fetch(url, { method: 'HEAD' })
      stage.log('client', head.status, head.headers.get('content-type'))
    })
    server.closeAllConnections()
    await stage.onServer(() => close(server))
  },

  'web sockets': async (stage) => {
    const server = stage.onServer(() => new WebSocketServer({ port: 0 }))
    await once(server, 'listening')
    server.on('connection', (socket) => {
      socket.on('message', (octets, isBinary) => socket.send(octets, { binary: isBinary }))
      socket.on('close', (code, reason) => stage.log('server', code, String(reason)))
    })
    await stage.onClient(async () => {
      const { port } = server.address() as AddressInfo
      const socket = new WebSocket(`ws://${stage.host}:${port}`)
      await once(socket, 'open')
      for (const text of ['one', 'x'.repeat(100_000)]) {
        socket.send(text)
        stage.log('client', String((await once(socket, 'message'))[0]).length)
      }
      socket.close(4001, 'enough')
      const [code, reason] = await once(socket, 'close')
      await sleep(10)
      stage.log('client', code, String(reason))
    })
    await stage.onServer(() => new Promise((resolve) => server.close(resolve)))
  },

  'a server that waits for heads and requests no longer than it likes': async (stage) => {
    const options = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 }
    const server = stage.onServer(() => http.createServer(options, (request) => request.resume()))
    const port = await stage.onServer(() => listen(server))
    await stage.onClient(async () => {
      for (const text of ['GET / HTTP/1.1\r\nHost:', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsome']) {
        const socket = net.connect({ port, host: stage.host })
        socket.write(text)
        stage.log('client', String((await once(socket, 'data'))[0]).split('\r\n')[0])
        await once(socket, 'close')
      }
    })
    await stage.onServer(() => close(server))
  },
}

const datagrams: Record<string, Conversation> = {
  'datagrams, to whoever listens and to nobody': async (stage) => {
    const echo = stage.onServer(() => dgram.createSocket('udp4'))
    echo.on('message', (octets, { port, address }) => echo.send(octets, port, address))
    stage.onServer(() => echo.bind(0))
    await once(echo, 'listening')
    const { port } = echo.address()
    await stage.onClient(async () => {
      const socket = dgram.createSocket('udp4')
      socket.connect(port, stage.host)
      await once(socket, 'connect')
      socket.send('hello', () => stage.log('client', 'sent'))
      const [octets, { size, family }] = await once(socket, 'message')
      stage.log('client', String(octets), size, family)
      await stage.onServer(async () => {
        echo.close()
        await once(echo, 'close')
      })
      const failed = new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve))
      socket.send('anybody?')
      stage.log('client', (await failed).code)
      socket.close()
      await once(socket, 'close')
    })
  },
}

export const conversations: Record<string, Conversation> = { ...sockets, ...secured, ...requests, ...datagrams }
