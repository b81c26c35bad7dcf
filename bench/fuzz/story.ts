// Plays a genome: a connection in some state, then segments of its peer well and badly made, packets of others, broken octets, time and
// what its user does. Throws where something that must hold does not. What a step came to is its feature: state, answers and counters.
import type { Connection } from '../../src/core/tcp/connection.ts'
import {
  ACK_PLACES,
  FLAGS,
  LENGTHS,
  OPTIONS,
  SEQ_PLACES,
  STATES,
  strike,
  URGENTS,
  type Victim,
  Watch,
  WINDOWS,
} from '../../test/support/hostile-peer.ts'
import { type Bytes, bytes, icmpPacket, internetChecksum, ipv4Packet, udpPacket } from '../../test/support/packets.ts'
import { TcpBench } from '../../test/support/tcp-bench.ts'
import { Choices, type Genome } from './genome.ts'

const NAMES = Object.keys(STATES)
const WAITS = [0, 1, 40, 200, 1000, 10_000, 100_000]
const MOST_STEPS = 40

interface Scene {
  readonly bench: TcpBench
  readonly victim: Victim
  readonly choices: Choices
  /** Null once octets may have come that the peer does not know of. */
  watch: Watch | null
}

/** Calls `reach` with a number for what each step came to. */
export function play(genome: Genome, reach: (feature: number) => void): void {
  const choices = new Choices(genome)
  const bench = new TcpBench({ challengeInterval: 1, receiveBufferInitial: 8000 })
  bench.listen()
  const state = choices.below(NAMES.length)
  const look = choices.octet()
  const flavour = { ipv6: (look & 1) !== 0, rich: (look & 2) !== 0, wraps: (look & 4) !== 0 }
  const victim = STATES[NAMES[state]](bench, flavour, 4000)
  const scene: Scene = { bench, victim, choices, watch: new Watch(victim) }
  victim.peer.heard()
  const seen = new Features(bench, reach)
  for (let step = 0; step < MOST_STEPS && !choices.isOver; step++) {
    const kind = choices.below(16)
    act(scene, kind)
    bench.flush()
    seen.note(victim.connection, kind)
    mustHold(bench)
  }
  finish(scene)
}

function act(scene: Scene, kind: number): void {
  const { bench, victim, choices } = scene
  // What was said before answers nothing of this.
  victim.peer.heard()
  if (kind < 7) blow(scene)
  else if (kind < 9) broken(scene)
  else if (kind < 11) bench.wait(choices.pick(WAITS))
  else if (kind < 13) byUser(scene)
  else {
    bench.deliver(other(scene))
    victim.peer.heard()
  }
}

function blow({ victim, choices, watch }: Scene): void {
  const flags = choices.below(3) === 0 ? choices.pick(FLAGS) : choices.pick(['.', 'P.', 'F.', 'S', 'S.', 'R', 'R.', ''])
  strike(victim, {
    flags,
    seq: choices.below(4) === 0 ? choices.below(6000) - 3000 : choices.pick(SEQ_PLACES),
    ack: choices.below(4) === 0 ? choices.below(6000) - 3000 : choices.pick(ACK_PLACES),
    length: choices.pick(LENGTHS),
    options: choices.below(OPTIONS.length),
    window: choices.pick(WINDOWS),
    urgent: choices.pick(URGENTS),
  })
  const heard = victim.peer.heard()
  watch?.check(heard, flags)
}

/** A right segment of the peer's with some octets changed, its checksums made right again or not. */
function broken(scene: Scene): void {
  const { bench, victim, choices } = scene
  const { peer } = victim
  const packet = peer.packet(choices.pick(['.', 'P.', 'F.', 'S', 'R.']), { seq: peer.next, data: choices.below(200) })
  for (let times = 1 + choices.below(4); times > 0; times--) packet[choices.below(packet.length)] = choices.octet()
  if (choices.below(2) === 0) repair(packet)
  scene.watch = null
  bench.deliver(choices.below(8) === 0 ? packet.slice(0, choices.below(packet.length)) : packet)
  peer.heard()
}

/** Header and transport checksums of IPv4, where the packet is still long enough to have them. */
function repair(packet: Bytes): void {
  const headerLength = (packet[0] & 15) * 4
  if (packet[0] >>> 4 !== 4 || headerLength < 20 || packet.length < headerLength + 20) return
  packet.fill(0, 10, 12)
  packet.set(two(internetChecksum(packet.subarray(0, headerLength))), 10)
  const segment = packet.subarray(headerLength)
  segment.fill(0, 16, 18)
  const pseudo = bytes(packet.subarray(12, 20), 0, packet[9], two(segment.length))
  segment.set(two(internetChecksum(pseudo, segment)), 16)
}

