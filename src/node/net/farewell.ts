// The end of closed sockets: what they wrote is still to be delivered, and a userspace stack ends with its process. So the process is
// held until TCP's peers have acknowledged everything, the FIN included, and UDP's datagrams are sent, for `lastWords` milliseconds
// at most. TIME-WAIT holds nothing.
import type { Owner, Wakeable } from '../../core/ready.ts'
import type { Connection } from '../../core/tcp/connection.ts'
import { State } from '../../core/tcp/state.ts'
import type { UdpSocket } from '../../core/udp/socket.ts'
import type { Driver } from '../../runtime/driver.ts'
import type { Endpoint } from '../../runtime/endpoint.ts'
import type { KeepAlive } from '../keep-alive.ts'

/** Where a stack is given no other limit. */
export const LAST_WORDS = 10_000

export class Farewells {
  readonly #driver: Driver
  readonly #keepAlive: KeepAlive
  readonly #limit: number
  /** Those that wait, the one that has waited longest first. */
  readonly #waiting = new Set<Farewell>()
  #letGo: (() => void) | null = null
  #cancel: (() => void) | null = null

  constructor(driver: Driver, keepAlive: KeepAlive, limit: number) {
    this.#driver = driver
    this.#keepAlive = keepAlive
    this.#limit = limit
  }

  get count(): number {
    return this.#waiting.size
  }

  /** Closes an endpoint, and holds the process for what it has not delivered yet. */
  close(endpoint: Endpoint): void {
    const { connection } = endpoint
    endpoint.close()
    this.wait(connection, () => {
      connection.wakes = 0
      return isDone(connection)
    })
  }

  /** Holds the process until the closed socket is done, which is asked whenever it is woken. */
  wait(socket: Wakeable, isDone: () => boolean): void {
    if (isDone()) return
    const deadline = this.#driver.time.now() + this.#limit
    const farewell = new Farewell(socket, deadline, isDone, (one) => this.#remove(one))
    socket.owner = farewell
    this.#waiting.add(farewell)
    this.#letGo ??= this.#keepAlive.hold()
    this.#cancel ??= this.#driver.time.after(this.#limit, () => this.#expire())
  }

  /** For a UDP socket that is closed: until what it was to send has gone. */
  waitForDatagrams(socket: UdpSocket): void {
    this.wait(socket, () => {
      // Where something is left, the socket asks to be woken.
      socket.isAwaited = socket.outgoing.waiting.count > 0
      return !socket.isAwaited
    })
  }

  #remove(farewell: Farewell): void {
    this.#waiting.delete(farewell)
    if (this.#waiting.size > 0) return
    this.#letGo?.()
    this.#letGo = null
    this.#cancel?.()
    this.#cancel = null
  }

  #expire(): void {
    this.#cancel = null
    const now = this.#driver.time.now()
    for (const farewell of this.#waiting) {
      if (farewell.deadline > now) {
        this.#cancel = this.#driver.time.after(farewell.deadline - now, () => this.#expire())
        return
      }
      farewell.end()
    }
  }
}

class Farewell implements Owner {
  readonly deadline: number
  readonly #socket: Wakeable
  readonly #isDone: () => boolean
  readonly #onEnd: (farewell: Farewell) => void

  constructor(socket: Wakeable, deadline: number, isDone: () => boolean, onEnd: (farewell: Farewell) => void) {
    this.#socket = socket
    this.deadline = deadline
    this.#isDone = isDone
    this.#onEnd = onEnd
  }

  wake(): void {
    if (this.#isDone()) this.end()
  }

  end(): void {
    this.#socket.owner = null
    this.#onEnd(this)
  }
}

/** The peer has acknowledged our FIN. */
function isDone({ state }: Connection): boolean {
  return state === State.closed || state === State.finWait2 || state === State.timeWait
}
