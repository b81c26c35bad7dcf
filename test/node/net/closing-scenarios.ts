// How connections end: each of the ways, from either side.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { listening, meet, type Scenario, shapeOf, watch } from './scenarios.ts'

export const CLOSING: Record<string, Scenario> = {
  'the client ends first': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          watch(socket, client)
          socket.end('last words', () => client('ended'))
          socket.resume()
        },
        (socket) => {
          watch(socket, server)
          socket.resume()
        },
      )
    },
  },
  'the server ends first, and one half goes on': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          watch(socket, client)
          socket.on('end', () => {
            client(socket.readyState, socket.writable)
            setTimeout(() => socket.end('more'), 20)
          })
          socket.resume()
        },
        (socket) => {
          watch(socket, server)
          socket.on('data', (part) => server(String(part), socket.readyState))
          socket.end('no more')
        },
        { client: { allowHalfOpen: true }, server: { allowHalfOpen: true } },
      )
    },
  },
  'who writes after the peer’s end learns why not': {
    async run(net, client, server) {
      let answer: () => void = () => {}
      const isAnswered = new Promise<void>((done) => (answer = done))
      await meet(
        net,
        (socket) => {
          watch(socket, client, ['end', 'error', 'close'])
          socket.on('end', () => {
            setTimeout(() => {
              socket.write('too late', (error) => {
                client(shapeOf(error as Error))
                answer()
              })
            }, 30)
          })
          socket.resume()
        },
        (socket) => {
          watch(socket, server, ['error', 'close'])
          socket.end()
          socket.resume()
        },
      )
      await isAnswered
    },
  },
  'who writes after his own end': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          watch(socket, client, ['error', 'close'])
          socket.on('connect', () => {
            socket.end()
            socket.write('x', (error) => client((error as NodeJS.ErrnoException).code))
          })
          socket.resume()
        },
        (socket) => {
          socket.on('error', () => {})
          socket.on('close', () => server('closed'))
          socket.resume()
        },
      )
    },
  },
  'the peer resets': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          watch(socket, client)
          socket.write('here')
          socket.resume()
        },
        (socket) => {
          watch(socket, server)
          socket.on('data', () => server(socket.resetAndDestroy() === socket, socket.destroyed))
        },
      )
    },
  },
  'a reset meets one who does not read, but writes': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          socket.on('connect', async () => {
            socket.pause()
            await sleep(60)
            const [error] = await Promise.all([once(socket, 'error'), socket.write('x')])
            client(['ECONNRESET', 'EPIPE'].includes(error[0].code), error[0].syscall)
          })
        },
        (socket) => {
          watch(socket, server, ['error', 'close'])
          setTimeout(() => socket.resetAndDestroy(), 10)
        },
      )
    },
  },
  'destroyed, with and without an error': {
    async run(net, client, server) {
      for (const error of [undefined, new Error('enough')]) {
        await meet(
          net,
          (socket) => {
            watch(socket, client)
            socket.on('connect', () => {
              client(socket.destroy(error) === socket, socket.destroyed, socket.writable, socket.readyState)
              socket.destroy()
              client(socket.setTimeout(5) === socket)
            })
          },
          (socket) => {
            watch(socket, server)
            socket.resume()
          },
        )
      }
    },
  },
  'destroyed before it connects': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => {
        socket.on('error', () => {})
        socket.resume()
      })
      const port = await listening(listener)
      const socket = net.connect(port, '127.0.0.1')
      watch(socket, client)
      socket.write('never', (error) => client((error as NodeJS.ErrnoException | undefined)?.code ?? 'none'))
      socket.destroy()
      client(socket.connecting, socket.pending)
      await once(socket, 'close')
      const fresh = new net.Socket()
      watch(fresh, client)
      fresh.resetAndDestroy()
      await once(fresh, 'error').catch(() => {})
      await sleep(20)
      server('closes')
      listener.close()
      await once(listener, 'close')
    },
  },
  'a socket is used again': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => socket.end('hello'))
      const port = await listening(listener)
      const socket = new net.Socket()
      for (let round = 0; round < 3; round++) {
        socket.connect(port, '127.0.0.1')
        socket.once('data', (part) => client(String(part)))
        await once(socket, 'close')
        client(socket.destroyed)
      }
      listener.close()
      await once(listener, 'close')
      server('closed')
    },
  },
  'destroySoon lets what was written go first': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          let count = 0
          socket.on('data', (part) => (count += part.length))
          socket.on('end', () => client(count))
          socket.on('close', (hadError) => client('close', hadError))
        },
        (socket) => {
          watch(socket, server, ['finish', 'error', 'close'])
          socket.write(Buffer.alloc(3_000_000))
          socket.destroySoon()
        },
      )
    },
  },
  'a signal aborts': {
    async run(net, client, server) {
      const control = new AbortController()
      await meet(
        net,
        (socket) => {
          socket.on('error', (error) => client(error.name, (error as NodeJS.ErrnoException).code))
          socket.on('close', (hadError) => client('close', hadError))
          socket.on('connect', () => setTimeout(() => control.abort(), 20))
        },
        (socket) => {
          socket.on('close', () => server('close'))
          socket.resume()
        },
        { client: { signal: control.signal } },
      )
    },
  },
  'more connections than a server wants': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => {
        server('connection')
        socket.resume()
      })
      listener.maxConnections = 1
      listener.on('drop', (data) => server('drop', data?.remoteAddress, data?.remoteFamily, data?.localFamily))
      const port = await listening(listener)
      const first = net.connect(port, '127.0.0.1')
      await once(first, 'connect')
      const second = net.connect(port, '127.0.0.1')
      second.on('error', () => {})
      second.resume()
      await new Promise((done) => second.once('close', done))
      client('the second is closed')
      listener.close(() => server('closed'))
      first.end()
      await once(listener, 'close')
    },
  },
  'a server closes when its last connection does': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => socket.on('close', () => server('connection closed')).resume())
      const port = await listening(listener)
      const socket = net.connect(port, '127.0.0.1').on('close', () => client('close'))
      socket.resume()
      const [accepted] = await once(listener, 'connection')
      listener.close(() => server('server closed'))
      server(listener.listening)
      await sleep(30)
      socket.end()
      await Promise.all([once(listener, 'close'), once(socket, 'close'), once(accepted, 'close')])
    },
  },
}
