// A capture of another process's stack, by its control socket: the blocks of a pcapng file as they come, each of them whole.
import type { Socket } from 'node:net'
import { streamControl } from './control.ts'

const SECTION_HEADER = 0x0a0d0d0a
const ENHANCED_PACKET = 6
const BLOCK_HEADER = 8
const LEAST_BLOCK = 12

export interface RemoteCaptureOptions {
  snapLength?: number
  comments?: boolean
  secrets?: boolean
  interfaces?: readonly string[]
}

export interface RemoteCapture {
  /** Ends it; what has come whole was handed over. */
  stop(): void
  /** When it is over, from whichever side. Rejects where the other side refuses, or breaks off. */
  readonly over: Promise<void>
  /** Whoever takes the blocks can't take more for now. */
  pause(): void
  resume(): void
}

/** `take` gets whole blocks, and whether each is a packet. */
export async function captureRemotely(
  path: string,
  options: RemoteCaptureOptions,
  take: (block: Buffer, isPacket: boolean) => void,
): Promise<RemoteCapture> {
  const { socket, first } = await streamControl(path, { ask: 'capture', ...options })
  let isStopped = false
  let isFirst = true
  let rest = first
  const cut = () => {
    while (!isStopped && rest.length >= BLOCK_HEADER) {
      const length = rest.readUInt32LE(4)
      if (length < LEAST_BLOCK || (isFirst && rest.readUInt32LE(0) !== SECTION_HEADER)) {
        throw new Error('what came is no pcapng')
      }
      if (rest.length < length) return
      const block = rest.subarray(0, length)
      rest = rest.subarray(length)
      isFirst = false
      take(block, block.readUInt32LE(0) === ENHANCED_PACKET)
    }
  }
  const over = ended(socket)
  over.catch(() => {})
  socket.on('data', (piece: Buffer) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    try {
      cut()
    } catch (error) {
      socket.destroy(error as Error)
    }
  })
  cut()
  socket.resume()
  return {
    over,
    stop() {
      isStopped = true
      socket.destroy()
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  }
}

function ended(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('close', () => resolve())
  })
}
