// How connections and servers come to be, and how they don't.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, listening, meet, type NetModule, type Scenario, shapeOf, watch, withoutPorts } from './scenarios.ts'

/** What a call throws, or that it does not. */
function attempt(log: Log, name: string, call: () => unknown): void {
  try {
    call()
    log(name, 'goes')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    log(name, (error as Error).name, code ?? '', withoutPorts(message))
  }
}

async function unusedPort(net: NetModule): Promise<number> {
  const server = net.createServer()
  const port = await listening(server)
  server.close()
  await once(server, 'close')
  return port
}

export const OPENING: Record<string, Scenario> = {
  'a connection, its names and states': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          client(socket.connecting, socket.pending, socket.readyState, socket.remoteAddress ?? 'none')
          watch(socket, client)
          socket.on('connect', () => {
            client(socket.connecting, socket.pending, socket.readyState)
            client(socket.remoteAddress ?? '', socket.remoteFamily ?? '', socket.localAddress ?? '')
            client(Object.keys(socket.address()), socket.bytesRead, socket.bytesWritten)
            socket.end()
            client(socket.readyState)
          })
          socket.on('close', () => client(socket.readyState, socket.address(), socket.remoteAddress ?? 'forgotten'))
          socket.resume()
        },
        (socket) => {
          watch(socket, server)
          server(socket.remoteAddress ?? '', socket.remoteFamily ?? '', socket.localAddress ?? '', socket.readyState)
          socket.resume()
        },
      ).catch((error) => client(String(error)))
    },
  },
  'a server for everybody, in both families': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => {
        server(socket.remoteAddress ?? '', socket.remoteFamily ?? '', socket.localAddress ?? '')
        socket.end()
      })
      const port = await listening(listener, 0)
      const { address, family } = listener.address() as { address: string; family: string }
      server(address, family, listener.listening)
      for (const host of ['127.0.0.1', '0.0.0.0', 'localhost']) {
        const socket = net.connect(port, host)
        socket.resume()
        await once(socket, 'connect')
        client(socket.remoteAddress ?? '', socket.remoteFamily ?? '')
        await once(socket, 'close')
      }
      listener.close()
      await once(listener, 'close')
      server(listener.listening, listener.address())
    },
  },
  'nobody listens': {
    async run(net, client) {
      const port = await unusedPort(net)
      for (const options of [{ port }, { port: 0 }]) {
        const socket = net.connect({ host: '127.0.0.1', ...options })
        watch(socket, client)
        const [hadError] = await new Promise<unknown[]>((done) => socket.once('close', (...args) => done(args)))
        client(hadError, socket.destroyed, socket.connecting)
      }
    },
  },
  'an address in use': {
    async run(net, _client, server) {
      const first = net.createServer()
      const port = await listening(first)
      const second = net.createServer()
      second.listen(port, '127.0.0.1', () => server('listens'))
      const [error] = await once(second, 'error')
      server(shapeOf(error), second.listening)
      first.close()
      await once(first, 'close')
      await listening(second, port, '127.0.0.1')
      server('listens now')
      second.close()
    },
  },
  'an address that is nobody’s': {
    async run(net, client, server) {
      const listener = net.createServer()
      listener.listen(0, '192.0.2.7')
      server(shapeOf((await once(listener, 'error'))[0]))
      const socket = net.connect({ host: '127.0.0.1', port: 1, localAddress: '192.0.2.7' })
      client(shapeOf((await once(socket, 'error'))[0]))
    },
  },
  'a client that is bound': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => {
        server(socket.remoteAddress ?? '', socket.remotePort === wanted)
        socket.end()
      })
      const port = await listening(listener)
      const wanted = await unusedPort(net)
      const socket = net.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: wanted })
      await once(socket, 'connect')
      client(socket.localAddress ?? '', socket.localPort === wanted)
      socket.resume()
      await once(socket, 'close')
      const taken = net.connect({ host: '127.0.0.1', port: 9, localPort: port })
      const { code, syscall } = (await once(taken, 'error'))[0]
      client(code, syscall)
      listener.close()
    },
  },
  'names: looked up, not found, wrong': {
    async run(net, client) {
      const port = await unusedPort(net)
      const lookups: Record<string, unknown> = {
        fine: (_name: string, _options: object, done: (...args: unknown[]) => void) => done(null, '127.0.0.1', 4),
        failing: (_name: string, _options: object, done: (...args: unknown[]) => void) =>
          done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
        noAddress: (_name: string, _options: object, done: (...args: unknown[]) => void) => done(null, 'x', 4),
        noFamily: (_name: string, _options: object, done: (...args: unknown[]) => void) => done(null, '127.0.0.1', 5),
      }
      for (const [name, lookup] of Object.entries(lookups)) {
        const socket = net.connect({ host: 'somewhere', port, family: 4, lookup: lookup as never })
        socket.on('lookup', (error, address, family, host) =>
          client(name, String(error), address ?? '', family ?? '', host),
        )
        const [failure] = await once(socket, 'error')
        client(name, failure.code, withoutPorts(failure.message))
      }
    },
  },
  'several addresses, one after another': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => socket.end())
      const port = await listening(listener)
      const found = [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]
      const lookup = (_name: string, options: { all: boolean }, done: (...args: unknown[]) => void) =>
        options.all ? done(null, found) : done(null, '::1', 6)
      const log = (socket: kernelSocket) => {
        socket.on('connectionAttempt', (address, at, family) => client('attempt', address, at === port, family))
        socket.on('connectionAttemptFailed', (address, at, family, error) =>
          client('failed', address, at === port, family, (error as NodeJS.ErrnoException).code),
        )
        socket.on('lookup', (_error, address, family) => client('found', address, family))
      }
      type kernelSocket = ReturnType<typeof net.connect>
      const socket = net.connect({ host: 'both', port, lookup: lookup as never, autoSelectFamily: true })
      log(socket)
      await once(socket, 'connect')
      client(socket.remoteAddress ?? '', socket.autoSelectFamilyAttemptedAddresses.map(withoutPorts))
      socket.resume()
      await once(socket, 'close')
      listener.close()
      await once(listener, 'close')
      const failing = net.connect({ host: 'both', port, lookup: lookup as never, autoSelectFamily: true })
      log(failing)
      const [error] = await once(failing, 'error')
      client(
        error.name,
        error.code,
        error.errors.map((one: Error) => withoutPorts(one.message)),
      )
      const one = net.connect({ host: 'both', port, lookup: lookup as never, autoSelectFamily: false })
      client(withoutPorts((await once(one, 'error'))[0].message))
      server('')
    },
  },
  'arguments that are wrong': {
    async run(net, client, server) {
      const { Socket } = net
      attempt(client, 'no port', () => new Socket().connect({} as never))
      for (const port of [-1, 65_536, Number.NaN, '', 'x1', true, null, {}]) {
        attempt(client, `connect ${JSON.stringify(port)}`, () => net.connect({ port } as never))
        attempt(server, `listen ${JSON.stringify(port)}`, () =>
          net
            .createServer()
            .listen({ port } as never)
            .unref(),
        )
      }
      attempt(client, 'local address', () => net.connect({ port: 1, localAddress: 'nowhere' }))
      attempt(client, 'local port', () => net.connect({ port: 1, localPort: 'x' as never }))
      attempt(client, 'lookup', () => net.connect({ port: 1, host: 'a', lookup: 'x' as never }))
      attempt(client, 'family', () => net.connect({ port: 1, autoSelectFamily: 'x' as never }))
      attempt(client, 'attempt', () => net.connect({ port: 1, autoSelectFamilyAttemptTimeout: 0 } as never))
      attempt(client, 'attempt', () => net.connect({ port: 1, autoSelectFamilyAttemptTimeout: 1.5 } as never))
      attempt(client, 'object mode', () => new Socket({ objectMode: true } as never))
      attempt(client, 'object mode', () => new Socket({ readableObjectMode: true } as never))
      attempt(client, 'delay', () => new Socket({ keepAliveInitialDelay: 'x' } as never))
      attempt(client, 'signal', () => new Socket({ signal: 'x' } as never))
      attempt(client, 'timeout', () => new Socket().setTimeout('x' as never))
      attempt(client, 'timeout', () => new Socket().setTimeout(-1))
      attempt(client, 'timeout', () => new Socket().setTimeout(1, 'x' as never))
      attempt(server, 'options', () => net.createServer('x' as never))
      attempt(server, 'delay', () => net.createServer({ keepAliveInitialDelay: 'x' } as never))
      attempt(server, 'mark', () => net.createServer({ highWaterMark: 'x' } as never))
      attempt(server, 'nothing', () => net.createServer().listen({} as never))
      attempt(server, 'signal', () => net.createServer().listen({ port: 0, signal: 'x' } as never))
      attempt(client, 'default', () => net.setDefaultAutoSelectFamily('x' as never))
      attempt(client, 'default', () => net.setDefaultAutoSelectFamilyAttemptTimeout('x' as never))
      client(net.getDefaultAutoSelectFamily(), net.getDefaultAutoSelectFamilyAttemptTimeout())
      await sleep(20)
    },
  },
  'servers: listening twice, closing what does not listen, signals, counts': {
    async run(net, _client, server) {
      const listener = net.createServer()
      await listening(listener)
      attempt(server, 'twice', () => listener.listen(0))
      listener.getConnections((error, count) => server('count', String(error), count))
      await new Promise((done) => listener.close(done))
      await new Promise<void>((done) =>
        listener.close((error) => {
          server(shapeOf(error as Error))
          done()
        }),
      )
      const control = new AbortController()
      const other = net.createServer()
      other.listen({ port: 0, host: '127.0.0.1', signal: control.signal })
      await once(other, 'listening')
      control.abort()
      await once(other, 'close')
      server('closed by its signal', other.listening)
      // Types say that `new` is needed.
      const { Server, Socket } = net as unknown as Record<string, () => unknown>
      server(Server() instanceof Server, Socket() instanceof Socket)
    },
  },
}
