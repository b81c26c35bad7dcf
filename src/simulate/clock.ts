// Virtual time: it stands still until somebody moves it, from event to event. Events at the same time happen in the
// order in which they were asked for. It begins at 0, and its date at `BEGINNING`.
import type { Alarm, Clock, Time } from '../core/environment.ts'
import { Schedule, type Scheduled } from '../link/schedule.ts'

/** 2025-01-01T00:00:00Z. */
export const BEGINNING = 1_735_689_600_000

/** Events at one time, after which it is clear that somebody asks for another at each. */
const MOST_AT_ONCE = 1_000_000

export class VirtualClock implements Clock, Time {
  readonly #beginning: number
  readonly #events = new Schedule<Event>()
  #now = 0
  #atOnce = 0

  constructor(beginning = BEGINNING) {
    this.#beginning = beginning
  }

  now(): number {
    return this.#now
  }

  wall(): number {
    return this.#beginning + this.#now
  }

  after(milliseconds: number, callback: () => void): () => void {
    const event = new Event(callback)
    this.#add(event, this.now() + milliseconds)
    return () => this.#events.remove(event)
  }

  alarm(callback: () => void): Alarm {
    const event = new Event(callback)
    return {
      arm: (at) => {
        if (event.place >= 0 && event.at === at) return
        this.#events.remove(event)
        if (at !== Number.POSITIVE_INFINITY) this.#add(event, at)
      },
    }
  }

  /** When the next event is due; Infinity where there is none. */
  get next(): number {
    return this.#events.first()?.at ?? Number.POSITIVE_INFINITY
  }

  /** Moves to the next event and lets it happen; false where there is none. */
  step(): boolean {
    const event = this.#events.shift()
    if (event === null) return false
    this.#atOnce = event.at === this.#now ? this.#atOnce + 1 : 0
    if (this.#atOnce > MOST_AT_ONCE)
      throw new Error(`time can't move on from ${this.#now} ms: there is always more to do`)
    this.#now = event.at
    event.callback()
    return true
  }

  /** Everything up to `until` happens, that which is due then included; without an end, until nothing is left to happen. */
  advance(until = Number.POSITIVE_INFINITY): void {
    while (this.next <= until && this.step());
    if (until !== Number.POSITIVE_INFINITY && until > this.#now) this.#now = until
  }

  #add(event: Event, at: number): void {
    if (Number.isNaN(at)) throw new RangeError('a time must be a number of milliseconds')
    this.#events.add(event, Math.max(at, this.#now))
    this.asked(event.at)
  }

  /** Somebody has asked for an event: for clocks that must know when to look again. */
  protected asked(_at: number): void {}
}

class Event implements Scheduled {
  at = 0
  order = 0
  place = -1
  readonly callback: () => void

  constructor(callback: () => void) {
    this.callback = callback
  }
}
