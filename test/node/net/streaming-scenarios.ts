// What goes over a connection, and who waits for whom.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { listening, meet, type Scenario, watch } from './scenarios.ts'

const MEGABYTE = 1 << 20

export const STREAMING: Record<string, Scenario> = {
  'an echo, in every encoding': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          let got = ''
          socket.setEncoding('hex').on('data', (text) => (got += text))
          socket.write('bevor ', () => client('written'))
          client(socket.bytesWritten, socket.writableLength, socket.bufferSize)
          socket.write('öß', 'utf8')
          socket.write('c0ffee', 'hex')
          socket.write('ÿ', 'latin1')
          socket.write('aGFsbG8=', 'base64')
          socket.write('ab', 'utf16le')
          socket.write(new Uint8Array([1, 2, 3]))
          socket.end(Buffer.from('end'))
          socket.on('close', () => client(got, socket.bytesRead, socket.bytesWritten))
        },
        (socket) => {
          socket.pipe(socket)
          socket.on('close', () => server(socket.bytesRead, socket.bytesWritten))
        },
      )
    },
  },
  'megabytes both ways, octet for octet': {
    async run(net, client, server) {
      const sent = Buffer.alloc(5 * MEGABYTE)
      for (let at = 0; at < sent.length; at++) sent[at] = (at * 31 + (at >>> 8)) & 255
      await meet(
        net,
        (socket) => {
          const parts: Buffer[] = []
          socket.on('data', (part) => parts.push(part))
          socket.end(sent)
          socket.on('end', () => client(Buffer.concat(parts).equals(sent)))
        },
        (socket) => {
          socket.pipe(socket)
          socket.on('end', () => server(socket.bytesRead))
        },
      )
    },
  },
  'a peer that does not read holds the writer back': {
    async run(net, client, server) {
      let wake: () => void = () => {}
      const isFull = new Promise<void>((done) => (wake = done))
      await meet(
        net,
        (socket) => {
          let written = 0
          const fill = () => {
            while (socket.write(Buffer.alloc(65_536))) written += 65_536
            written += 65_536
          }
          socket.once('connect', async () => {
            // Node's own buffers take a while until the kernel takes no more.
            for (let rounds = 0; rounds < 200; rounds++) {
              fill()
              const hasRoom = await Promise.race([once(socket, 'drain'), sleep(300, null)])
              if (hasRoom === null) break
            }
            client('full', socket.writableNeedDrain, socket.writableLength > 0, written < 64 * MEGABYTE)
            wake()
            await once(socket, 'drain')
            client('drained', socket.writableLength)
            socket.end(() => client('finished'))
          })
          socket.resume()
        },
        (socket) => {
          let count = 0
          socket.pause()
          socket.on('data', (part) => (count += part.length))
          isFull.then(() => {
            server(count, socket.isPaused())
            socket.resume()
          })
          socket.on('end', () => server(count > 0, count % 65_536, count === socket.bytesRead))
        },
      )
    },
  },
  'a server that pauses what it accepts': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          watch(socket, client)
          socket.end('waits')
          socket.resume()
        },
        (socket) => {
          server(socket.isPaused(), socket.bytesRead)
          setTimeout(() => {
            server(socket.bytesRead)
            socket.on('data', (part) => server(String(part)))
            socket.resume()
          }, 50)
        },
        { server: { pauseOnConnect: true } },
      )
    },
  },
  'into a buffer of the reader’s own': {
    async run(net, client, server) {
      const buffer = Buffer.alloc(4)
      let text = ''
      let turns = 0
      let reader: { resume(): unknown } | null = null
      const callback = (length: number, into: Buffer): boolean => {
        text += into.toString('latin1', 0, length)
        client(length, into === buffer)
        if (++turns !== 2) return true
        setTimeout(() => reader?.resume(), 20)
        return false
      }
      await meet(
        net,
        (socket) => {
          reader = socket
          socket.on('data', () => client('no stream carries it'))
          socket.on('end', () => client(text, socket.bytesRead))
        },
        (socket) => {
          watch(socket, server, ['end', 'close'])
          socket.end('twelve octet')
          socket.resume()
        },
        { client: { onread: { buffer, callback } } },
      )
    },
  },
  'nothing happens for a while': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          socket.setTimeout(60, () => {
            client('quiet', socket.timeout)
            socket.setTimeout(0)
            client(socket.timeout)
            socket.end()
          })
          socket.resume()
        },
        (socket) => {
          watch(socket, server)
          socket.write('a')
          socket.resume()
        },
      )
    },
  },
  'corked writes and many small ones': {
    async run(net, client, server) {
      await meet(
        net,
        (socket) => {
          socket.cork()
          for (let count = 0; count < 1000; count++) socket.write(`${count},`)
          client(socket.bytesWritten)
          socket.uncork()
          socket.end()
          socket.on('close', () => client(socket.bytesWritten))
          socket.resume()
        },
        (socket) => {
          let text = ''
          socket.on('data', (part) => (text += part))
          socket.on('end', () => server(text.length, text.endsWith('999,')))
        },
      )
    },
  },
  'octets that come before anybody looks': {
    async run(net, client, server) {
      const listener = net.createServer((socket) => {
        socket.end('early')
        socket.on('error', (error) => server(String(error)))
      })
      const port = await listening(listener)
      const socket = net.connect(port, '127.0.0.1')
      await once(socket, 'connect')
      while (socket.readableLength === 0) await sleep(5)
      client(socket.readableLength, socket.readable)
      let text = ''
      for await (const part of socket) text += part
      client(text, socket.destroyed)
      listener.close()
      await once(listener, 'close')
    },
  },
}
