// Who watches a stack's TCP, and how they hear of it: at the end of each turn the driver has the core's ring read, and every event
// goes to every listener. Made when somebody watches for the first time; while nobody does, the core writes nothing.

import { Event, RING_EVENTS } from '../core/observer.ts'
import type { Stack } from '../core/stack.ts'
import type { Connection } from '../core/tcp/connection.ts'
import { Mark } from '../core/tcp/control-block.ts'
import { State } from '../core/tcp/state.ts'
import { type ConnectionEvent, dropOf, eventOf, factsOf, type TcpEvent, type Watched, watched } from './events.ts'

export type EventListener = (event: TcpEvent) => void

export class Watching {
  readonly #stack: Stack
  readonly #failed: (error: unknown) => void
  readonly #connections = new Map<number, Watched>()
  #listeners: readonly EventListener[] = []
  #read = 0

  constructor(stack: Stack, failed: (error: unknown) => void) {
    this.#stack = stack
    this.#failed = failed
  }

  get isWatched(): boolean {
    return this.#listeners.length > 0
  }

  /** Tells of everything from now on; the returned function ends it. */
  add(listener: EventListener): () => void {
    const { observer } = this.#stack
    if (!this.isWatched) {
      this.#read = observer.written
      this.#takeAll()
    }
    observer.watch(RING_EVENTS, true)
    this.#listeners = [...this.#listeners, listener]
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#listeners = this.#listeners.filter((one) => one !== listener)
      observer.unwatch(true)
      if (!this.isWatched) this.#connections.clear()
    }
  }

  /** Everything that has happened since the last call. */
  deliver(): void {
    if (!this.isWatched) return
    const { observer } = this.#stack
    const from = this.#read
    const oldest = observer.oldest
    if (oldest > from) {
      this.#takeAll()
      this.#tell({ type: 'lost', time: observer.now, connection: null, count: oldest - from })
    }
    this.#read = observer.read(from, (numbers) => {
      const event = this.#eventOf(numbers)
      if (event !== null) this.#tell(event)
    })
  }

  #eventOf(numbers: Float64Array): ConnectionEvent | null {
    const [, kind, number] = numbers
    if (kind === Event.begun) {
      this.#connections.set(number, watched(factsOf(numbers)))
      return null
    }
    const connection = this.#connections.get(number)
    if (connection === undefined) return kind === Event.drop ? dropOf(numbers) : null
    const event = eventOf(numbers, connection)
    if (kind === Event.state && numbers[4] === State.closed) this.#connections.delete(number)
    return event
  }

  #tell(event: TcpEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  /** Those that were there before anybody watched, or whose beginning was overwritten. */
  #takeAll(): void {
    this.#stack.tcp.forEach((connection) => {
      if (!this.#connections.has(connection.number)) {
        this.#connections.set(connection.number, watched(factsOfConnection(connection)))
      }
    })
  }
}

function factsOfConnection(connection: Connection) {
  const { number, localAddress, localPort, remoteAddress, remotePort, state, iss, irs } = connection
  return {
    number,
    localAddress: localAddress.toString(),
    localPort,
    remoteAddress: remoteAddress.toString(),
    remotePort,
    isPassive: connection.is(Mark.passive),
    iss: iss >>> 0,
    irs: state === State.synSent ? null : irs >>> 0,
  }
}
