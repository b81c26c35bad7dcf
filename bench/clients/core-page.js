// Runs in a page: two stacks of 'tunstack/core' over a link in memory, with what a browser has for clock, randomness and alarm. They
// send each other so many octets at once, and one fetches a page of the other's HTTP server. Bundled by core-in-page.mjs.
import { createHttpClient, createHttpServer, createStack, memory } from 'tunstack/core'

const PIECE = 262_144

/** Timers of a page are a few milliseconds late; a message to oneself comes at once. */
function alarm(callback) {
  const { port1, port2 } = new MessageChannel()
  let timer = 0
  let turn = 0
  port1.onmessage = ({ data }) => data === turn && callback()
  return {
    arm(at) {
      clearTimeout(timer)
      turn++
      if (at === Number.POSITIVE_INFINITY) return
      const left = at - performance.now()
      if (left <= 0) port2.postMessage(turn)
      else timer = setTimeout(callback, left)
    },
  }
}

const environment = {
  clock: { now: () => performance.now(), wall: () => Date.now() },
  random: { int32: () => crypto.getRandomValues(new Int32Array(1))[0] },
  alarm,
}

function patternAt(place) {
  return (place * 31 + (place >>> 8)) & 255
}

/** Writes so many octets, and reads as many, each of them where it belongs. */
function exchange(endpoint, octets) {
  const pattern = Uint8Array.from({ length: 65_536 }, (_, place) => patternAt(place))
  const piece = new Uint8Array(PIECE)
  for (let at = 0; at < PIECE; at += pattern.length) piece.set(pattern, at)
  return new Promise((resolve, reject) => {
    let sent = 0
    let got = 0
    const write = () => {
      while (sent < octets && endpoint.room > 0) {
        const start = sent % pattern.length
        const taken = endpoint.send(piece, start, Math.min(PIECE, start + octets - sent))
        if (taken === 0) break
        sent += taken
      }
    }
    endpoint.onWritable = write
    endpoint.onReadable = () => {
      for (let octetsRead = endpoint.read(); octetsRead !== null; octetsRead = endpoint.read()) {
        for (const octet of octetsRead)
          if (octet !== pattern[got++ & 65_535]) return reject(new Error(`octet ${got} is wrong`))
      }
      if (got >= octets) resolve(got)
    }
    endpoint.onClose = (reason) => reject(new Error(`closed: ${reason}`))
    write()
    endpoint.onReadable()
  })
}

globalThis.runCore = async (octets) => {
  const [left, right] = memory()
  const [one, other] = [left, right].map((link, place) => {
    const stack = createStack({ environment })
    stack.addInterface({ link, addresses: [`10.0.0.${place + 1}/24`] })
    return stack
  })
  const began = performance.now()
  const accepted = new Promise((resolve) => {
    other.listen({ port: 7000 }).onConnection = resolve
  })
  const endpoint = one.connect({ address: '10.0.0.2', port: 7000 })
  await new Promise((resolve, reject) => {
    endpoint.onOpen = resolve
    endpoint.onClose = reject
  })
  const exchanged = await Promise.all([exchange(endpoint, octets), accepted.then((peer) => exchange(peer, octets))])
  const milliseconds = performance.now() - began
  createHttpServer(({ path }) => `<!doctype html><title>${path}</title>`).listen(other)
  const response = await createHttpClient(one).request('http://10.0.0.2/from/the/page')
  const page = await response.text()
  const shims = ['process', 'Buffer', 'require', 'global'].filter((name) => name in globalThis)
  return { exchanged, milliseconds, status: response.status, page, shims }
}
