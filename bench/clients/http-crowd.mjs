// Crowds of HTTP clients over the kernel's TCP, one JSON line as the result:
//   slow COUNT SECONDS   each sends an octet a second of a head that never ends; meanwhile one asks quickly, and is timed
//   held COUNT           each asks once and stays; at the end each asks again
//   killed COUNT         each breaks off somewhere in a request, or before it: reset, end or half-close
import { connect } from 'node:net'

const [mode, count, seconds] = process.argv.slice(2)
const HOST = '10.7.0.2'
const GET = 'GET /_tunstack/connections HTTP/1.1\r\nHost: a\r\n\r\n'
const SMALL = 'GET /none HTTP/1.1\r\nHost: a\r\n\r\n'
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

function open() {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: HOST, port: 80 }, () => resolve(socket))
    socket.once('error', reject)
    socket.on('error', () => {})
  })
}

async function openMany(number) {
  const sockets = []
  while (sockets.length < number) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(200, number - sockets.length) }, open))))
  }
  return sockets
}

function ask(socket, request) {
  return new Promise((resolve) => {
    socket.once('data', (octets) => resolve(octets.toString('latin1')))
    socket.once('close', () => resolve(''))
    socket.write(request)
  })
}

const modes = {
  async slow() {
    const sockets = await openMany(Number(count))
    const quick = await open()
    const times = []
    for (let second = 0; second < Number(seconds); second++) {
      sockets.forEach(
        (socket, at) => void setTimeout(() => socket.destroyed || socket.write('G'), (at * 1000) / sockets.length),
      )
      const until = performance.now() + 1000
      while (performance.now() < until) {
        const began = performance.now()
        if ((await ask(quick, SMALL)) === '') throw new Error('the quick client was cut off')
        times.push(performance.now() - began)
        await wait(20)
      }
    }
    times.sort((one, other) => one - other)
    const held = sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length
    return { open: held, asked: times.length, median: times[times.length >> 1], worst: times.at(-1) }
  },
  async held() {
    const sockets = await openMany(Number(count))
    const first = await Promise.all(sockets.map((socket) => ask(socket, SMALL)))
    await wait(2000)
    const again = await Promise.all(sockets.map((socket) => ask(socket, SMALL)))
    return { answered: [first, again].map((all) => all.filter((one) => one.startsWith('HTTP/1.1 404')).length) }
  },
  async killed() {
    const post = `POST /_tunstack/count HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n${'x'.repeat(3000)}`
    const ports = []
    for (let done = 0; done < Number(count); done += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const socket = await open()
          // One in eight has not said anything.
          const length = Math.random() < 0.125 ? 0 : 1 + Math.floor(Math.random() * post.length)
          ports.push(socket.localPort)
          if (length > 0) socket.write(post.slice(0, length))
          await wait(Math.random() * 20)
          const way = Math.floor(Math.random() * 3)
          if (way === 0) socket.resetAndDestroy()
          else if (way === 1) socket.destroy()
          else {
            socket.end()
            await wait(100)
            socket.destroy()
          }
        }),
      )
    }
    await wait(4000)
    const last = await open()
    const text = await ask(last, GET)
    const left = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).length - 1
    return { ports, left }
  },
}

console.log(JSON.stringify(await modes[mode]()))
process.exit()
