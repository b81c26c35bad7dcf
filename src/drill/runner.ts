// Plays a script's events in their order, in virtual time, and holds what happens against what is written. The first difference ends it.
// Times follow packetdrill: a relative one counts from when the event before was to happen, and not from when it did.
import type { PcapngSink } from '../link/pcapng.ts'
import { Calls } from './calls.ts'
import { type Difference, Expectation } from './comparison.ts'
import { describeSeen } from './description.ts'
import { ERRNO } from './errors.ts'
import { assertAll } from './expression.ts'
import { figures } from './figures.ts'
import {
  type CallEvent,
  type CodeEvent,
  type CommandEvent,
  type PacketEvent,
  type Script,
  type ScriptEvent,
  Unsupported,
  type Value,
  type When,
} from './script.ts'
import type { Seen } from './seen.ts'
import type { Setup } from './setup.ts'
import type { Attempt, Outcome } from './socket.ts'
import { StreamSocket } from './stream-socket.ts'
import { settingsOf } from './sysctls.ts'
import { seconds, Trace } from './trace.ts'
import { describeValue, numberOf } from './values.ts'
import { World } from './world.ts'

/** How long `*` waits for a packet. */
const PATIENCE = 600_000_000

/** What was written did not happen, or something else did. */
export class Failure extends Error {
  readonly differences: readonly Difference[]

  constructor(message: string, differences: readonly Difference[] = []) {
    super(message)
    this.name = 'Failure'
    this.differences = differences
  }
}

/** When an event is to happen: microseconds of the script. */
interface Moment {
  readonly from: number
  readonly to: number
  readonly isAny: boolean
}

/** A system call that has not returned. */
interface Blocked {
  readonly event: CallEvent
  readonly attempt: Attempt
  /** When it is to return. */
  readonly until: number
}

export class Runner {
  readonly trace = new Trace()
  /** The line that is being played. */
  line = 0
  readonly #script: Script
  readonly #setup: Setup
  readonly #world: World
  readonly #calls: Calls
  #last = 0
  #blocked: Blocked | null = null

  constructor(script: Script, setup: Setup, sink: PcapngSink | null) {
    this.#script = script
    this.#setup = setup
    this.#world = new World(setup, 'drill', sink)
    this.#calls = new Calls(this.#world)
  }

  run(): void {
    for (const event of this.#script.events) {
      this.line = event.line
      this.#play(event)
    }
    if (this.#blocked !== null) this.#awaitBlocked()
    this.#endQuietly()
  }

  close(): void {
    this.#world.close()
  }

  #play(event: ScriptEvent): void {
    const moment = this.#momentOf(event.when)
    if (event.kind === 'packet' && event.packet.direction === 'out') {
      this.#expect(event, moment)
      return
    }
    if (event.kind === 'call' && this.#blocked !== null) this.#awaitBlocked()
    this.#advance(moment.from)
    if (event.kind === 'packet') {
      this.trace.add(event.line, event.text, `${seconds(this.#world.now)} <`)
      this.#world.inject(event.packet)
      this.#tryBlocked()
    } else if (event.kind === 'call') this.#call(event, moment)
    else if (event.kind === 'code') this.#assert(event)
    else this.#command(event)
  }

  #momentOf({ kind, from, to }: When): Moment {
    if (kind === 'any') return { from: this.#world.now, to: Number.POSITIVE_INFINITY, isAny: true }
    const base = kind === 'relative' ? this.#last : 0
    const moment = { from: base + from, to: base + (to ?? from), isAny: false }
    this.#last = moment.from
    return moment
  }

  /** Time moves on to then; a call that waits is tried again at each step. */
  #advance(until: number): void {
    const world = this.#world
    while (this.#blocked !== null && world.next <= until) {
      world.step()
      this.#tryBlocked()
    }
    world.advance(until)
    this.#tryBlocked()
  }

  // Packets of the stack.

