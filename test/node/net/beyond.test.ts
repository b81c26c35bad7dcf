// What a stack's sockets can do and Node's can't, and names.
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { memory } from '../../../src/link/memory.ts'
import { createStack, type NodeStack, type NodeStackOptions } from '../../../src/node/create-stack.ts'
import type { Filter, IncomingRequest, StackServer } from '../../../src/node/net/server.ts'
import type { StackSocket } from '../../../src/node/net/socket.ts'

const stacks: NodeStack[] = []

afterEach(() => {
  for (const stack of stacks.splice(0)) stack.close()
})

async function stackWith(options: NodeStackOptions = {}): Promise<NodeStack> {
  const stack = await createStack(options)
  stacks.push(stack)
  return stack
}

/** A stack with a server, and one that reaches it. */
async function pair(options: NodeStackOptions = {}, anyAddress = false) {
  const [one, two] = [await stackWith(options), await stackWith()]
  const [left, right] = memory()
  one.addInterface({ link: left, addresses: ['10.0.0.1/24'], gateways: ['10.0.0.2'] })
  const by = two.addInterface({ link: right, name: 'outside', addresses: ['10.0.0.2/24'], anyAddress })
  return { one, two, by }
}

async function listening(server: StackServer, ...args: unknown[]): Promise<number> {
  server.listen(...(args.length === 0 ? [0] : args))
  await once(server, 'listening')
  return server.address()?.port as number
}

async function codeOf(socket: StackSocket): Promise<string> {
  const result = await Promise.race([once(socket, 'error'), once(socket, 'connect')]).catch((error) => [error])
  return result[0]?.code ?? 'connected'
}

describe('a socket', () => {
  it('tells what TCP knows, while there is a connection', async () => {
    const { net } = await stackWith()
    const server = net.createServer((socket) => socket.pipe(socket))
    const port = await listening(server)
    const socket = net.connect(port)
    expect(socket.tcpInfo()?.state ?? 2).toBe(2)
    await once(socket, 'connect')
    socket.write(Buffer.alloc(50_000))
    await once(socket, 'data')
    expect(socket.tcpInfo()).toMatchObject({ state: 1, selectiveAcks: true, timestamps: true })
    expect(socket.tcpInfo()?.octetsReceived).toBeGreaterThan(0)
    socket.destroy()
    expect(socket.tcpInfo()).toBe(null)
    server.close()
  })

  it('chooses its congestion control, before it is connected or while it is', async () => {
    const { net } = await stackWith()
    const server = net.createServer((socket) => socket.resume())
    const port = await listening(server)
    const socket = new net.Socket()
    expect(() => socket.setCongestionControl('nonsense')).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    )
    socket.setCongestionControl('bbr').connect(port)
    await once(socket, 'connect')
    expect(socket.tcpInfo()?.congestionControl).toBe('bbr')
    for (const name of ['cubic', 'reno', 'bbr']) {
      expect(socket.setCongestionControl(name).tcpInfo()?.congestionControl).toBe(name)
      socket.write(Buffer.alloc(200_000))
      if (socket.writableNeedDrain) await once(socket, 'drain')
    }
    socket.destroy()
    server.close()
  })

  it('gives up after its user timeout', async () => {
    const { one, two } = await pair()
    const server = two.net.createServer((socket) => socket.on('error', () => {}))
    const port = await listening(server)
    const socket = one.net.connect(port, '10.0.0.2')
    await once(socket, 'connect')
    socket.setUserTimeout(150)
    two.driver.close()
    socket.write('into the void')
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code: 'ETIMEDOUT', syscall: 'read' })
  })

  it('corked, sends only whole segments', async () => {
    const { one, two } = await pair()
    const parts: number[] = []
    const server = two.net.createServer((socket) => socket.on('data', (part: Buffer) => parts.push(part.length)))
    const port = await listening(server)
    const socket = one.net.connect(port, '10.0.0.2')
    await once(socket, 'connect')
    socket.setCork()
    for (let count = 0; count < 10; count++) {
      socket.write('x'.repeat(10))
      await new Promise((done) => setImmediate(done))
    }
    socket.setCork(false)
    socket.end()
    await once(socket, 'close')
    expect(parts).toEqual([100])
  })

  it('is let in or not by a list of addresses', async () => {
    const { one, two } = await pair()
    const blockList = new two.net.BlockList()
    blockList.addSubnet('10.0.0.0', 24, 'ipv4')
    const refusing = one.net.connect({ port: 1, host: '10.0.0.2', blockList })
    expect(await codeOf(refusing)).toBe('ERR_IP_BLOCKED')
    let count = 0
    const server = two.net.createServer({ blockList }, () => count++)
    const socket = one.net.connect(await listening(server), '10.0.0.2').resume()
    await once(socket, 'close')
    expect(count).toBe(0)
  })
})

