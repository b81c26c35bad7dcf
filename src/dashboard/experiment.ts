// Two hosts and a bad path between them, in virtual time, in this page: a client asks, a server answers with so many octets and
// closes. It is run ahead of what is shown, as far as a frame has time for, and what happened is kept in a conversation.
import {
  changeOf,
  type Endpoint,
  Network,
  type PacketBatch,
  readSegment,
  reasonOf,
  type SegmentView,
  type SentEvent,
  type StateName,
  sampleOf,
  type TcpEvent,
  WatchedLink,
  wire,
} from '../portable.ts'
import { Conversation, type Flight, otherSide, Side } from './conversation.ts'
import type { Settings } from './settings.ts'

const PORT = 80
const MTU = 1500
const ADDRESSES = ['10.0.0.1', '10.0.0.2'] as const
const REQUEST = 'GET /octets HTTP/1.0\r\n\r\n'
/** Nothing that anybody would watch takes longer: a stuck experiment ends. */
const LONGEST = 600_000
const MOST_HAPPENINGS = 120_000
const PIECE = 65_536
/** After the last close, what is still under way arrives. */
const TIME_WAIT = 60_000
/** A segment that belongs to no connection is not told of. */
const MOST_UNEXPLAINED = 200
/** How often the clock of the page is looked at. */
const STEPS = 16

/** What is on its way, by what it looks like; the same octets twice stand in line. */
type UnderWay = Map<string, Flight[]>

export class Experiment {
  readonly settings: Settings
  readonly conversation = new Conversation(['client', 'server'])
  /** Flights that are lost because somebody wanted it. */
  readonly wanted: ReadonlySet<number>
  /** Milliseconds that a packet takes at most, from end to end. */
  readonly longestFlight: number
  isDone = false
  /** Octets that the client has read, as they came. */
  readonly delivered: { at: number; octets: number }[] = []
  readonly #network: Network
  readonly #endpoints: [Endpoint | null, Endpoint | null] = [null, null]
  readonly #states: [StateName, StateName] = ['CLOSED', 'LISTEN']
  /** Sent, and not yet told why. */
  readonly #unexplained: [Flight[], Flight[]] = [[], []]
  readonly #underWay: [UnderWay, UnderWay] = [new Map(), new Map()]
  /** Flights whose fate is known: all before that place. */
  #judged = 0
  #octets = 0
  #unsent: number

  constructor(settings: Settings, wanted: ReadonlySet<number> = new Set()) {
    this.settings = settings
    this.wanted = wanted
    this.#unsent = settings.size
    this.#network = new Network({ seed: settings.seed })
    const { delay, rate, queue } = settings
    this.longestFlight = delay * 2.5 + 2 + ((queue + 2) * MTU * 8) / (rate * 1000)
    this.#build()
    this.conversation.changed({
      at: 0,
      side: Side.server,
      from: 'CLOSED',
      to: 'LISTEN',
      cause: 'the application listens',
    })
    this.#begin()
  }

  /** Virtual milliseconds that it has come to. */
  get now(): number {
    return this.#network.now()
  }

  /** Goes on to that time, for so many real milliseconds at most. */
  run(until: number, budget = Number.POSITIVE_INFINITY): void {
    const { clock } = this.#network
    const end = performance.now() + budget
    for (let step = 1; !this.isDone && clock.next <= until; step++) {
      this.#step()
      if (step % STEPS === 0 && performance.now() > end) return
    }
  }

