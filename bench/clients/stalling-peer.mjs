// A peer of the kernel's TCP, by node:net in a process of its own, that takes its time.
//   node stalling-peer.mjs read HOST PORT MS       connects, reads nothing for so long, then everything; then a line of JSON: octets
//   node stalling-peer.mjs write HOST PORT OCTETS  connects and sends so many octets as fast as they are taken; then a line of JSON: octets
import { connect } from 'node:net'

const CHUNK = Buffer.alloc(65_536)
const [mode, host, port, amount] = process.argv.slice(2)
const socket = connect({ host, port: Number(port) })
let octets = 0

if (mode === 'read') {
  socket.pause()
  setTimeout(() => socket.resume(), Number(amount))
  socket.on('data', (chunk) => {
    octets += chunk.length
  })
} else {
  const fill = () => {
    while (octets < Number(amount)) {
      octets += CHUNK.length
      if (!socket.write(CHUNK)) return
    }
    socket.end()
  }
  socket.resume()
  socket.on('connect', fill)
  socket.on('drain', fill)
}
socket.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})
socket.on('close', () => console.log(JSON.stringify({ octets })))
