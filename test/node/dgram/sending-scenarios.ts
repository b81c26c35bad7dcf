// Sending, in all its forms, connected and not.
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { attempt, bound, closed, messages, type Program, sent, shapeOf, unusedPort, watch } from './scenarios.ts'

/** What Node has and its types have not. */
function legacy(socket: Socket): { sendto(...args: unknown[]): void } {
  return socket as never
}

export const SENDING: Record<string, Program> = {
  'a datagram there and an answer back': async (dgram, log) => {
    const server = watch(dgram.createSocket('udp4'), log, 'server')
    const port = await bound(server)
    server.on('message', (message, { port, address }) => server.send(`${message}!`, port, address))
    const client = watch(dgram.createSocket('udp4'), log, 'client')
    client.send('hello', port, '127.0.0.1')
    await once(client, 'message')
    log(client.address().address, client.address().family)
    await closed(client, server)
  },
  'all the kinds of octets': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = dgram.createSocket('udp4')
    const octets = Buffer.from('abcdefghij')
    const kinds = [
      'text ✓',
      octets,
      new Uint8Array(octets),
      new Uint16Array([0x4141, 0x4242]),
      new DataView(octets.buffer, octets.byteOffset + 2, 3),
      ['one', Buffer.from(' two'), new Uint8Array([32, 51])],
      [],
      [''],
      Buffer.alloc(0),
    ]
    for (const kind of kinds) {
      const heard = messages(server, 1)
      log(await sent(client, kind, port, '127.0.0.1'), await heard)
    }
    await closed(client, server)
  },
  'offset and length': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = dgram.createSocket('udp4')
    for (const [offset, length] of [
      [0, 3],
      [4, 6],
      [10, 0],
      [2, '3'],
    ]) {
      const heard = messages(server, 1)
      log(await sent(client, 'abcdefghij', offset, length, port, '127.0.0.1'), await heard)
    }
    const heard = messages(server, 2)
    client.send('abc', 1, 2, port)
    legacy(client).sendto('abc', 0, 2, port, 'localhost', (...told: unknown[]) => log(told))
    log((await heard).sort())
    await closed(client, server)
  },
  'what send refuses': async (dgram, log) => {
    const socket = dgram.createSocket('udp4')
    const send = (...args: unknown[]) => attempt(log, 'send', () => Reflect.apply(socket.send, socket, args))
    for (const data of [undefined, null, 5, {}, true, [5], ['a', null]]) send(data, 9, '127.0.0.1')
    for (const port of [0, -1, 65536, 'x', null, undefined, 1.5, {}]) send('x', port, '127.0.0.1')
    for (const address of [5, {}, true, []]) send('x', 9, address)
    send('abc', 4, 0, 9, '127.0.0.1')
    send('abc', 1, 3, 9, '127.0.0.1')
    send('abc', -1, 3, 9, '127.0.0.1')
    send(5, 0, 1, 9, '127.0.0.1')
    const sendto = (...args: unknown[]) =>
      attempt(log, 'sendto', () => Reflect.apply(legacy(socket).sendto, socket, args))
    sendto('x')
    sendto('x', 0, 'x')
    sendto('x', 0, 1)
    sendto('x', 0, 1, 9)
    await closed(socket)
    send('x', 9)
    send('x')
  },
  'to whom nobody is': async (dgram, log) => {
    const socket = watch(dgram.createSocket('udp4'), log)
    await bound(socket)
    log(await sent(socket, 'x', await unusedPort(dgram), '127.0.0.1'))
    log(await sent(socket, 'x', 9, '::1'))
    log(await sent(socket, 'x', 9, 'no such name'))
    socket.send('x', 9, 'no such name')
    await once(socket, 'error')
    log(await sent(socket, 'x', 9, '127.255.255.255'))
    await closed(socket)
  },
  'too long': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = dgram.createSocket('udp4')
    log(await sent(client, Buffer.alloc(65_508), port, '127.0.0.1'))
    server.on('message', (message) => log(message.length))
    const heard = once(server, 'message')
    log(await sent(client, Buffer.alloc(65_507), port, '127.0.0.1'))
    await heard
    client.send(Buffer.alloc(70_000), port, '127.0.0.1')
    await closed(client, server)
  },
  connected: async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = watch(dgram.createSocket('udp4'), log, 'client')
    const heard = messages(server, 4)
    client.connect(port, '127.0.0.1')
    await once(client, 'connect')
    log(client.remoteAddress().address, client.remoteAddress().family, client.address().address)
    log(await sent(client, 'one'), await sent(client, 'two three', 4, 5), await sent(client, ['fo', 'ur']))
    client.send('five')
    log((await heard).sort())
    const send = (...args: unknown[]) => attempt(log, 'send', () => Reflect.apply(client.send, client, args))
    send('x', 0, 1, port)
    send('x', 0, 1, port, '127.0.0.1')
    send('x', 0, 1, 0, '127.0.0.1')
    send('x', 2, 1)
    send(undefined)
    attempt(log, 'connect', () => client.connect(port))
    client.disconnect()
    attempt(log, 'remoteAddress', () => client.remoteAddress())
    attempt(log, 'disconnect', () => client.disconnect())
    attempt(log, 'address', () => client.address().address)
    await closed(client, server)
  },
  'connect, before it is bound and in all its forms': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    for (const args of [[port], [port, '127.0.0.1'], [port, 'localhost'], [port, undefined], [`${port}`, '0.0.0.0']]) {
      const client = watch(dgram.createSocket('udp4'), log)
      await new Promise<void>((done) => Reflect.apply(client.connect, client, [...args, done]))
      log(client.remoteAddress().address, client.remoteAddress().port === port)
      await closed(client)
    }
    const client = dgram.createSocket('udp4')
    const connect = (...args: unknown[]) => attempt(log, 'connect', () => Reflect.apply(client.connect, client, args))
    for (const bad of [0, 65536, 'x', null, undefined, -1]) connect(bad)
    for (const bad of [5, null, {}, []]) connect(9, bad)
    connect(port)
    connect(port)
    await once(client, 'connect')
    await closed(client, server)
  },
  'connect to where nothing can be': async (dgram, log) => {
    for (const address of ['::1', 'no such name']) {
      const told = watch(dgram.createSocket('udp4'), log, 'told')
      await new Promise<void>((done) => {
        told.connect(9, address, ((error?: Error) => {
          log(error && shapeOf(error), told.listenerCount('connect'))
          done()
        }) as () => void)
      })
      const untold = watch(dgram.createSocket('udp4'), log, 'untold')
      untold.connect(9, address)
      await once(untold, 'error')
      attempt(log, 'remoteAddress', () => untold.remoteAddress())
      await closed(told, untold)
    }
  },
  'a connected peer that is not there': async (dgram, log) => {
    const socket = watch(dgram.createSocket('udp4'), log)
    socket.connect(await unusedPort(dgram), '127.0.0.1')
    await once(socket, 'connect')
    log(await sent(socket, 'x'))
    await once(socket, 'error')
    log(await sent(socket, 'y'))
    await once(socket, 'error')
    await closed(socket)
  },
  'only the connected peer is heard': async (dgram, log) => {
    const [one, two, three] = ['one', 'two', 'three'].map((name) => watch(dgram.createSocket('udp4'), log, name))
    const ports = [await bound(one), await bound(two), await bound(three)]
    one.connect(ports[1], '127.0.0.1')
    await once(one, 'connect')
    await sent(three, 'from three', ports[0], '127.0.0.1')
    const heard = messages(one, 1)
    await sent(two, 'from two', ports[0], '127.0.0.1')
    log(await heard)
    await closed(one, two, three)
  },
  'sends before it is bound keep their order': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = watch(dgram.createSocket('udp4'), log, 'client')
    const heard = messages(server, 3)
    for (const text of ['a', 'b', 'c']) client.send(text, port, '127.0.0.1', () => log('sent', text))
    log(client.getSendQueueSize(), client.getSendQueueCount())
    log((await heard).sort())
    await closed(client, server)
  },
  'closing while sends wait to be bound': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = watch(dgram.createSocket('udp4'), log, 'client')
    client.send('x', port, '127.0.0.1', (error) => log('sent', error ?? null))
    client.close(() => log('closed'))
    await once(client, 'close')
    attempt(log, 'close', () => client.close())
    await closed(server)
  },
  'a close in the callback of a send': async (dgram, log) => {
    const server = watch(dgram.createSocket('udp4'), log, 'server')
    const port = await bound(server)
    const client = watch(dgram.createSocket('udp4'), log, 'client')
    const heard = once(server, 'message')
    client.send('the last', port, '127.0.0.1', () => client.close())
    await heard
    await closed(server)
  },
  'many at once come in order': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    server.setRecvBufferSize(1_000_000)
    const client = dgram.createSocket('udp4')
    await bound(client)
    const heard = messages(server, 200)
    for (let number = 0; number < 200; number++) client.send(`${number}`, port, '127.0.0.1')
    log(await heard)
    await closed(client, server)
  },
  'promises settle between two messages': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = dgram.createSocket('udp4')
    await bound(client)
    server.on('message', (message) => {
      process.nextTick(() => log('tick', String(message)))
      Promise.resolve()
        .then(() => {})
        .then(() => log('promise', String(message)))
    })
    const done = messages(server, 4)
    for (const text of ['a', 'b', 'c', 'd']) client.send(text, port, '127.0.0.1')
    await done
    await closed(client, server)
  },
  'once after once hears each message': async (dgram, log) => {
    const server = dgram.createSocket('udp4')
    const port = await bound(server)
    const client = dgram.createSocket('udp4')
    await bound(client)
    for (const text of ['a', 'b', 'c', 'd']) client.send(text, port, '127.0.0.1')
    for (let count = 0; count < 4; count++) log(String((await once(server, 'message'))[0]))
    await closed(client, server)
  },
}