  #step(): void {
    const { clock } = this.#network
    const { log } = this.conversation
    const before = log.length
    this.#network.advance(clock.next)
    if (log.length > before || clock.next > this.now + this.longestFlight) {
      this.#look(Side.client)
      this.#look(Side.server)
    }
    this.#judge(this.now - this.longestFlight)
    const isOver = this.#states.every((state) => state === 'CLOSED' || state === 'TIME-WAIT') && this.now > 0
    const isQuiet = this.now > (log.at(-1)?.at ?? 0) + this.longestFlight
    if (clock.next === Number.POSITIVE_INFINITY || this.now > LONGEST || log.length > MOST_HAPPENINGS) this.#end()
    else if (isOver && (isQuiet || clock.next > this.now + this.longestFlight)) this.#end()
  }

  #end(): void {
    this.isDone = true
    this.#judge(Number.POSITIVE_INFINITY)
    this.#network.close()
  }

  /** What was sent by then and has not arrived is lost: nothing is under way for longer. */
  #judge(sentBy: number): void {
    const { flights } = this.conversation
    for (; this.#judged < flights.length && flights[this.#judged].sentAt <= sentBy; this.#judged++) {
      const flight = flights[this.#judged]
      flight.isLost = Number.isNaN(flight.arrivedAt)
    }
  }

  #build(): void {
    const network = this.#network
    const { controller, sack, loss, ackLoss, reorder, delay, rate, queue } = this.settings
    const tcp = { congestion: controller, selectiveAcks: sack, timeWait: TIME_WAIT }
    const random = network.random.stream('path')
    const { ends, forward, backward } = wire({
      time: network.clock,
      mtu: MTU,
      random: { forward: random.stream('forward'), backward: random.stream('backward') },
    })
    const path = { delay, rate, queue, reorderDelay: Math.max(1, delay / 2) }
    forward.change({ ...path, loss: ackLoss / 100 })
    backward.change({ ...path, loss: loss / 100, reorder: reorder / 100 })
    for (const side of [Side.client, Side.server]) {
      const host = network.host(this.conversation.names[side], { addresses: [`${ADDRESSES[side]}/24`], tcp })
      const link = new WatchedLink(ends[side])
      link.watch((direction, batch, row, at) => this.#crossed(side, direction, batch, row, at))
      if (this.wanted.size > 0) link.loses = this.#losing(side)
      host.stack.watch((event) => this.#hear(side, event))
      host.stack.addInterface({ link, addresses: [`${ADDRESSES[side]}/24`] })
    }
  }

  /** Called before the packets of a batch are seen to leave: which numbers they will have is known. */
  #losing(side: Side): (batch: PacketBatch, row: number) => boolean {
    return (batch, row) => {
      if (side !== Side.server && side !== Side.client) return false
      return this.wanted.has(this.conversation.flights.length + 1 + row - batch.first)
    }
  }

  #begin(): void {
    const [client, server] = this.#network.hosts
    server.stack.listen({ port: PORT }).onConnection = (endpoint) => this.#serve(endpoint)
    const endpoint = client.stack.connect({ address: ADDRESSES[Side.server], port: PORT })
    this.#endpoints[Side.client] = endpoint
    endpoint.onOpen = () => void endpoint.send(new TextEncoder().encode(REQUEST))
    endpoint.onReadable = () => {
      for (let octets = endpoint.read(); octets !== null; octets = endpoint.read()) this.#octets += octets.length
      this.delivered.push({ at: this.now, octets: this.#octets })
      if (endpoint.isAtEnd) endpoint.finish()
    }
  }

  #serve(endpoint: Endpoint): void {
    this.#endpoints[Side.server] = endpoint
    const piece = new Uint8Array(PIECE).fill(0x2e)
    const write = () => {
      while (this.#unsent > 0 && endpoint.room > 0) {
        const taken = endpoint.send(piece, 0, Math.min(PIECE, this.#unsent, endpoint.room))
        if (taken === 0) return
        this.#unsent -= taken
      }
      if (this.#unsent === 0) endpoint.finish()
    }
    let asked = 0
    endpoint.onReadable = () => {
      for (let octets = endpoint.read(); octets !== null; octets = endpoint.read()) asked += octets.length
      if (asked < REQUEST.length || endpoint.onWritable !== null) return
      endpoint.onWritable = write
      write()
    }
  }

  #crossed(side: Side, direction: 'in' | 'out', batch: PacketBatch, row: number, at: number): void {
    const segment = readSegment(batch.bytes, batch.offset[row], batch.length[row])
    if (segment === null) return
    const key = keyOf(segment)
    if (direction === 'out') {
      const flight = this.conversation.sent(side, at, segment)
      this.#unexplained[side].push(flight)
      if (this.#unexplained[side].length > MOST_UNEXPLAINED) this.#unexplained[side].shift()
      if (this.wanted.has(flight.number)) return
      const waiting = this.#underWay[side].get(key)
      if (waiting === undefined) this.#underWay[side].set(key, [flight])
      else waiting.push(flight)
      return
    }
    const waiting = this.#underWay[otherSide(side)].get(key)
    const flight = waiting?.shift()
    if (waiting?.length === 0) this.#underWay[otherSide(side)].delete(key)
    if (flight !== undefined) this.conversation.arrived(flight, at)
  }

  /** What an end knows of itself now. */
  #look(side: Side): void {
    const endpoint = this.#endpoints[side]
    if (endpoint === null) return
    const info = endpoint.info()
    if (info.congestionWindow > 0 && !endpoint.isOver) this.conversation.samples[side].push(sampleOf(this.now, info))
  }

  #hear(side: Side, event: TcpEvent): void {
    if (event.type === 'sent') this.#explain(side, event)
    else if (event.type === 'rtt') {
      this.conversation.roundTrips[side].push({ at: event.time, measured: event.sample / 1000 })
    } else if (event.type === 'state') {
      this.#states[side] = event.to
      this.conversation.changed({ ...changeOf(event), side })
    }
  }

  #explain(side: Side, { sequence, acknowledgment, length, ...event }: SentEvent): void {
    const waiting = this.#unexplained[side]
    const place = waiting.findIndex(
      ({ segment }) =>
        segment.sequence === sequence && segment.length === length && segment.acknowledgment === acknowledgment,
    )
    if (place < 0) return
    const [flight] = waiting.splice(place, 1)
    flight.reason = reasonOf({ sequence, acknowledgment, length, ...event })
  }
}

function keyOf({ sequence, acknowledgment, flags, window, length, timestamps, sack }: SegmentView): string {
  return `${sequence} ${acknowledgment} ${flags} ${window} ${length} ${timestamps} ${sack}`
}