describe('a filter', () => {
  async function filtered(filter: Filter, initialRto = 200): Promise<{ code: string; accepted: number }> {
    const { one, two } = await pair({ tcp: { synRetries: 0, initialRto } })
    let accepted = 0
    const server = two.net.createServer((socket) => {
      accepted++
      socket.end()
    })
    const port = await listening(server.filter(filter), 0, '10.0.0.2')
    return { code: await codeOf(one.net.connect(port, '10.0.0.2').resume()), accepted }
  }

  it('is asked before the SYN-ACK, and may take its time', async () => {
    let asked: unknown
    const result = await filtered(async (request) => {
      asked = request
      await new Promise((done) => setTimeout(done, 50))
      return 'accept' as const
    }, 10_000)
    expect(result.code).toBe('connected')
    expect(asked).toMatchObject({ remoteAddress: '10.0.0.1', localAddress: '10.0.0.2', localPort: expect.any(Number) })
  })

  it('refuses and drops', async () => {
    expect(await filtered(() => 'refuse')).toEqual({ code: 'ECONNREFUSED', accepted: 0 })
    expect(await filtered(async () => 'drop' as const)).toEqual({ code: 'ETIMEDOUT', accepted: 0 })
  })

  it.each(['::', '127.0.0.1'])('knows both sides by the names that the socket will have, at %s', async (host) => {
    const { net } = await stackWith()
    const names = ({ remoteAddress, remotePort, localAddress, localPort }: Partial<IncomingRequest>) => [
      `${remoteAddress} ${remotePort}`,
      `${localAddress} ${localPort}`,
    ]
    let asked: string[] = []
    const server = net.createServer().filter((request) => {
      asked = names(request)
      return 'accept'
    })
    net.connect(await listening(server, 0, host), '127.0.0.1').end()
    const [socket] = await once(server, 'connection')
    expect(asked).toEqual(names(socket))
    socket.resume()
    server.close()
  })

  it('may be set, changed and taken away while the server listens', async () => {
    const { net } = await stackWith()
    const server = net.createServer((socket) => socket.end())
    const port = await listening(server)
    expect(await codeOf(net.connect(port))).toBe('connected')
    server.filter(() => 'refuse')
    expect(await codeOf(net.connect(port))).toBe('ECONNREFUSED')
    server.filter(null)
    expect(await codeOf(net.connect(port))).toBe('connected')
    expect(() => server.filter('accept' as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }))
    server.close()
  })
})

describe('a server', () => {
  it('takes every address and port of an interface', async () => {
    for (const wanted of ['outside', null]) {
      const { one, two, by } = await pair({}, true)
      const seen: string[] = []
      const server = two.net.createServer((socket) => {
        seen.push(`${socket.localAddress}:${socket.localPort}`)
        socket.end('hello')
      })
      server.listen({ interface: wanted ?? by })
      await once(server, 'listening')
      for (const [host, port] of [
        ['192.0.2.1', 80],
        ['198.51.100.7', 443],
        ['10.0.0.2', 65_535],
      ] as const) {
        const socket = one.net.connect(port, host)
        expect(String((await once(socket, 'data'))[0])).toBe('hello')
        await once(socket, 'close')
      }
      expect(seen).toEqual(['192.0.2.1:80', '198.51.100.7:443', '10.0.0.2:65535'])
      server.close()
    }
  })

  it('names an interface that there is not', async () => {
    const { net } = await stackWith()
    const server = net.createServer().listen({ interface: 'nowhere' })
    expect((await once(server, 'error'))[0]).toMatchObject({ code: 'ENODEV', syscall: 'listen' })
  })

  it('gives its connections one after another', async () => {
    const { net } = await stackWith()
    const server = net.createServer()
    const port = await listening(server)
    for (const name of ['a', 'b', 'c']) net.connect(port).end(name)
    const texts: string[] = []
    for await (const socket of server) {
      for await (const part of socket) texts.push(String(part))
      if (texts.length === 3) server.close()
    }
    expect(texts.sort()).toEqual(['a', 'b', 'c'])
  })

  it('disposes of itself', async () => {
    const { net } = await stackWith()
    const server = net.createServer()
    await listening(server)
    const dispose = Object.getOwnPropertySymbols(Object.getPrototypeOf(Object.getPrototypeOf(server))).find((one) =>
      String(one).includes('asyncDispose'),
    ) as unknown as 'close'
    await server[dispose]()
    expect(server.listening).toBe(false)
  })

  it('says clearly that pipes, handles and descriptors are not its own', async () => {
    const { net } = await stackWith()
    const codes = [
      () => net.createServer().listen('/tmp/pipe'),
      () => net.createServer().listen({ path: '/tmp/pipe' }),
      () => net.createServer().listen({ fd: 3 }),
      () => net.createServer().listen({ handle: {} }),
      () => net.connect('/tmp/pipe'),
      () => new net.Socket({ fd: 3 } as never),
    ].map((call) => {
      try {
        call()
      } catch (error) {
        return (error as NodeJS.ErrnoException).code
      }
      return 'none'
    })
    expect(codes).toEqual([
      'ERR_INVALID_ARG_VALUE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_INVALID_FD_TYPE',
      'ERR_INVALID_HANDLE_TYPE',
      'ERR_INVALID_ARG_VALUE',
      'ERR_INVALID_FD_TYPE',
    ])
  })
})

