// How sockets are made, bound and closed, and how they are not.
import type { Socket } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import { inherits } from 'node:util'
import { attempt, bound, closed, messages, type Program, sent, shapeOf, ticks, watch } from './scenarios.ts'

export const BINDING: Record<string, Program> = {
  'bind in all its forms': async (dgram, log) => {
    const forms: unknown[][] = [
      [],
      [0],
      [undefined],
      [null],
      ['0'],
      [0, '127.0.0.1'],
      [0, 'localhost'],
      [{}],
      [{ port: 0 }],
      [{ port: 0, address: '127.0.0.1' }],
      [{ port: 0, address: '127.0.0.1', exclusive: true }],
      [{ address: 'localhost' }],
    ]
    for (const form of forms) {
      const socket = watch(dgram.createSocket('udp4'), log)
      const returned = await new Promise((done) => {
        const result = Reflect.apply(socket.bind, socket, [...form, () => setImmediate(() => done(result))])
      })
      const { address, family, port } = socket.address()
      log(returned === socket, address, family, port > 0, socket.listenerCount('listening'))
      await closed(socket)
    }
  },
  'both families': async (dgram, log) => {
    const server = watch(dgram.createSocket('udp6'), log, 'both')
    const port = await bound(server, 0)
    log(server.address().address, server.address().family)
    const [four, six] = [dgram.createSocket('udp4'), dgram.createSocket('udp6')]
    for (const [client, address] of [
      [four, '127.0.0.1'],
      [six, '::1'],
      [six, '::ffff:127.0.0.1'],
      [six, '127.0.0.1'],
    ] as const) {
      const heard = messages(server, 1)
      const result = await sent(client, address, port, address)
      log(result)
      if (result.includes('sent')) await heard
    }
    const only = dgram.createSocket({ type: 'udp6', ipv6Only: true })
    await bound(only, 0, '::')
    const beside = dgram.createSocket('udp4')
    await bound(beside, only.address().port)
    log('one of each family on a port')
    await closed(server, four, six, only, beside)
  },
  'an answer of a socket of both families': async (dgram, log) => {
    const both = dgram.createSocket('udp6', (_message, { address, port }) => both.send('back', port, address))
    const at = await bound(both, 0)
    const client = watch(dgram.createSocket('udp4'), log, 'client')
    client.send('there', at, '127.0.0.1')
    await once(client, 'message')
    await closed(both, client)
  },
  'a port that is taken': async (dgram, log) => {
    const first = dgram.createSocket('udp4')
    const port = await bound(first)
    for (const [type, address] of [
      ['udp4', '127.0.0.1'],
      ['udp4', '0.0.0.0'],
      ['udp6', '::'],
    ] as const) {
      const second = watch(dgram.createSocket(type), log)
      second.bind(port, address, () => log('never'))
      await once(second, 'error')
      log(second.listenerCount('listening'), second.listenerCount('error'))
      await closed(second)
    }
    const elsewhere = dgram.createSocket('udp4')
    await bound(elsewhere, port, '127.0.0.2')
    log(elsewhere.address().address, elsewhere.address().port === port)
    await closed(first, elsewhere)
  },
  'binding again after an error': async (dgram, log) => {
    const first = dgram.createSocket('udp4')
    const port = await bound(first)
    const second = watch(dgram.createSocket('udp4'), log)
    second.bind(port, '127.0.0.1')
    await once(second, 'error')
    attempt(log, 'address', () => second.address().address)
    await bound(second)
    log('bound')
    attempt(log, 'bind', () => second.bind())
    await closed(first, second)
    attempt(log, 'bind', () => second.bind())
    attempt(log, 'address', () => second.address())
  },
  'addresses that are not ours, or no addresses': async (dgram, log) => {
    for (const [type, address] of [
      ['udp4', '203.0.113.7'],
      ['udp4', '::1'],
      ['udp6', '127.0.0.1'],
      ['udp6', '2001:db8::1'],
      ['udp4', 'no such name'],
    ] as const) {
      const socket = watch(dgram.createSocket(type), log)
      socket.bind(0, address)
      await once(socket, 'error')
      await closed(socket)
    }
  },
  'sockets that share an address': async (dgram, log) => {
    const options = { type: 'udp4', reuseAddr: true } as const
    const [first, second] = [dgram.createSocket(options), dgram.createSocket(options)]
    const port = await bound(first)
    await bound(second, port, '127.0.0.1')
    const client = dgram.createSocket('udp4')
    first.on('message', (message) => log('first', String(message)))
    second.on('message', (message) => log('second', String(message)))
    const heard = once(second, 'message')
    await sent(client, 'to the last one', port, '127.0.0.1')
    await heard
    await closed(second)
    const again = once(first, 'message')
    await sent(client, 'to the other', port, '127.0.0.1')
    await again
    await closed(first, client)
  },
  'what createSocket refuses': async (dgram, log) => {
    const create = (...args: unknown[]) =>
      attempt(log, 'createSocket', () =>
        (Reflect.apply(dgram.createSocket, dgram, args) as { close(): unknown }).close(),
      )
    for (const type of ['udp5', '', 5, null, undefined, true, {}, [], ['udp4'], { type: 'tcp' }]) create(type)
    for (const lookup of [null, 5, 'x', {}]) create({ type: 'udp4', lookup })
    for (const size of [-1, 1.5, '5', 2 ** 32, {}]) create({ type: 'udp4', recvBufferSize: size })
    for (const size of [-1, 1.5, '5', 2 ** 32, {}]) create({ type: 'udp4', sendBufferSize: size })
    for (const signal of [null, 5, {}, 'x']) create({ type: 'udp4', signal })
    create('udp4', 'no function')
    create({ type: 'udp6', reuseAddr: true, recvBufferSize: 0 })
  },
  'a lookup of its own': async (dgram, log) => {
    const lookup = (name: string, options: unknown, callback: (...args: unknown[]) => void) => {
      log('asked for', name, options)
      if (name === 'nowhere') process.nextTick(callback, new Error('I know no such place'))
      else process.nextTick(callback, null, '127.0.0.1', 4)
    }
    const socket = watch(dgram.createSocket({ type: 'udp4', lookup: lookup as never }), log)
    const port = await bound(socket, 0, 'here')
    const heard = once(socket, 'message')
    log(await sent(socket, 'x', port))
    await heard
    log(await sent(socket, 'x', port, 'nowhere'))
    socket.connect(port, 'there')
    await once(socket, 'connect')
    await closed(socket)
  },
  'inherited by util.inherits': async (dgram, log) => {
    function Mine(this: unknown, name: string) {
      Reflect.apply(dgram.Socket, this, ['udp4'])
      ;(this as { name: string }).name = name
    }
    inherits(Mine, dgram.Socket)
    const mine = new (Mine as unknown as new (name: string) => Socket & { name: string; type: string })('mine')
    log(mine.name, mine.type, mine instanceof EventEmitter, mine instanceof dgram.Socket)
    class Other extends dgram.Socket {
      constructor() {
        // @ts-expect-error Node's types do not tell of its arguments.
        super('udp4', () => log('heard'))
      }
    }
    const other = new Other()
    const port = await bound(other)
    const heard = once(other, 'message')
    mine.send('x', port, '127.0.0.1')
    await heard
    await closed(mine, other)
  },
  'closed by a signal': async (dgram, log) => {
    const control = new AbortController()
    const socket = watch(dgram.createSocket({ type: 'udp4', signal: control.signal }), log, 'later')
    await bound(socket)
    control.abort()
    await once(socket, 'close')
    const before = watch(dgram.createSocket({ type: 'udp4', signal: AbortSignal.abort() }), log, 'before')
    await once(before, 'close')
    attempt(log, 'bind', () => before.bind())
    const unused = new AbortController()
    await closed(dgram.createSocket({ type: 'udp4', signal: unused.signal }))
    unused.abort()
  },
  'closed while it is being bound, and in the handler': async (dgram, log) => {
    const early = watch(dgram.createSocket('udp4'), log, 'early')
    early.bind(0)
    early.close()
    await once(early, 'close')
    await ticks()
    const within = watch(dgram.createSocket('udp4'), log, 'within')
    within.bind(0, () => within.close())
    await once(within, 'close')
    const server = watch(dgram.createSocket('udp4'), log, 'server')
    const port = await bound(server)
    const client = dgram.createSocket('udp4')
    server.on('message', () => server.close())
    for (const text of ['a', 'b', 'c']) client.send(text, port, '127.0.0.1')
    await once(server, 'close')
    await ticks()
    await closed(client)
  },
  'what a closed socket answers': async (dgram, log) => {
    const socket = dgram.createSocket('udp4')
    await bound(socket)
    log(socket.close() === socket)
    await once(socket, 'close')
    const calls: Record<string, unknown[]> = {
      address: [],
      remoteAddress: [],
      bind: [],
      close: [],
      ref: [],
      unref: [],
      connect: [9],
      disconnect: [],
      send: ['x', 9],
      addMembership: ['224.0.0.1'],
      dropMembership: ['224.0.0.1'],
      addSourceSpecificMembership: ['127.0.0.1', '232.0.0.1'],
      dropSourceSpecificMembership: ['127.0.0.1', '232.0.0.1'],
      setMulticastInterface: ['127.0.0.1'],
    }
    for (const [name, args] of Object.entries(calls)) {
      const call = (socket as unknown as Record<string, () => unknown>)[name]
      attempt(log, name, () => Reflect.apply(call, socket, args))
    }
  },
  'a callback keeps its error from the socket': async (dgram, log) => {
    const socket = dgram.createSocket('udp4')
    await bound(socket)
    socket.on('error', (error) => log('error', shapeOf(error)))
    log(await sent(socket, 'x', 9, 'no such name'))
    await ticks()
    await closed(socket)
  },
}
