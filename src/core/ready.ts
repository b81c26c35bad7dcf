// Who waits to be woken. The core puts sockets on the stack's ready list and calls nobody;
// the driver takes them off between packets and wakes the endpoint that owns each.
import { Ring } from './ring.ts'

/** What the runtime puts behind a socket of the core: an endpoint. */
export interface Owner {
  /** What people know it by, in lists of sockets. */
  readonly name?: string | null
  wake(now: number): void
}

/** A socket of the core that an endpoint may own. */
export interface Wakeable {
  owner: Owner | null
  /** Stands on the ready list already, or is being woken and will ask for itself. */
  isReady: boolean
}

export class ReadyList {
  readonly #ring = new Ring<Wakeable>()

  get count(): number {
    return this.#ring.count
  }

  push(socket: Wakeable): void {
    if (socket.isReady) return
    socket.isReady = true
    this.#ring.push(socket)
  }

  /** The one that has waited longest; null where nobody waits. */
  shift(): Wakeable | null {
    const socket = this.#ring.shift()
    if (socket !== null) socket.isReady = false
    return socket
  }
}