function two(value: number): number[] {
  return [(value >>> 8) & 255, value & 255]
}

function byUser({ bench, victim, choices }: Scene): void {
  const { connection } = victim
  if (connection === null) return
  const { now } = bench
  switch (choices.below(6)) {
    case 0:
      bench.write(connection, 1 + choices.below(5000))
      break
    case 1:
      connection.finish(now)
      break
    case 2:
      connection.abandon(now)
      break
    case 3:
      if (choices.below(8) === 0) connection.abort(now)
      break
    case 4:
      connection.setBuffers(1000 + choices.below(60_000), 1000 + choices.below(60_000))
      break
    default:
      bench.wait(1)
  }
}

/** A packet of somebody else: a datagram, a ping, a fragment, an error about what the stack may have sent. */
function other({ victim, choices }: Scene): Bytes {
  const data = Uint8Array.from({ length: choices.below(100) }, () => choices.octet())
  const quoted = victim.peer.packet('.', {}).slice(0, 20 + choices.below(20))
  // From the peer to the stack becomes from the stack to the peer.
  const source = quoted.slice(12, 16)
  quoted.set(quoted.slice(16, 20), 12)
  quoted.set(source, 16)
  switch (choices.below(5)) {
    case 0:
      return udpPacket(data, { destinationPort: choices.below(3) })
    case 1:
      return icmpPacket(choices.pick([8, 0, 13, choices.octet()]), choices.below(4), choices.octet(), data)
    case 2:
      return icmpPacket(choices.pick([3, 4, 5, 11, 12]), choices.below(16), choices.below(2000), quoted)
    case 3:
      return ipv4Packet(data, {
        protocol: choices.pick([1, 6, 17]),
        identification: 1,
        fragment: choices.below(65_536),
      })
    default:
      return ipv4Packet(data, { protocol: choices.octet(), options: [...data.subarray(0, 4 * choices.below(8))] })
  }
}

function mustHold({ bench, tcp }: TcpBench): void {
  const { fragments } = bench.stack
  if (fragments.octets > 4 << 20) throw new Error(`${fragments.octets} octets of fragments`)
  if (tcp.requestCount > 600) throw new Error(`${tcp.requestCount} requests`)
  const deadline = bench.stack.deadline()
  if (Number.isNaN(deadline)) throw new Error('a deadline that is no number')
}

/** When all is over, nothing is left. */
function finish({ bench, victim }: Scene): void {
  victim.connection?.abort(bench.now)
  for (let one = bench.listener?.accepted.shift(); one; one = bench.listener?.accepted.shift()) one.abort(bench.now)
  bench.flush()
  bench.forget()
  bench.wait(400_000)
  const { shared, connectionCount, timeWaitCount, requestCount } = bench.tcp
  const left = [
    connectionCount,
    timeWaitCount,
    requestCount,
    shared.flights.used,
    shared.slabs.held,
    shared.timers.count,
  ]
  if (left.some((count) => count !== 0))
    throw new Error(`connections, TIME-WAIT, requests, records, slabs, timers are left: ${left}`)
}

/** State, kind of step, and each counter that it moved, as one number each. */
class Features {
  readonly #bench: TcpBench
  readonly #reach: (feature: number) => void
  #before: Float64Array

  constructor(bench: TcpBench, reach: (feature: number) => void) {
    this.#bench = bench
    this.#reach = reach
    this.#before = this.#counters()
  }

  #counters(): Float64Array {
    const { values, drops } = this.#bench.bench.stack.observer.counters
    const all = new Float64Array(values.length + drops.length)
    all.set(values)
    all.set(drops, values.length)
    return all
  }

  note(connection: Connection | null, kind: number): void {
    const counters = this.#counters()
    const state = connection === null ? 0 : connection.state * 8 + connection.phase
    let all = 0
    for (let row = 0; row < counters.length; row++) {
      if (counters[row] === this.#before[row]) continue
      this.#reach((state << 12) | (kind << 8) | row)
      all = Math.imul(all ^ (row + 1), 0x01000193)
    }
    // All that moved together is one more.
    this.#reach((1 << 30) | ((all >>> 4) & 0xffffff) | (state << 24))
    this.#before = counters
  }
}