  #expect(event: PacketEvent, moment: Moment): void {
    const { tolerance, stampTick, strictOptions } = this.#setup
    const expectation = new Expectation(event.packet, { tolerance, stampTick, strictOptions })
    const latest = moment.isAny ? this.#world.now + PATIENCE : moment.to + tolerance
    do {
      const seen = this.#nextAsked(event, latest)
      if (seen === null) this.#missing(event, moment)
      this.#compare(event, moment, expectation, seen)
      if (moment.isAny) this.#last = seen.at
    } while (!expectation.isMet)
  }

  /** Replies of ICMP are passed over where no line asks for them, as packetdrill does; where surplus counts they count too. */
  #nextAsked(event: PacketEvent, latest: number): Seen | null {
    for (;;) {
      const seen = this.#nextSent(latest)
      if (seen === null || event.packet.body.protocol === 'icmp' || !this.#setup.ignoreSurplus || !isReply(seen))
        return seen
      this.trace.add(0, '', `${seconds(seen.at)} ${describeSeen(seen, null)}`)
    }
  }

  /** The oldest packet that no line has asked for; waits for one until then. */
  #nextSent(latest: number): Seen | null {
    const world = this.#world
    world.settle()
    while (world.sent.length === 0 && world.next <= latest) {
      world.step()
      this.#tryBlocked()
    }
    return world.sent.shift() ?? null
  }

  #missing(event: PacketEvent, moment: Moment): never {
    this.trace.add(event.line, event.text, 'nothing', true)
    const when = moment.isAny ? `within ${PATIENCE / 1_000_000} s` : `by ${seconds(moment.to)}`
    throw new Failure(`no packet came ${when}`)
  }

  #compare(event: PacketEvent, moment: Moment, expectation: Expectation, seen: Seen): void {
    const flow = this.#world.flowOf(seen)
    const differences = flow === null ? [this.#strangeAddresses(seen)] : expectation.compare(seen, flow)
    differences.push(...this.#timeDifference(moment, seen.at))
    const got = `${seconds(seen.at)} ${describeSeen(seen, flow)}`
    this.trace.add(event.line, event.text, got, differences.length > 0)
    if (differences.length === 0) return
    throw new Failure(sentence(differences), differences)
  }

  #strangeAddresses({ source, sourcePort, destination, destinationPort }: Seen): Difference {
    const got = `${source}:${sourcePort} to ${destination}:${destinationPort}`
    return { what: 'addresses', expected: "those of one of the script's conversations", got }
  }

  #timeDifference({ from, to, isAny }: Moment, at: number): Difference[] {
    const { tolerance } = this.#setup
    if (isAny || (at >= from - tolerance && at <= to + tolerance)) return []
    const expected = from === to ? seconds(from) : `${seconds(from)}~${seconds(to)}`
    return [{ what: at < from ? 'time (too early)' : 'time (too late)', expected, got: seconds(at) }]
  }

  /** The script is over: what nobody asked for is one packet too many. */
  #endQuietly(): void {
    this.#world.settle()
    const [surplus] = this.#world.sent
    if (surplus === undefined || this.#setup.ignoreSurplus) return
    this.trace.add(0, 'nothing', `${seconds(surplus.at)} ${describeSeen(surplus, this.#world.flowOf(surplus))}`, true)
    throw new Failure('a packet came that no line expects')
  }

  // System calls.

  #call(event: CallEvent, moment: Moment): void {
    const attempt = this.#calls.begin(event.call)
    const outcome = attempt()
    this.#world.settle()
    if (outcome !== null) {
      this.#checkCall(event, outcome)
      if (event.until !== null) this.#checkReturn(event, this.#endOf(event, moment))
      return
    }
    if (event.until === null) {
      this.trace.add(event.line, event.text, 'it blocks', true)
      throw new Failure(`${event.call.name} blocks`)
    }
    this.#blocked = { event, attempt, until: this.#endOf(event, moment) }
  }

  #endOf({ until, when }: CallEvent, moment: Moment): number {
    return (until ?? 0) + (when.kind === 'relative' ? moment.from - when.from : 0)
  }

  #tryBlocked(): void {
    const blocked = this.#blocked
    if (blocked === null) return
    const outcome = blocked.attempt()
    if (outcome === null) return
    this.#blocked = null
    this.#world.settle()
    const { line } = this
    this.line = blocked.event.line
    this.#checkCall(blocked.event, outcome)
    this.#checkReturn(blocked.event, blocked.until)
    this.line = line
  }

  /** The next call may only begin when this one has returned. */
  #awaitBlocked(): void {
    const { event, until } = this.#blocked as Blocked
    this.#advance(until + this.#setup.tolerance)
    if (this.#blocked === null) return
    this.line = event.line
    this.trace.add(event.line, event.text, 'it still blocks', true)
    throw new Failure(`${event.call.name} still blocks at ${seconds(until)}`)
  }

  #checkReturn({ line, text, call }: CallEvent, until: number): void {
    const { now } = this.#world
    if (Math.abs(now - until) <= this.#setup.tolerance) return
    this.trace.add(line, text, `it returned at ${seconds(now)}`, true)
    const differences = [{ what: 'time of return', expected: seconds(until), got: seconds(now) }]
    throw new Failure(`${call.name} returned at ${seconds(now)}, not at ${seconds(until)}`, differences)
  }

  #checkCall({ line, text, call }: CallEvent, outcome: Outcome): void {
    const differences: Difference[] = []
    const { value, error, filled = [] } = outcome
    const got = error === null ? String(value) : `-1 ${error}`
    const result = numberOf(call.result)
    if (result !== null && (result !== value || (call.error !== null && !isSameError(call.error, error)))) {
      const expected = call.error === null ? String(result) : `${result} ${call.error}`
      differences.push({ what: 'result', expected, got })
    }
    for (const one of filled) if (!isMeant(one.expected, one.got)) differences.push(differenceOf(one))
    const extra = filled.map((one) => `, ${one.what} ${one.got}`).join('')
    this.trace.add(line, text, `${seconds(this.#world.now)} = ${got}${extra}`, differences.length > 0)
    if (differences.length > 0) throw new Failure(`${call.name}: ${sentence(differences)}`, differences)
  }

  // Assertions and commands.

  #assert(event: CodeEvent): void {
    const socket = this.#calls.latest
    const endpoint = socket instanceof StreamSocket ? socket.endpoint : null
    const lookup = figures(endpoint?.info() ?? null, socket?.state ?? 7)
    for (const { text, isTrue, told } of assertAll(event.code, lookup)) {
      const got = isTrue ? 'so it is' : `it is ${told ?? 'not so'}`
      this.trace.add(event.line, text, got, !isTrue)
      if (!isTrue) throw new Failure(`${text}: ${got}`)
    }
  }

  #command(event: CommandEvent): void {
    const isFirst = this.#script.events.every((one) => one.kind === 'command' || one.line > event.line)
    const { linkTakes } = settingsOf(event.command, isFirst)
    if (linkTakes !== null) this.#world.refuse(!linkTakes)
    this.trace.add(event.line, event.text, 'done')
  }
}

