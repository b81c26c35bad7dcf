// Corners of the API: calls before there is a connection and after there was one, calls that are wrong, calls that are made twice.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { listening, meet, type NetModule, type Scenario, watch } from './scenarios.ts'

function attempt(call: () => unknown): string {
  try {
    return String(call())
  } catch (error) {
    return `${(error as Error).name} ${(error as NodeJS.ErrnoException).code}`
  }
}

/** A server that lets everybody go on, and its port. */
async function quiet(net: NetModule) {
  const server = net.createServer((socket) => socket.on('error', () => {}).resume())
  return { server, port: await listening(server) }
}

export const CORNERS: Record<string, Scenario> = {
  'a socket that was never connected': {
    async run(net, client) {
      const socket = new net.Socket()
      client(socket.readyState, socket.pending, socket.connecting, socket.destroyed, socket.address())
      client(String(socket.remoteAddress), String(socket.localPort), socket.bytesRead, socket.bytesWritten)
      client(String(socket.bufferSize), String(socket.timeout), socket.allowHalfOpen, socket.readable, socket.writable)
      client(socket.setNoDelay() === socket, socket.setKeepAlive() === socket, socket.ref() === socket)
      client(socket.unref() === socket, socket.pause() === socket, socket.resume() === socket)
      client(socket.listenerCount('end'), socket.eventNames().map(String).sort())
      socket.write('x', (error) => client((error as NodeJS.ErrnoException).code))
      socket.on('error', (error) => client('error', (error as NodeJS.ErrnoException).code))
      socket.on('close', (hadError) => client('close', String(hadError)))
      await sleep(20)
      client(socket.readyState, socket.destroyed, socket.closed)
    },
  },
  'a socket that is destroyed': {
    async run(net, client) {
      const { server, port } = await quiet(net)
      const socket = net.connect(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write('abc')
      socket.destroy()
      socket.on('error', (error) => client('error', (error as NodeJS.ErrnoException).code))
      client(socket.bytesWritten, socket.bytesRead, String(socket.bufferSize), socket.readyState, socket.pending)
      client(String(socket.remoteAddress), socket.address(), String(socket.localAddress))
      socket.write('x', (error) => client((error as NodeJS.ErrnoException).code))
      socket.end('x', () => client('ended'))
      client(socket.setTimeout(1) === socket, socket.setNoDelay(true) === socket, String(socket.timeout))
      client(attempt(() => socket.resetAndDestroy() === socket))
      await sleep(30)
      server.close()
      await once(server, 'close')
    },
  },
  'writes that are wrong': {
    async run(net, client) {
      const { server, port } = await quiet(net)
      const socket = net.connect(port, '127.0.0.1')
      watch(socket, client)
      await once(socket, 'connect')
      for (const chunk of [null, undefined, 5, {}, [], true]) {
        client(attempt(() => socket.write(chunk as never)))
      }
      client(attempt(() => socket.write('x', 'nonsense' as never)))
      client(attempt(() => socket.write('')))
      client(attempt(() => socket.write(Buffer.alloc(0), () => client('nothing is written'))))
      socket.end()
      await once(socket, 'close')
      server.close()
    },
  },
  'connecting again while connecting, and while connected': {
    async run(net, client, server) {
      let count = 0
      const listener = net.createServer((socket) => {
        count++
        socket.on('error', () => {}).resume()
      })
      const port = await listening(listener)
      const socket = new net.Socket()
      client(socket.connect(port, '127.0.0.1', () => client('first')) === socket)
      await once(socket, 'connect')
      client(socket.listenerCount('connect'))
      socket.destroy()
      await once(socket, 'close')
      socket.connect({ port, host: '127.0.0.1' }, () => client('again'))
      await once(socket, 'connect')
      socket.end().resume()
      await once(socket, 'close')
      server(count)
      listener.close()
      await once(listener, 'close')
    },
  },
  'ways to listen': {
    async run(net, _client, server) {
      const options = { host: '127.0.0.1', port: 0, backlog: 3, exclusive: true }
      const ways: ((listener: ReturnType<typeof net.createServer>, done: () => void) => unknown)[] = [
        (listener, done) => listener.listen(done),
        (listener, done) => listener.listen(0, done),
        (listener, done) => listener.listen('0', done),
        (listener, done) => listener.listen(null as never, done),
        (listener, done) => listener.listen(0, 5, done),
        (listener, done) => listener.listen(0, '127.0.0.1', done),
        (listener, done) => listener.listen(0, 'localhost', 5, done),
        (listener, done) => listener.listen(options, done),
        (listener, done) => listener.listen({ port: 0, host: '::1' }, done),
        (listener, done) => listener.listen({ port: 0, host: '::', ipv6Only: true }, done),
        (listener, done) => listener.listen({ port: undefined } as never, done),
      ]
      for (const way of ways) {
        const listener = net.createServer()
        const isListening = new Promise<void>((done) => server(way(listener, done) === listener, listener.listening))
        void isListening
        if (!listener.listening) await once(listener, 'listening')
        const { address, family } = listener.address() as { address: string; family: string }
        server(address, family, listener.ref() === listener, listener.unref() === listener)
        server(listener.close() === listener, listener.listening, listener.address())
        await once(listener, 'close')
      }
    },
  },
  'closing at awkward times': {
    async run(net, client, server) {
      const early = net.createServer()
      early.on('listening', () => server('listening'))
      early.listen(0)
      early.close((error) => server('closed', String(error)))
      await once(early, 'close')
      const inside = net.createServer((socket) => {
        inside.close(() => server('closed'))
        socket.end('bye')
      })
      const port = await listening(inside)
      const socket = net.connect(port, '127.0.0.1')
      socket.on('data', (part) => client(String(part)))
      await Promise.all([once(socket, 'close'), once(inside, 'close')])
      inside.listen(0, '127.0.0.1')
      await once(inside, 'listening')
      server('listens again')
      inside.close()
      await once(inside, 'close')
      const idle = net.createServer()
      idle.close()
      await once(idle, 'close')
      server('nothing was open')
    },
  },
  'options that a server hands on': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          client(socket.readableHighWaterMark, socket.writableHighWaterMark, socket.allowHalfOpen)
          socket.end().resume()
        },
        (socket) => {
          server(socket.readableHighWaterMark, socket.writableHighWaterMark, socket.allowHalfOpen)
          server(socket.isPaused(), String(socket.timeout), socket.listenerCount('end'))
          socket.end().resume()
        },
        { server: { highWaterMark: 1000, allowHalfOpen: true, noDelay: true, keepAlive: true } as never },
      )
    },
  },
  'a callback’s errors and a socket’s events in their order': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          watch(socket, client, ['connect', 'ready', 'end', 'finish', 'error', 'close'])
          socket.once('connect', () => {
            socket.write('a', () => client('a is written'))
            socket.write('b', () => client('b is written'))
            socket.end('c', () => client('the end is written'))
          })
          socket.resume()
        },
        (socket) => {
          watch(socket, server, ['end', 'finish', 'error', 'close'])
          socket.on('prefinish', () => server('prefinish'))
          socket.resume()
        },
      )
    },
  },
  'timeouts: once, again, taken back': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          let count = 0
          const onTimeout = () => client('never')
          socket.setTimeout(20, onTimeout)
          socket.setTimeout(0, onTimeout)
          client(socket.listenerCount('timeout'), String(socket.timeout))
          socket.on('timeout', () => {
            client('timeout', ++count)
            if (count === 2) socket.end()
            else socket.write('x')
          })
          socket.setTimeout(30)
          socket.resume()
        },
        (socket) => {
          socket.on('data', (part) => server(String(part)))
        },
      )
    },
  },
}
