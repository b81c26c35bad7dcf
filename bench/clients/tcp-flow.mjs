// One flow of the kernel's TCP, by node:net in a process of its own, for measurements of goodput.
//   node tcp-flow.mjs sink PORT               takes what comes; for each connection a line of JSON: octets, milliseconds, sha256, from where;
//   ... sink PORT MOST FROM                   counts what comes from FROM to MOST milliseconds after the first octet
//   node tcp-flow.mjs source HOST PORT MS     sends zeros for so long, and lets go
//   ... source HOST PORT MS wait              says that it is ready, and connects when its standard input ends
//   node tcp-flow.mjs send HOST PORT OCTETS   sends so many octets that can be told apart; then a line of JSON: sha256
import { createHash } from 'node:crypto'
import { connect, createServer } from 'node:net'

const CHUNK = 65_536
const [mode, ...args] = process.argv.slice(2)

/** The octets that a `send` sends from `offset` on. */
export function pattern(offset, length) {
  const chunk = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; at++) chunk[at] = ((offset + at) * 31 + ((offset + at) >>> 8)) & 255
  return chunk
}

function sink(port) {
  const server = createServer((socket) => {
    let [octets, first, last] = [0, 0, 0]
    const digest = createHash('sha256')
    // Of the first so many milliseconds alone, where a limit is given: what was in flight at the end is not counted.
    const limit = Number(args[1] ?? Number.POSITIVE_INFINITY)
    const from = Number(args[2] ?? 0)
    const { remoteAddress } = socket
    socket.on('data', (chunk) => {
      last = performance.now()
      if (first === 0) first = last
      digest.update(chunk)
      if (last - first >= from && last - first <= limit) octets += chunk.length
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      const sha256 = digest.digest('hex')
      console.log(JSON.stringify({ octets, milliseconds: Math.min(limit, last - first), sha256, from: remoteAddress }))
    })
  })
  server.listen(port, () => console.log('ready'))
}

function source(host, port, milliseconds) {
  const chunk = Buffer.alloc(CHUNK)
  const socket = connect({ host, port: Number(port) })
  const fill = () => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('connect', () => {
    fill()
    setTimeout(() => socket.resetAndDestroy(), Number(milliseconds))
  })
  socket.on('drain', fill)
  socket.on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}

function send(host, port, octets) {
  const digest = createHash('sha256')
  const socket = connect({ host, port: Number(port) })
  let sent = 0
  const fill = () => {
    while (sent < octets) {
      const chunk = pattern(sent % CHUNK, Math.min(CHUNK, octets - sent))
      digest.update(chunk)
      sent += chunk.length
      if (!socket.write(chunk)) return
    }
    socket.end()
  }
  socket.on('connect', fill)
  socket.on('drain', fill)
  socket.on('close', () => console.log(JSON.stringify({ sha256: digest.digest('hex') })))
}

if (mode === 'sink') sink(Number(args[0]))
else if (mode === 'source') {
  const begin = () => source(args[0], args[1], args[2])
  if (args[3] === 'wait') process.stdin.on('end', begin).resume()
  else begin()
  console.log('ready')
} else if (mode === 'send') send(args[0], args[1], Number(args[2]))
