// Reads what one host's stack tells its observer, after each of its turns, and puts into the timeline what is worth a word: connections that
// open, fail and end, retransmissions, peers that read nothing, queues that are full.
import { Count, Drop, Event } from '../core/observer.ts'
import type { Connection } from '../core/tcp/connection.ts'
import { Reason, State } from '../core/tcp/state.ts'
import { Instant } from '../core/tcp/timers.ts'
import type { PortableStack } from '../runtime/create-stack.ts'
import { describeTime, type HappeningKind, type Timeline } from './timeline.ts'

/** More than one turn brings: it reads 64 packets of each link. */
const EVENTS = 256

/** Who a connection of this host leads to, in words. */
interface Known {
  readonly connection: Connection
  readonly peer: string
  /** The connection was opened from here. */
  readonly isOurs: boolean
  /** Retransmissions in a row that nothing came back for. */
  attempts: number
}

/** What a watcher asks of the network. */
export interface Around {
  /** The name of the host that has the address, or the address. */
  nameOf(address: string): string
  /** Where programs listen on that port of the host that has the address. */
  listensAt(address: string, port: number): readonly string[]
}

export class StackWatcher {
  readonly #host: string
  readonly #stack: PortableStack
  readonly #timeline: Timeline
  readonly #around: Around
  readonly #known = new Map<number, Known>()
  #read: number
  #windowProbes = 0

  constructor(host: string, stack: PortableStack, timeline: Timeline, around: Around) {
    this.#host = host
    this.#stack = stack
    this.#timeline = timeline
    this.#around = around
    const { observer } = stack.core
    observer.watch(EVENTS)
    this.#read = observer.written
    // Its first turn may have begun one.
    this.#learn()
  }

  /** After a turn. */
  look(): void {
    const { observer } = this.#stack.core
    if (observer.written !== this.#read) {
      this.#learn()
      this.#read = observer.read(this.#read, (event) => this.#take(event))
    }
    const probes = observer.counters.values[Count.tcpWindowProbes]
    if (probes !== this.#windowProbes) this.#tellOfClosedWindows()
    this.#windowProbes = probes
  }

  #take(event: Float64Array): void {
    const [, kind, subject, first, second] = event
    if (kind === Event.drop) {
      this.#tellOfDrop(first)
      return
    }
    if (kind !== Event.state && kind !== Event.retransmission) return
    const known = this.#known.get(subject)
    if (known === undefined) return
    if (kind === Event.state) this.#tellOfState(subject, known, first, second)
    else this.#tellOfRetransmission(subject, known)
  }

  /** Connections that are new since the last look. */
  #learn(): void {
    const { tcp } = this.#stack.core
    tcp.forEach((connection) => {
      const { number, state, remoteAddress } = connection
      if (this.#known.has(number)) return
      const isOurs = state === State.synSent || tcp.listenerOf(connection) === null
      this.#known.set(number, { connection, peer: this.#around.nameOf(remoteAddress.toString()), isOurs, attempts: 0 })
    })
  }

  #tellOfState(number: number, known: Known, from: number, to: number): void {
    const { connection, isOurs } = known
    known.attempts = 0
    if (to === State.established && isOurs) {
      this.#tell('connection', known, `connected to port ${connection.remotePort}`)
    }
    if (to !== State.closed) return
    this.#known.delete(number)
    const text = endOf(connection, from, this.#around)
    if (text !== null) this.#tell('trouble', known, text)
    else if (isOurs) this.#tell('connection', known, `the connection to port ${connection.remotePort} is closed`)
  }

  #tellOfRetransmission(number: number, known: Known): void {
    const { connection } = known
    const { shared, timersRow, timeouts, state } = connection
    if (timeouts === 0) {
      this.#tell('repair', known, 'a packet seems to be lost, and is sent again', `${this.#host} repair ${number}`)
      return
    }
    known.attempts = Math.max(known.attempts + 1, timeouts)
    const heard = shared.timers.get(timersRow, Instant.received)
    const isOpening = state === State.synSent
    const silence = isOpening || heard === 0 ? 'nobody has answered yet' : `nobody answers since ${describeTime(heard)}`
    const what = isOpening ? 'attempt to connect' : 'retransmission'
    const count = ordinal(isOpening ? timeouts + 1 : known.attempts)
    this.#tell('trouble', known, `${count} ${what}, ${silence}`, `${this.#host} silence ${number}`)
  }

  #tellOfClosedWindows(): void {
    for (const [number, known] of this.#known) {
      const unanswered = known.connection.persist?.unanswered ?? 0
      if (unanswered === 0) continue
      const text = `${known.connection.unacknowledged} octets wait, since ${known.peer} reads nothing (${ordinal(unanswered)} probe)`
      this.#tell('trouble', known, text, `${this.#host} window ${number}`)
    }
  }

  #tellOfDrop(reason: number): void {
    const text = DROPS[reason]
    if (text !== undefined) this.#timeline.add('trouble', this.#host, null, text, `${this.#host} drop ${reason}`)
  }

  #tell(kind: HappeningKind, { peer }: Known, text: string, series: string | null = null): void {
    this.#timeline.add(kind, this.#host, peer, text, series)
  }
}

const DROPS: Record<number, string | undefined> = {
  [Drop.tcpListenOverflow]: 'an attempt to connect was dropped: the listen queue is full',
  [Drop.tcpSynOverflow]: 'an attempt to connect was dropped: too many are half open',
  [Drop.tcpNoConnection]:
    'a packet for a connection that is not known here, or to a port where nobody listens: answered with a reset',
  [Drop.udpNoSocket]: 'a datagram to a port where nobody listens',
  [Drop.udpQueueFull]: 'a datagram was dropped: the program does not read them',
}

/** How a connection ended that was not simply closed; null for one that was. */
function endOf({ reason, remoteAddress, remotePort }: Connection, from: number, around: Around): string | null {
  const wasOpening = from === State.synSent
  switch (reason) {
    case Reason.refused:
      return refusal(remotePort, around.listensAt(remoteAddress.toString(), remotePort))
    case Reason.reset:
      return `reset by the other end, which knows nothing of the connection to port ${remotePort}, or has given it up`
    case Reason.timedOut:
      return wasOpening
        ? `gave up connecting to port ${remotePort}: nobody has answered`
        : 'gave up: nobody has answered for too long'
    case Reason.networkUnreachable:
    case Reason.hostUnreachable:
      return 'the connection ends: a router says that nobody is there'
    case Reason.aborted:
      return wasOpening ? `stopped connecting to port ${remotePort}` : 'the program here has torn the connection down'
    default:
      return null
  }
}

/** Programs often listen at `localhost` alone where nobody tells them otherwise: they are there, and only those of their own host reach them. */
function refusal(port: number, addresses: readonly string[]): string {
  if (addresses.length === 0) return `refused: nobody listens on port ${port} there`
  return `refused: port ${port} is open there, but only at ${addresses.join(' and ')}; a program that listens at '::' is reached at every address`
}

export function ordinal(number: number): string {
  const tens = number % 100
  if (tens >= 11 && tens <= 13) return `${number}th`
  return `${number}${['th', 'st', 'nd', 'rd'][number % 10] ?? 'th'}`
}
