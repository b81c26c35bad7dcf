// Octets through an echo service and back, by an endpoint of a stack: sent in writes of every size, half-closed, compared whole.
// The other way round, with the kernel's TCP as the client, it is done by bench/clients/tcp-peer.mjs.
import { createHash, randomBytes } from 'node:crypto'
import { Option } from '../../src/core/tcp/control-block.ts'
import type { PortableStack } from '../../src/runtime/create-stack.ts'

export interface Transfer {
  sent: number
  received: number
  isIntact: boolean
  /** Why the connection was over; 'none' where both sides had closed it. */
  reason: string
  /** Segments that were sent again, by us. */
  retransmissions: number
  /** What both sides have agreed to, by the names that the kernel's switches have. */
  options: Record<'tcp_sack' | 'tcp_timestamps' | 'tcp_window_scaling', boolean>
}

const LONGEST_WRITE = 1 << 20

/** Lengths of writes: 1, every power of two and its neighbours, 1 MB, then from 1 to 1 MB with small ones as likely as large ones. */
function* writeLengths(seed: number): Generator<number, never> {
  for (let power = 1; power < LONGEST_WRITE; power *= 2) yield* [Math.max(1, power - 1), power, power + 1]
  yield LONGEST_WRITE
  for (let state = seed | 1; ; ) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    yield Math.max(1, Math.floor(LONGEST_WRITE ** ((state >>> 0) / 0x1_0000_0000)))
  }
}

export function echoThrough(
  stack: PortableStack,
  address: string,
  port: number,
  octets: number,
  seed = 1,
): Promise<Transfer> {
  const source = randomBytes(2 * LONGEST_WRITE)
  const [sent, received] = [createHash('sha256'), createHash('sha256')]
  const lengths = writeLengths(seed)
  const endpoint = stack.connect({ address, port })
  let [at, end, left, count] = [0, 0, octets, 0]
  const next = () => {
    const length = Math.min(lengths.next().value, left)
    at = (left * 7) % LONGEST_WRITE
    end = at + length
    left -= length
    sent.update(source.subarray(at, end))
  }
  const write = () => {
    for (;;) {
      if (at === end) {
        if (left === 0) {
          endpoint.finish()
          return
        }
        next()
      }
      const taken = endpoint.send(source, at, end)
      at += taken
      if (at < end) return
    }
  }
  endpoint.onOpen = write
  endpoint.onWritable = write
  endpoint.onReadable = () =>
    endpoint.look((bytes, start, length) => {
      received.update(bytes.subarray(start, start + length))
      count += length
      return length
    })
  return new Promise((resolve) => {
    endpoint.onClose = (reason) =>
      resolve({
        sent: octets - left - (end - at),
        received: count,
        isIntact: count === octets && sent.digest('hex') === received.digest('hex'),
        reason,
        retransmissions: endpoint.connection.totalRetransmissions,
        options: {
          tcp_sack: endpoint.connection.has(Option.selectiveAcks),
          tcp_timestamps: endpoint.connection.has(Option.timestamps),
          tcp_window_scaling: endpoint.connection.has(Option.windowScaling),
        },
      })
  })
}

/** What `tcp-peer.mjs client` prints. */
export interface PeerReport {
  milliseconds: number
  results: ({ sent: number; received: number; isIntact: boolean } | { failure: string })[]
}
