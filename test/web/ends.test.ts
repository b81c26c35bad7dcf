// How sockets of web streams end, or never begin, in virtual time: every way, as both sides see it.
import { describe, expect, it } from 'vitest'
import { streamSockets } from '../../src/web/stream-sockets.ts'
import {
  ADDRESS,
  bytes,
  codeOf,
  eachWithTwoHosts,
  pattern,
  readAll,
  type TwoHosts,
  writeAndClose,
} from './two-hosts.ts'

const MEGABYTE = 1 << 20
let hosts: TwoHosts
eachWithTwoHosts((made) => {
  hosts = made
})

describe('the end', () => {
  it('of one side leaves the other as it is, where that is asked for', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair({ allowHalfOpen: true })
      await far.writable.close()
      expect((await readAll(near.readable)).length).toBe(0)
      await hosts.later(5000)
      await writeAndClose(near, bytes('after your end'))
      expect(Buffer.from(await readAll(far.readable)).toString()).toBe('after your end')
      await Promise.all([near.closed, far.closed])
    })
  })

  it.each(['free', 'held'])('of the peer ends ours where it is not, its writer %s', async (writable) => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const writer = writable === 'held' ? near.writable.getWriter() : null
      await far.writable.close()
      await readAll(near.readable)
      expect((await readAll(far.readable)).length).toBe(0)
      await Promise.all([near.closed, far.closed])
      if (writer === null) return
      expect(await codeOf(writer.write(bytes('too late')))).toBe('ended')
    })
  })

  it('of the peer waits for a pipe that brings what came last', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const slow = new TransformStream<Uint8Array, Uint8Array>({
        async transform(chunk, controller) {
          await null
          controller.enqueue(chunk)
        },
      })
      const piping = near.readable.pipeThrough(slow).pipeTo(near.writable)
      await Promise.all([writeAndClose(far, bytes('once around')), piping])
      expect(Buffer.from(await readAll(far.readable)).toString()).toBe('once around')
      await Promise.all([near.closed, far.closed])
    })
  })

  it('by close() delivers what was written', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const writer = near.writable.getWriter()
      writer.write(pattern(500_000))
      const reading = readAll(far.readable)
      await near.close()
      expect((await reading).length).toBe(500_000)
      expect(await codeOf(writer.write(bytes('more')))).toBe('closed')
      await far.closed
    })
  })

  it('by close() with something unread is a reset for the peer (RFC 2525 §2.17)', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      await far.writable.getWriter().write(bytes('unread'))
      await hosts.later(100)
      await near.close()
      expect(await codeOf(far.closed)).toBe('reset')
      expect(await codeOf(readAll(far.readable))).toBe('reset')
    })
  })

  it('by abort() is a reset, and its reason is what the other streams of the socket fail with', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const reading = readAll(near.readable)
      const reason = new Error('enough')
      await near.writable.abort(reason)
      await expect(reading).rejects.toBe(reason)
      await expect(near.closed).rejects.toBe(reason)
      expect(await codeOf(far.closed)).toBe('reset')
      expect(await codeOf(far.writable.getWriter().write(bytes('x')))).toBe('reset')
    })
  })

  it('by abort() waits for no room', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const writer = near.writable.getWriter()
      const writing = writer.write(new Uint8Array(10 * MEGABYTE))
      await hosts.later(5000)
      const reason = new Error('too slow')
      await Promise.all([writer.abort(reason), expect(writing).rejects.toBe(reason)])
      expect(await codeOf(far.closed)).toBe('reset')
      await far.readable.cancel().catch(() => {})
    })
  })

  it('by cancel() leaves the writable side, and answers what still comes with a reset', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      await near.readable.cancel('not for me')
      await near.writable.getWriter().write(bytes('still mine'))
      const reader = far.readable.getReader()
      expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('still mine')
      await far.writable.getWriter().write(bytes('into the void'))
      expect(await codeOf(far.closed)).toBe('reset')
      expect(await codeOf(near.closed)).toBe('aborted')
    })
  })

  it('by cancel() and close() of the streams lets the connection go', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      await Promise.all([near.readable.cancel(), near.writable.close()])
      await near.closed
      expect((await readAll(far.readable)).length).toBe(0)
      await far.closed
    })
  })

  it('by a reset leaves what has arrived to be read, then fails', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      await far.writable.getWriter().write(bytes('before'))
      await hosts.later(100)
      await far.readable.cancel()
      await near.writable.getWriter().write(bytes('provokes a reset'))
      expect(await codeOf(near.closed)).toBe('reset')
      const reader = near.readable.getReader()
      expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('before')
      expect(await codeOf(reader.read())).toBe('reset')
    })
  })

  it('by a signal rejects everything with its reason', async () => {
    await hosts.network.run(async () => {
      const control = new AbortController()
      const { near, far } = await hosts.pair({ signal: control.signal })
      const reading = readAll(near.readable)
      const reason = new Error('no time')
      control.abort(reason)
      for (const promise of [reading, near.closed, near.writable.getWriter().closed]) {
        await expect(promise).rejects.toBe(reason)
      }
      expect(await codeOf(far.closed)).toBe('reset')
    })
  })

  it('of what is written that is not octets is an abort', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const writer = near.writable.getWriter()
      await expect(writer.write('text' as unknown as Uint8Array<ArrayBuffer>)).rejects.toThrow(TypeError)
      expect(await codeOf(far.closed)).toBe('reset')
    })
  })
})

