// What datagram sockets keep alive, seen from outside; what a closed one still sends; and that names are the stack's.
import { describe, expect, it } from 'vitest'
import { isHeld, script } from '../../support/tunstack.ts'

const START = `
  import { createStack, memory } from 'tunstack'
  const one = await createStack({ lastWords: 400 })
  const two = await createStack({ hosts: { peer: '10.0.0.1' } })
  const [link, right] = memory()
  one.addInterface({ link, addresses: ['10.0.0.1/24'] })
  two.addInterface({ link: right, addresses: ['10.0.0.2/24'] })
  const bound = (socket, ...args) => new Promise((done) => socket.bind(...args, () => done(socket.address().port)))
  const socket = one.dgram.createSocket('udp4')
  const other = two.dgram.createSocket('udp4')`

async function run(text: string): Promise<{ code: number | null; stdout: string }> {
  const { code, stdout, stderr } = await script(`${START}\n${text}`)
  expect(stderr).toBe('')
  return { code, stdout }
}

describe('a process is held by', () => {
  it.concurrent.each([
    ['a socket that is bound', 'socket.bind(0)'],
    ['one that has sent', "socket.send('x', 9, '10.0.0.2')"],
    ['one that was unref’d and ref’d', 'socket.unref().bind(0); socket.ref()'],
  ])('%s', async (_what, text) => {
    expect(await isHeld(`${START}\n${text}`)).toBe(true)
  })
})

describe('a process is not held by', () => {
  it.each([
    ['a socket that is not bound', ''],
    ['one that is a member of a group, and not bound', "socket.addMembership('239.0.0.1')"],
    ['one that is unref’d', 'socket.unref().bind(0)'],
    ['one that is unref’d once it is bound', 'await bound(socket, 0); socket.unref()'],
    ['one that is closed', 'await bound(socket, 0); socket.close()'],
    ['a stack that is closed', "await bound(socket, 0); socket.on('close', () => console.log('told')); one.close()"],
  ])('%s', async (_what, text) => {
    expect((await run(text)).code).toBe(0)
  })
})

it('a closed socket still sends what it took, and the process waits for it', async () => {
  const { code, stdout } = await run(`
    let octets = 0
    const port = await bound(other, 0)
    other.setRecvBufferSize(1_000_000)
    other.on('message', (message) => (octets += message.length)).unref()
    process.on('exit', () => console.log(octets))
    await bound(socket, 0)
    for (let count = 0; count < 60; count++) socket.send(Buffer.alloc(3000), port, '10.0.0.2')
    setImmediate(() => socket.close())`)
  expect({ code, stdout }).toEqual({ code: 0, stdout: '180000\n' })
})

it('datagrams leave though the callback of each sends the next, and the loop never goes round', async () => {
  const { code, stdout } = await run(`
    await bound(socket, 0)
    socket.setSendBufferSize(8_000_000)
    let left = 0
    const transmit = link.transmit.bind(link)
    link.transmit = (batch) => {
      left += batch.count
      transmit(batch)
    }
    let sent = 0
    const send = () => {
      if (sent++ < 10_000) return socket.send('x', 9, '10.0.0.2', send)
      console.log(left > 9_800)
      socket.close()
      other.close()
    }
    send()`)
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'true\n' })
})

it('more than the buffer holds waits, is counted, and is sent in order', async () => {
  const { code, stdout } = await run(`
    const port = await bound(other, 0)
    await bound(socket, 0)
    const heard = []
    other.setRecvBufferSize(10_000_000)
    other.on('message', (message) => {
      heard.push(message.readUInt32BE())
      if (heard.length < 1000) return
      console.log(heard.every((number, at) => number === at), socket.getSendQueueCount())
      socket.close()
      other.close()
    })
    let sent = 0
    for (let count = 0; count < 1000; count++) {
      const octets = Buffer.alloc(1000)
      octets.writeUInt32BE(count)
      socket.send(octets, port, '10.0.0.2', (error, size) => {
        if (error || size !== 1000) throw error ?? new Error(size)
        if (++sent === 1000) console.log('all sent')
      })
    }
    process.nextTick(() => console.log(socket.getSendQueueCount() > 0, socket.getSendQueueSize() > 0))`)
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'true true\nall sent\ntrue 0\n' })
})

it('names are those of the stack, and no others', async () => {
  const { stdout } = await run(`
    const port = await bound(socket, 0)
    socket.once('message', (message, { address }) => {
      console.log(String(message), address)
      socket.close()
      other.send('x', port, 'elsewhere', (error) => {
        console.log(error.code, error.hostname)
        other.close()
      })
    })
    other.send('hello', port, 'peer')`)
  expect(stdout).toBe('hello 10.0.0.2\nENOTFOUND elsewhere\n')
})
