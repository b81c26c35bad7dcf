// What sockets and servers keep alive, seen from outside: a process ends by itself when nothing is waited for, and not before.
import { describe, expect, it } from 'vitest'
import { isHeld, script } from '../../support/tunstack.ts'

const START = `
  import { createStack, memory } from 'tunstack'
  const one = await createStack({ lastWords: 400 })
  const two = await createStack()
  const [left, right] = memory()
  one.addInterface({ link: left, addresses: ['10.0.0.1/24'] })
  two.addInterface({ link: right, addresses: ['10.0.0.2/24'] })
  const server = two.net.createServer()
  const listening = (...args) => new Promise((done) => server.listen(...args, done))
  const connected = (port = server.address().port) => new Promise((done) => {
    const socket = one.net.connect(port, '10.0.0.2', () => done(socket))
  })`

/** Null where it had to be ended. */
async function run(text: string): Promise<{ code: number | null; stdout: string; milliseconds: number }> {
  const begin = performance.now()
  const { code, stdout, stderr } = await script(`${START}\n${text}`)
  expect(stderr).toBe('')
  return { code, stdout, milliseconds: performance.now() - begin }
}

describe('a process is held by', () => {
  it.concurrent.each([
    ['a server', 'server.listen(0)'],
    ['a server that is ref’d again', 'server.unref().listen(0); server.ref()'],
    ['a connect that is under way', "one.net.connect(9, '10.0.0.9')"],
    ['a socket that waits for data', 'await listening(0); server.unref(); await connected()'],
    ['one that was unref’d and ref’d', 'await listening(0); server.unref(); (await connected()).unref().ref()'],
    [
      'one whose peer takes nothing more',
      `server.on('connection', (socket) => socket.unref().pause())
       await listening(0)
       server.unref()
       const socket = (await connected()).pause()
       socket.write(Buffer.alloc(50_000_000))`,
    ],
  ])('%s', async (_what, text) => {
    expect(await isHeld(`${START}\n${text}`)).toBe(true)
  })
})

describe('a process is not held by', () => {
  it.each([
    ['a server that is unref’d', 'server.unref().listen(0)'],
    ['a server that is closed', 'await listening(0); server.close()'],
    ['a connect that is unref’d', "one.net.connect(9, '10.0.0.9').unref()"],
    ['a socket that was never connected', 'new one.net.Socket()'],
    [
      'sockets that are unref’d',
      "server.on('connection', (s) => s.unref()); await listening(0); server.unref(); (await connected()).unref()",
    ],
    [
      'sockets that nobody reads',
      `const paused = two.net.createServer({ pauseOnConnect: true }).unref()
       await new Promise((done) => paused.listen(0, done))
       ;(await connected(paused.address().port)).unref()`,
    ],
    ['a timeout of a socket', 'const socket = new one.net.Socket(); socket.setTimeout(60_000)'],
    [
      'connections in TIME-WAIT',
      `server.on('connection', (socket) => socket.end())
       await listening(0)
       const socket = await connected()
       socket.resume()
       await new Promise((done) => socket.on('close', done))
       server.close()
       await new Promise((done) => server.on('close', done))
       setTimeout(() => console.log(one.core.tcp.timeWaitCount + two.core.tcp.timeWaitCount), 50)`,
    ],
    [
      'a stack that is closed',
      `server.on('connection', (socket) => socket.on('error', () => {}))
       await listening(0)
       await connected()
       one.close()
       two.close()`,
    ],
  ])('%s', async (_what, text) => {
    expect((await run(text)).code).toBe(0)
  })
})

describe('octets of a closed socket', () => {
  it('are delivered before the process ends', async () => {
    const { code, stdout } = await run(`
      server.on('connection', (socket) => {
        let count = 0
        socket.unref().on('data', (part) => (count += part.length)).on('end', () => console.log(count))
      })
      await listening(0)
      server.unref()
      const socket = await connected()
      socket.end(Buffer.alloc(2_000_000), () => socket.destroy())`)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2000000\n' })
  })

  it('hold the process no longer than the limit that was given', async () => {
    const { code, milliseconds } = await run(`
      server.on('connection', (socket) => socket.unref().pause())
      await listening(0)
      server.unref()
      const socket = await connected()
      socket.write('x')
      two.driver.close()
      socket.destroy()`)
    expect(code).toBe(0)
    expect(milliseconds).toBeGreaterThan(400)
    // Which is ten seconds where none was given.
    expect(milliseconds).toBeLessThan(10_000)
  })
})

it('sockets and servers learn that their stack is closed', async () => {
  const { code, stdout } = await run(`
    server.on('connection', (socket) => socket.on('close', () => console.log('accepted')).resume())
    server.on('close', () => console.log('server'))
    await listening(0)
    const socket = await connected()
    socket.on('close', () => console.log('client')).on('error', (error) => console.log(error.code))
    await new Promise((done) => setTimeout(done, 20))
    two.close()`)
  expect(code).toBe(0)
  expect(stdout.trim().split('\n').sort()).toEqual(['ECONNRESET', 'accepted', 'client', 'server'])
})