describe('no connection', () => {
  it.each([
    ['a port where nobody listens', { hostname: '10.0.0.1', port: 81 }, 'refused'],
    ['a network to which nothing leads', { hostname: '192.0.2.1', port: 80 }, 'noRoute'],
    ['a name that nobody knows', 'nowhere.example:80', 'notFound'],
  ])('to %s', async (_, address, code) => {
    await hosts.network.run(async () => {
      const socket = hosts.client.connect(address)
      const promises = [socket.opened, socket.closed, readAll(socket.readable), socket.writable.getWriter().closed]
      for (const promise of promises) expect(await codeOf(promise)).toBe(code)
    })
  })

  it('where the signal came first, or comes meanwhile, or the socket is closed', async () => {
    await hosts.network.run(async () => {
      const reason = new Error('changed my mind')
      const first = hosts.client.connect(ADDRESS, { signal: AbortSignal.abort(reason) })
      await expect(first.opened).rejects.toBe(reason)
      hosts.link.impair({ loss: 1 })
      const control = new AbortController()
      const second = hosts.client.connect({ hostname: '10.0.0.1', port: 80 }, { signal: control.signal })
      control.abort(reason)
      await expect(second.closed).rejects.toBe(reason)
      const third = hosts.client.connect({ hostname: '10.0.0.1', port: 80 })
      expect(await codeOf(third.close())).toBe('closed')
      const fourth = hosts.client.connect({ hostname: '10.0.0.1', port: 80 })
      await fourth.writable.abort(reason).catch(() => {})
      await expect(fourth.opened).rejects.toBe(reason)
      const fifth = hosts.client.connect({ hostname: '10.0.0.1', port: 80 })
      await fifth.readable.cancel()
      expect(await codeOf(fifth.opened)).toBe('closed')
    })
  })

  it('to a name, unless a lookup knows it', async () => {
    await hosts.network.run(async () => {
      const [, { stack }] = hosts.network.hosts
      const { connect } = streamSockets(stack, { lookup: async () => '10.0.0.1' })
      const socket = connect('server.example:80')
      expect(await socket.opened).toMatchObject({ remoteAddress: '10.0.0.1' })
      await Promise.all([socket.close(), (await hosts.listener.accept()).close()])
    })
  })

  it('says at once what makes no sense', () => {
    expect(() => hosts.client.connect('10.0.0.1')).toThrow('is not an address with a port')
    expect(() => hosts.client.connect({ hostname: '10.0.0.1', port: 65_536 })).toThrow('is not a port')
    expect(() => hosts.client.connect(ADDRESS, { secureTransport: 'on' as 'off' })).toThrow("can only be 'off'")
    expect(() => hosts.server.listen({ port: 80 })).toThrow('in use')
  })

  it('where a filter says so, before any SYN-ACK', async () => {
    await hosts.network.run(async () => {
      const choosy = hosts.server.listen({
        port: 81,
        filter: async ({ remotePort }) => (remotePort === 7 ? 'accept' : 'refuse'),
      })
      expect(await codeOf(hosts.client.connect('10.0.0.1:81').opened)).toBe('refused')
      const welcome = hosts.client.connect('10.0.0.1:81', { localPort: 7 })
      expect(await welcome.opened).toMatchObject({ localPort: 7 })
      await Promise.all([welcome.close(), (await choosy.accept()).close(), choosy.close()])
    })
  })
})
