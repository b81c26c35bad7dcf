// One end's application in a simulated run: writes its stream in pieces, reads the other's and compares octet by octet, pauses, closes.
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import type { Network } from '../../src/simulate/network.ts'

export interface SidePlan {
  name: string
  length: number
  octet: (offset: number) => number
  /** Octets a write, and milliseconds between writes. */
  write: number
  pauseWriting: number
  read: number
  pauseReading: number
  finishEarly: boolean
  noDelay: boolean
  lend: boolean
  /** Whole segments only, but for 200 ms. */
  cork: boolean
  /** Some writes end in urgent data. */
  urgent: boolean
  /** Milliseconds of silence; 0 for none. */
  keepAlive: number
  /** Milliseconds until it aborts; -1 for never. */
  abortAfter: number
}

export interface Plan {
  number: number
  client: SidePlan
  server: SidePlan
}

export class Application {
  readonly name: string
  readonly faults: string[] = []
  isClosed = false
  reason = ''
  #written = 0
  #read = 0
  #isAtEnd = false
  #isReading = false
  #isWriting = false
  #hasFinished = false
  readonly #endpoint: Endpoint
  readonly #plan: SidePlan
  readonly #peer: SidePlan
  readonly #network: Network

  constructor(endpoint: Endpoint, plan: SidePlan, peer: SidePlan, network: Network) {
    this.name = plan.name
    this.#endpoint = endpoint
    this.#plan = plan
    this.#peer = peer
    this.#network = network
    endpoint.setNoDelay(plan.noDelay)
    if (plan.cork) endpoint.setCork(true)
    if (plan.keepAlive > 0) endpoint.setKeepAlive(true, plan.keepAlive, 3000, 20)
    endpoint.onOpen = () => this.begin()
    endpoint.onReadable = () => this.#readSoon()
    endpoint.onWritable = () => this.#write()
    endpoint.onClose = (reason) => {
      this.isClosed = true
      this.reason = reason
      this.#readAll()
      endpoint.close()
    }
    if (plan.abortAfter >= 0) network.after(plan.abortAfter, () => this.#abort())
  }

  begin(): void {
    this.#write()
  }

  get hasEverything(): boolean {
    return this.#read === this.#peer.length && this.#isAtEnd
  }

  describe(): string {
    const { connection } = this.#endpoint
    const { state, flight, sndNxt, sndUna, sndWnd, congestion } = connection
    const sent = `written ${this.#written} of ${this.#plan.length}, read ${this.#read} of ${this.#peer.length}`
    const sender = `unacked ${(sndNxt - sndUna) | 0} wnd ${sndWnd} pipe ${flight.pipe} lost ${flight.lost} cwnd ${congestion?.cwnd}`
    return `'${this.reason}' state ${state}, ${sent}, at end ${this.#isAtEnd}, ${sender}`
  }

  end(): void {
    if (this.isClosed) return
    this.#endpoint.abort()
    this.isClosed = true
  }

  #abort(): void {
    if (!this.isClosed) this.#endpoint.abort()
  }

  #write(): void {
    if (this.#isWriting || this.#hasFinished || this.isClosed) return
    const { length, write, pauseWriting, octet, lend } = this.#plan
    while (this.#written < length) {
      const count = Math.min(write, length - this.#written)
      const bytes = new Uint8Array(count)
      for (let place = 0; place < count; place++) bytes[place] = octet(this.#written + place)
      if (lend && this.#endpoint.room > 0) {
        if (!this.#endpoint.lend(bytes)) return
        this.#written += count
      } else {
        const isUrgent = this.#plan.urgent && this.#written % 3 === 0
        const taken = isUrgent ? this.#endpoint.sendUrgent(bytes) : this.#endpoint.send(bytes)
        this.#endpoint.info()
        this.#written += taken
        if (taken < count) return
      }
      if (pauseWriting > 0) {
        this.#isWriting = true
        this.#network.after(pauseWriting, () => {
          this.#isWriting = false
          this.#write()
        })
        return
      }
    }
    this.#finishWhenDone()
  }

  #finishWhenDone(): void {
    if (this.#hasFinished || this.#written < this.#plan.length) return
    if (!this.#plan.finishEarly && !this.#isAtEnd && this.#peer.finishEarly) return
    this.#hasFinished = true
    this.#endpoint.finish()
  }

  #readSoon(): void {
    const { pauseReading } = this.#plan
    if (this.#isReading) return
    if (pauseReading === 0) {
      this.#readAll()
      return
    }
    this.#isReading = true
    this.#network.after(pauseReading, () => {
      this.#isReading = false
      this.#take(this.#endpoint.read(this.#plan.read))
      if (this.#endpoint.readable > 0) this.#readSoon()
      else this.#onRead()
    })
  }

  #readAll(): void {
    for (
      let bytes = this.#endpoint.read(this.#plan.read);
      bytes !== null;
      bytes = this.#endpoint.read(this.#plan.read)
    ) {
      this.#take(bytes)
    }
    this.#onRead()
  }

  #take(bytes: Uint8Array | null): void {
    if (bytes === null) return
    for (const value of bytes) {
      if (value !== this.#peer.octet(this.#read) && this.faults.length < 3) {
        this.faults.push(`${this.name} read ${value} at ${this.#read}, and not ${this.#peer.octet(this.#read)}`)
      }
      this.#read++
    }
    if (this.#read > this.#peer.length) this.faults.push(`${this.name} read ${this.#read} of ${this.#peer.length}`)
  }

  #onRead(): void {
    if (!this.#endpoint.isAtEnd) return
    if (this.#endpoint.reason === 'none') this.#isAtEnd = true
    this.#finishWhenDone()
  }
}
