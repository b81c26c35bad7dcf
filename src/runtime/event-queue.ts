// One connection's events as an async iterator: `for await (const event of endpoint.events())`. What the reader is too slow for is
// let go of, the oldest first, and counted.
import type { Connection } from '../core/tcp/connection.ts'
import type { ConnectionEvent, TcpEvent } from './events.ts'
import type { EventListener } from './watching.ts'

export interface EventsOptions {
  /** Events that may wait for their reader: 4,096 when not given. */
  limit?: number
}

const LIMIT = 4096

export class EventQueue implements AsyncIterableIterator<ConnectionEvent> {
  readonly #number: number
  readonly #limit: number
  readonly #end: () => void
  #events: ConnectionEvent[] = []
  #first = 0
  #lost = 0
  #isOver = false
  #waiting: ((result: IteratorResult<ConnectionEvent>) => void)[] = []

  constructor(connection: Connection, watch: (listener: EventListener) => () => void, options: EventsOptions = {}) {
    this.#number = connection.number
    this.#limit = options.limit ?? LIMIT
    this.#isOver = connection.isOver
    this.#end = this.#isOver ? () => {} : watch((event) => this.#take(event))
  }

  /** How many events its reader has missed. */
  get lost(): number {
    return this.#lost
  }

  /** The next event, when there is one; the end once the connection is over, with `TIME-WAIT` or `CLOSED` as the last state. */
  next(): Promise<IteratorResult<ConnectionEvent>> {
    if (this.#first < this.#events.length) return Promise.resolve({ done: false, value: this.#shift() })
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** No more of it: `break` in a loop ends here. */
  return(): Promise<IteratorResult<ConnectionEvent>> {
    this.#events = []
    this.#first = 0
    this.#finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(event: TcpEvent): void {
    if (event.type === 'lost') {
      // Some of them may have been this connection's.
      this.#lost += event.count
      return
    }
    if (event.connection?.number !== this.#number) return
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) waiting({ done: false, value: event })
    else {
      this.#events.push(event)
      if (this.#events.length - this.#first > this.#limit) {
        this.#shift()
        this.#lost++
      }
    }
    if (event.type === 'state' && (event.to === 'CLOSED' || event.to === 'TIME-WAIT')) this.#finish()
  }

  #shift(): ConnectionEvent {
    const event = this.#events[this.#first++]
    if (this.#first > this.#limit) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
    return event
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#end()
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined })
  }
}
