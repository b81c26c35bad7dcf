// TCP's events by way of `node:diagnostics_channel`: `tunstack:tcp:state` and so on, one channel for each type, for all stacks of the process.
// A stack is watched only while one of them has a subscriber; whether one has is looked at before each turn.
import { channel } from 'node:diagnostics_channel'
import type { TcpEvent } from '../runtime/events.ts'

/** What a subscriber gets: the event, and which stack it is of. */
export type PublishedEvent<Stack> = TcpEvent & { readonly stack: Stack }

const TYPES: readonly TcpEvent['type'][] = [
  'state',
  'sent',
  'received',
  'retransmission',
  'rtt',
  'congestion',
  'recovery',
  'window',
  'drop',
  'lost',
]

const CHANNELS = TYPES.map((type) => channel(`tunstack:tcp:${type}`))
const CHANNEL_OF = new Map(TYPES.map((type, at) => [type, CHANNELS[at]]))

interface Watchable {
  watch(listener: (event: TcpEvent) => void): () => void
}

export class EventChannels {
  #stop: (() => void) | null = null

  /** Begins or ends to watch the stack, as there are subscribers or not. */
  attend(stack: Watchable): void {
    const hasSubscribers = isAnySubscribed()
    if (hasSubscribers === (this.#stop !== null)) return
    if (hasSubscribers) this.#stop = stack.watch((event) => publish(stack, event))
    else {
      this.#stop?.()
      this.#stop = null
    }
  }
}

function isAnySubscribed(): boolean {
  for (let at = 0; at < CHANNELS.length; at++) if (CHANNELS[at].hasSubscribers) return true
  return false
}

function publish(stack: Watchable, event: TcpEvent): void {
  const to = CHANNEL_OF.get(event.type)
  if (to?.hasSubscribers) to.publish({ ...event, stack })
}
