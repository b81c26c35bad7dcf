// The kernel's TCP as a peer of the stack, by node:net in a process of its own: a client of an echo service, or an echo server.
//   node tcp-peer.mjs client HOST PORT CONNECTIONS OCTETS SEED    one line of JSON: what was sent, what came back, in what time
//   node tcp-peer.mjs server PORT                                 echoes until it is ended; says 'ready' first
//   node tcp-peer.mjs knock HOST PORT INTERVAL                    a connection and an octet echoed, again and again until it is
//                                                                 ended by a line on its standard input; then one line of JSON
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const LONGEST_WRITE = 1 << 20
const KNOCK_TIMEOUT = 20_000

/** Lengths of writes: 1, every power of two and its neighbours, 1 MB, then from 1 to 1 MB with small ones as likely as large ones. */
export function* writeLengths(seed) {
  for (let power = 1; power <= LONGEST_WRITE; power *= 2) yield* [power - 1, power, power + 1].filter(isWriteLength)
  for (let state = seed | 1; ; ) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield Math.max(1, Math.floor(LONGEST_WRITE ** ((state >>> 0) / 0x1_0000_0000)))
  }
}

function isWriteLength(length) {
  return length >= 1 && length <= LONGEST_WRITE
}

/** Sends, half-closes, and takes what comes back until the end. */
async function echoOnce(host, port, octets, seed) {
  const source = randomBytes(2 * LONGEST_WRITE)
  const [sent, received] = [createHash('sha256'), createHash('sha256')]
  let count = 0
  const socket = connect({ host, port, allowHalfOpen: true })
  socket.on('data', (chunk) => {
    received.update(chunk)
    count += chunk.length
  })
  const ended = once(socket, 'close')
  ended.catch(() => {})
  await once(socket, 'connect')
  let left = octets
  for (const wanted of writeLengths(seed)) {
    const length = Math.min(wanted, left)
    const at = (left * 7) % LONGEST_WRITE
    const chunk = source.subarray(at, at + length)
    sent.update(chunk)
    left -= length
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain'), ended])
    if (left === 0) break
  }
  socket.end()
  const [hadError] = await ended
  if (hadError) throw new Error(`${host} ${port}: the connection broke`)
  return { sent: octets, received: count, isIntact: sent.digest('hex') === received.digest('hex') }
}

async function client(host, port, connections, octets, seed) {
  const began = performance.now()
  const each = Array.from({ length: connections }, (_, at) => echoOnce(host, port, octets, seed * 1_000 + at))
  const results = (await Promise.allSettled(each)).map(({ value, reason }) => value ?? { failure: reason.message })
  console.log(JSON.stringify({ milliseconds: performance.now() - began, results }))
}

async function server(port) {
  const listening = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  listening.listen(port, '::')
  await once(listening, 'listening')
  console.log('ready')
}

async function knockOnce(host, port) {
  const began = performance.now()
  const socket = connect({ host, port, signal: AbortSignal.timeout(KNOCK_TIMEOUT) })
  await once(socket, 'connect')
  socket.write('!')
  await once(socket, 'data')
  socket.end()
  await once(socket, 'close')
  return performance.now() - began
}

async function knock(host, port, interval) {
  let isEnded = false
  process.stdin.once('data', () => {
    isEnded = true
    process.stdin.destroy()
  })
  const times = []
  const failures = []
  console.log('ready')
  do {
    try {
      times.push(await knockOnce(host, port))
    } catch (error) {
      failures.push(error.code ?? error.message)
    }
    await sleep(interval)
  } while (!isEnded)
  console.log(JSON.stringify({ times, failures }))
}

const [command, ...rest] = process.argv.slice(2)
const [host, ...numbers] = command === 'server' ? ['', ...rest] : rest
await { client, server, knock }[command](...(command === 'server' ? [] : [host]), ...numbers.map(Number))
