// Whole stacks over one path in virtual time, where the sender's process shares its processor: its timers come in whole milliseconds, and
// now and then it stands still for some, packets and all. What arrives is read at once.
import type { Environment, Link } from '../../src/core/environment.ts'
import type { TcpSettings } from '../../src/core/tcp/settings.ts'
import type { Impairment } from '../../src/link/impairment.ts'
import { wire } from '../../src/link/wire.ts'
import { createStack } from '../../src/runtime/create-stack.ts'
import { VirtualClock } from '../../src/simulate/clock.ts'
import { seeded } from './seeded.ts'

export interface BusyPathOptions {
  /** Both ways. */
  impairment: Impairment
  tcp: Partial<TcpSettings>
  /** Milliseconds between stalls, on average, and how long one is. */
  stalls?: { every: number; last: number }
  seed?: number
}

const CHUNK = new Uint8Array(65_536)

/** Sends for so long; says how many Mbit/s arrived, what the sender has counted, and what the receiver has dropped. */
export function sendOver(
  options: BusyPathOptions,
  milliseconds: number,
): { rate: number; counts: Record<string, number>; drops: Record<string, number> } {
  const clock = new VirtualClock()
  const seed = options.seed ?? 1
  const process = new Process(clock, seed, options.stalls)
  const path = wire({ time: clock, random: { forward: seeded(`${seed} there`), backward: seeded(`${seed} back`) } })
  for (const way of [path.forward, path.backward]) way.change(options.impairment)
  const alarm = (callback: () => void) => clock.alarm(callback)
  const sender = createStack({ environment: process.environment, tcp: options.tcp })
  const receiver = createStack({ environment: { clock, random: seeded(`${seed} receiver`), alarm } })
  sender.addInterface({ link: process.share(path.ends[0]), addresses: ['10.0.0.1/24'] })
  receiver.addInterface({ link: path.ends[1], addresses: ['10.0.0.2/24'] })
  let received = 0
  receiver.listen({ port: 9 }).onConnection = (endpoint) => {
    endpoint.onReadable = () =>
      endpoint.look((_octets, _start, length) => {
        received += length
        return length
      })
  }
  const endpoint = sender.connect({ address: '10.0.0.2', port: 9 })
  const fill = () => {
    while (endpoint.send(CHUNK) === CHUNK.length);
  }
  endpoint.onOpen = fill
  endpoint.onWritable = fill
  clock.advance(milliseconds)
  const { counts } = sender.counters()
  const { drops } = receiver.counters()
  for (const stack of [sender, receiver]) stack.close()
  return { rate: (received * 8) / milliseconds / 1000, counts, drops }
}

/** A process that is not always on. */
class Process {
  readonly environment: Environment
  readonly #clock: VirtualClock
  readonly #random
  #stoppedUntil = 0

  constructor(clock: VirtualClock, seed: number, stalls?: { every: number; last: number }) {
    this.#clock = clock
    this.#random = seeded(`${seed} process`)
    this.environment = {
      clock,
      random: seeded(`${seed} sender`),
      alarm: (callback) => {
        const alarm = clock.alarm(() => {
          if (clock.now() < this.#stoppedUntil) alarm.arm(this.#stoppedUntil)
          else callback()
        })
        return {
          arm: (at) => {
            const now = clock.now()
            alarm.arm(at <= now || at === Number.POSITIVE_INFINITY ? Math.max(at, now) : now + Math.ceil(at - now))
          },
        }
      },
    }
    if (stalls !== undefined) this.#stall(stalls)
  }

  #stall(stalls: { every: number; last: number }): void {
    this.#clock.after(-Math.log(1 - this.#random.fraction()) * stalls.every, () => {
      this.#stoppedUntil = this.#clock.now() + stalls.last * (0.5 + this.#random.fraction())
      this.#stall(stalls)
    })
  }

  /** The link's wakes wait until the process runs. */
  share(link: Link): Link {
    return {
      medium: link.medium,
      mtu: link.mtu,
      headroom: link.headroom,
      offload: link.offload,
      open: (wake, time) => {
        const { alarm } = this.environment
        const late = alarm(wake)
        link.open(() => late.arm(Number.NEGATIVE_INFINITY), time)
      },
      close: () => link.close(),
      receive: (batch) => link.receive(batch),
      transmit: (batch) => link.transmit(batch),
    }
  }
}
