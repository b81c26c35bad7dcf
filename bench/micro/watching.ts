// What it costs to be watched, and not to be: 16 MB from one stack to another over the memory link, as in `transfer`, with nobody
// watching either of them, with everybody's events of the sender made, and with those of one connection kept for a reader.
// The last case is what a stack in Node does before each turn while no channel has a subscriber.
import { EventChannels } from '../../src/node/event-channels.ts'
import type { TcpEvent } from '../../src/runtime/events.ts'
import { Transfer } from '../support/transfer.ts'
import type { Measured, Suite } from './suite.ts'

const OCTETS = 16 << 20

function transferred(prepare: (transfer: Transfer) => void): Measured {
  let segments = 0
  return {
    prepare() {
      const transfer = new Transfer()
      prepare(transfer)
      return () => {
        const before = transfer.segments
        transfer.run(OCTETS)
        segments = transfer.segments - before
      }
    },
    handles: () => ({ octets: OCTETS, segments }),
  }
}

let told = 0

function count(_event: TcpEvent): void {
  told++
}

export const watching: Suite = {
  'nobody watches': transferred(() => {}),
  'somebody watched once, and has gone': transferred((transfer) => transfer.sender.watch(count)()),
  'every event of the sender': transferred((transfer) => transfer.sender.watch(count)),
  'the events of one connection, of which nobody reads any': transferred((transfer) => transfer.from.events()),
  'no channel has a subscriber: asked before each turn': () => {
    const channels = new EventChannels()
    const stack = { watch: () => () => told++ }
    return () => channels.attend(stack)
  },
}