/** An answer to an echo or a timestamp request: of no conversation. */
function isReply({ icmp, source }: Seen): boolean {
  return icmp !== null && (source.isIpv4 ? [0, 14, 16, 18].includes(icmp.type) : icmp.type === 129)
}

function sentence(differences: readonly Difference[]): string {
  return differences.map(({ what, expected, got }) => `${what}: expected ${expected}, got ${got}`).join('; ')
}

function isSameError(expected: string, got: string | null): boolean {
  const plain = (name: string | null) => (name === 'EWOULDBLOCK' ? 'EAGAIN' : name)
  return plain(expected) === plain(got)
}

/** Whether what a call gave is what stands there; a name of an error and its number are one. */
function isMeant(expected: Value | undefined, got: number | string): boolean {
  if (expected === undefined || expected.kind === 'any') return true
  if (expected.kind === 'text') return expected.text === String(got)
  const meant = numberOf(expected, ERRNO)
  if (meant === null) throw new Unsupported(`${describeValue(expected)} can't be compared`)
  return meant === (typeof got === 'string' ? ERRNO[got] : got)
}

function differenceOf(one: { what: string; expected: Value | undefined; got: number | string }): Difference {
  const expected = one.expected === undefined ? '...' : describeValue(one.expected)
  return { what: one.what, expected, got: String(one.got) }
}
