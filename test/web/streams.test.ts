// Sockets as web streams, in virtual time: octets both ways, back-pressure, BYOB reads.
import { describe, expect, it } from 'vitest'
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

describe('carrying octets', () => {
  it.each([1000, 65_536, 400_000])('brings a megabyte each way, in writes of %d octets', async (step) => {
    const octets = pattern(MEGABYTE)
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair({ allowHalfOpen: true })
      const [there, back] = await Promise.all([
        readAll(far.readable),
        readAll(near.readable),
        writeAndClose(near, octets, step),
        writeAndClose(far, octets, step),
      ])
      expect(Buffer.compare(there, octets)).toBe(0)
      expect(Buffer.compare(back, octets)).toBe(0)
      await Promise.all([near.closed, far.closed])
    })
  })

  it('says who is connected with whom', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const [here, there] = await Promise.all([near.opened, far.opened])
      expect(here).toMatchObject({ remoteAddress: '10.0.0.1', remotePort: 80, localAddress: '10.0.0.2' })
      expect(there).toEqual({
        remoteAddress: here.localAddress,
        remotePort: here.localPort,
        localAddress: here.remoteAddress,
        localPort: here.remotePort,
      })
      await Promise.all([near.close(), far.close()])
    })
  })

  it('echoes by one pipe, which ends the connection when the peer does', async () => {
    const octets = pattern(300_000)
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair({ allowHalfOpen: true })
      const piping = far.readable.pipeTo(far.writable)
      const [echoed] = await Promise.all([readAll(near.readable), writeAndClose(near, octets)])
      await piping
      expect(Buffer.compare(echoed, octets)).toBe(0)
      await Promise.all([near.closed, far.closed])
    })
  })

  it('takes what is written before the connection stands, as buffers and views of any kind', async () => {
    await hosts.network.run(async () => {
      const near = hosts.client.connect('10.0.0.1:80')
      const writer = near.writable.getWriter()
      writer.write(bytes('one '))
      writer.write(bytes('two ').buffer)
      writer.write(new DataView(bytes('and three').buffer, 4))
      writer.close()
      const far = await hosts.listener.accept()
      expect(Buffer.from(await readAll(far.readable)).toString()).toBe('one two three')
      await Promise.all([near.closed, far.closed])
    })
  })

  it('connects by IPv6 and by localhost', async () => {
    await hosts.network.run(async () => {
      const near = hosts.client.connect('[fd00::1]:80')
      const far = await hosts.listener.accept()
      expect(await near.opened).toMatchObject({ remoteAddress: 'fd00::1' })
      const self = hosts.server.connect({ hostname: 'localhost', port: 80 })
      expect(await self.opened).toMatchObject({ remoteAddress: '127.0.0.1' })
      await Promise.all([near.close(), far.close(), self.close(), (await hosts.listener.accept()).close()])
    })
  })

  it('hands connections over one by one, by iteration', async () => {
    await hosts.network.run(async () => {
      const sockets = [hosts.client.connect(ADDRESS), hosts.client.connect(ADDRESS), hosts.client.connect(ADDRESS)]
      const ports: number[] = []
      for await (const socket of hosts.listener) {
        ports.push((await socket.opened).remotePort)
        await socket.close()
        if (ports.length === 3) break
      }
      expect(ports).toEqual(await Promise.all(sockets.map(async ({ opened }) => (await opened).localPort)))
      // Who leaves the loop listens no more.
      expect(await codeOf(hosts.listener.accept())).toBe('closed')
      expect(await codeOf(hosts.client.connect(ADDRESS).opened)).toBe('refused')
      await Promise.all(sockets.map((socket) => socket.close()))
    })
  })
})

describe('back-pressure', () => {
  it('holds a writer back whose peer does not read, and lets it go on when it does', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair({ sendBufferSize: 100_000 })
      const writer = near.writable.getWriter()
      let written = 0
      const writing = (async () => {
        for (let count = 0; count < 400; count++) {
          await writer.ready
          writer.write(new Uint8Array(10_000)).catch(() => {})
          written += 10_000
        }
        await writer.close()
      })()
      await hosts.later(20_000)
      const stopped = written
      // What lies in the peer's receive buffer, in our send buffer and in the stream, and no more.
      expect(stopped).toBeLessThan(131_072 + 100_000 + 40_000)
      await hosts.later(20_000)
      expect(written).toBe(stopped)
      const read = await readAll(far.readable)
      await writing
      expect(read.length).toBe(4_000_000)
      await Promise.all([near.closed, far.closed])
    })
  })

  it('takes nothing from the stack before somebody reads', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const writer = near.writable.getWriter()
      await writer.write(new Uint8Array(50_000))
      await hosts.later(1000)
      const [{ stack }] = hosts.network.hosts
      expect(stack.core.tcp.shared.slabs.held).toBeGreaterThan(50_000)
      const reader = far.readable.getReader()
      const { value } = await reader.read()
      expect(value?.length).toBe(50_000)
      expect(stack.core.tcp.shared.slabs.held).toBe(0)
      await Promise.all([near.close(), far.close()])
    })
  })
})

describe('BYOB reads', () => {
  it('fill the memory of whoever reads, and no other', async () => {
    const octets = pattern(100_000)
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const writing = writeAndClose(near, octets)
      const reader = far.readable.getReader({ mode: 'byob' })
      let memory = new ArrayBuffer(7000)
      const chunks: Uint8Array[] = []
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(memory))
        if (value === undefined) throw new Error('cancelled')
        memory = value.buffer
        if (done) break
        expect(value.byteOffset).toBe(0)
        expect(value.length).toBeLessThanOrEqual(7000)
        chunks.push(value.slice())
      }
      // The end gives the memory back.
      expect(memory.byteLength).toBe(7000)
      expect(Buffer.compare(Buffer.concat(chunks), octets)).toBe(0)
      await writing
      await far.close()
    })
  })

  it('wait for what comes later, and end with the connection', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const reader = far.readable.getReader({ mode: 'byob' })
      const waiting = reader.read(new Uint8Array(100))
      await hosts.later(500)
      const writer = near.writable.getWriter()
      await writer.write(bytes('late'))
      expect(Buffer.from((await waiting).value as Uint8Array).toString()).toBe('late')
      const last = reader.read(new Uint8Array(100))
      await writer.close()
      expect(await last).toMatchObject({ done: true })
      await Promise.all([near.closed, far.closed])
    })
  })

  it('of words get whole words', async () => {
    await hosts.network.run(async () => {
      const { near, far } = await hosts.pair()
      const writer = near.writable.getWriter()
      await writer.write(Uint8Array.of(1, 0, 0, 0, 2, 0))
      const reader = far.readable.getReader({ mode: 'byob' })
      const first = await reader.read(new Uint32Array(4))
      expect([...(first.value ?? [])]).toEqual([1])
      const second = reader.read(new Uint32Array(4))
      await writer.write(Uint8Array.of(0, 0))
      expect([...((await second).value ?? [])]).toEqual([2])
      await Promise.all([near.close(), far.close()])
    })
  })
})
