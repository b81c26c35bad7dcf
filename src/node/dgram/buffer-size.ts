// How much a socket may hold that has come or is to go, as Linux counts: twice what is asked for, and a least and a most.
import type { UdpSocket } from '../../core/udp/socket.ts'
import { errnoOf, type SystemErrorInfo, sentenceOf } from '../errors.ts'

/** SOCK_MIN_RCVBUF and SOCK_MIN_SNDBUF. */
const LEAST_RECEIVE = 2304
const LEAST_SEND = 4608
/** What net.core.rmem_max and wmem_max are to Linux. */
const MOST = 32 << 20
const LARGEST_INT32 = 0x7fff_ffff

/** 0 asks. Undefined where it can't be, and `problem` says why. */
export function bufferSize(
  socket: UdpSocket | null,
  size: number,
  isReceive: boolean,
  problem: Partial<SystemErrorInfo>,
): number | undefined {
  if (size > LARGEST_INT32 || socket === null) {
    const code = size > LARGEST_INT32 ? 'EINVAL' : 'EBADF'
    const syscall = isReceive ? 'uv_recv_buffer_size' : 'uv_send_buffer_size'
    Object.assign(problem, { errno: errnoOf(code), code, message: sentenceOf(code), syscall })
    return undefined
  }
  const queue = isReceive ? socket.received : socket.outgoing.waiting
  if (size === 0) return queue.limit
  queue.limit = Math.max(2 * Math.min(MOST, size), isReceive ? LEAST_RECEIVE : LEAST_SEND)
  return size
}