describe('errors that only a network has', () => {
  it('no route, no host, nobody who answers', async () => {
    const { net } = await stackWith()
    expect(await codeOf(net.connect(80, '192.0.2.1'))).toBe('ENETUNREACH')
    expect(await codeOf(net.connect(80, '224.0.0.1'))).toBe('ENETUNREACH')
    const { one } = await pair({ tcp: { synRetries: 0, initialRto: 50 } })
    expect(await codeOf(one.net.connect(80, '10.0.0.9'))).toBe('ETIMEDOUT')
  })

  it('as many connections as there may be', async () => {
    const { net } = await stackWith({ tcp: { mostConnections: 2 } })
    const server = net.createServer()
    const port = await listening(server)
    net.connect(port)
    await once(server, 'connection')
    expect(await codeOf(net.connect(port))).toBe('EMFILE')
  })
})

describe('names', () => {
  it('literals, localhost and the table of hosts resolve, and nothing else', async () => {
    const { net } = await stackWith({ hosts: { 'Example.test': ['127.0.0.1'], six: '::1' } })
    const server = net.createServer((socket) => socket.end())
    const port = await listening(server)
    for (const [host, address] of [
      ['localhost', '127.0.0.1'],
      ['app.localhost', '127.0.0.1'],
      ['example.TEST.', '127.0.0.1'],
      ['six', '::1'],
    ] as const) {
      const socket = net.connect(port, host)
      await once(socket, 'connect')
      expect(socket.remoteAddress).toBe(address)
      socket.destroy()
    }
    const [error] = await once(net.connect(port, 'nodejs.org'), 'error')
    expect(error).toMatchObject({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'nodejs.org', errno: -3008 })
    const [listenError] = await once(net.createServer().listen(0, 'nodejs.org'), 'error')
    expect(listenError.code).toBe('ENOTFOUND')
    server.close()
  })

  it('a resolver answers for everything on its stack', async () => {
    const asked: string[] = []
    const { net } = await stackWith({
      resolver: async (hostname) => {
        asked.push(hostname)
        if (hostname === 'broken') throw Object.assign(new Error('no answer'), { code: 'ETIMEOUT' })
        return hostname === 'both' ? ['::1', '127.0.0.1'] : [{ address: '127.0.0.1', family: 4 }]
      },
    })
    const server = net.createServer((socket) => socket.end())
    const port = await listening(server, 0, 'one.test')
    expect(server.address()?.address).toBe('127.0.0.1')
    const socket = net.connect(port, 'both')
    await once(socket, 'connect')
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual([`::1:${port}`, `127.0.0.1:${port}`])
    expect(await codeOf(net.connect(port, 'broken'))).toBe('ETIMEOUT')
    expect(asked).toEqual(['one.test', 'both', 'broken'])
    server.close()
  })

  it('ends a socket that was ended before its second address was tried', async () => {
    const { net } = await stackWith({ resolver: async () => ['::1', '127.0.0.1'] })
    let heard = ''
    const server = net.createServer((socket) => {
      socket.on('data', (data) => {
        heard += data
      })
      socket.pipe(socket)
    })
    const port = await listening(server, 0, '127.0.0.1')
    const socket = net.connect(port, 'both')
    socket.end('said at once')
    socket.resume()
    await once(socket, 'close')
    expect(socket.autoSelectFamilyAttemptedAddresses).toHaveLength(2)
    expect(heard).toBe('said at once')
    server.close()
  })

  it('asks the system where that is wanted', async () => {
    const { net } = await stackWith({ resolver: 'system' })
    const server = net.createServer((socket) => socket.end())
    const port = await listening(server)
    const socket = net.connect(port, 'localhost')
    await once(socket, 'connect')
    expect(['127.0.0.1', '::1']).toContain(socket.remoteAddress)
    server.close()
  })
})

describe('an agent of node:http', () => {
  it('throws away an idle socket on which something comes that nobody asked for', async () => {
    const { net } = await stackWith()
    let accepted: StackSocket | null = null
    const answer = (text: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`
    const server = net.createServer((socket) => {
      accepted = socket
      socket.on('data', () => socket.write(answer('asked'))).on('error', () => {})
    })
    const port = await listening(server)
    const agent = new Agent({ keepAlive: true }) as Agent & { createConnection: unknown }
    agent.createConnection = (options: { port: number }) => net.connect(options)
    const ask = () =>
      new Promise<string>((done, failed) => {
        const request = get({ port, agent }, async (response) => {
          let text = ''
          for await (const part of response) text += part
          done(text)
        })
        request.on('error', failed)
      })
    expect(await ask()).toBe('asked')
    const first = accepted as unknown as StackSocket
    expect(await ask()).toBe('asked')
    expect(accepted).toBe(first)
    first.write(answer('never asked'))
    await new Promise((done) => setTimeout(done, 30))
    expect(await ask()).toBe('asked')
    agent.destroy()
    server.close()
  })
})
