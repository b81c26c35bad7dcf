// A connection from its SYN to TIME-WAIT, on both sides: opened by one stack, accepted by the other, closed by both.
import { PORT, TwoStacks } from '../support/two-stacks.ts'
import type { Suite } from './suite.ts'

/** The records of TIME-WAIT go at once, so that a port is free again when its turn comes. */
const TIME_WAIT = 1

function opened(octets: number): () => void {
  const pair = new TwoStacks({ tcp: { timeWait: TIME_WAIT } })
  const listener = pair.listen(PORT)
  const text = new Uint8Array(octets)
  return () => {
    const [client, server] = pair.open(listener)
    if (octets > 0) {
      client.send(text, 0, octets, pair.now)
      pair.settle()
      server.consume(server.readable, pair.now)
    }
    client.finish(pair.now)
    pair.settle()
    server.finish(pair.now)
    pair.settle()
    client.abandon(pair.now)
    server.abandon(pair.now)
    pair.pass(2 * TIME_WAIT)
  }
}

export const handshake: Suite = {
  'a connection opened and closed, both ends': () => opened(0),
  'the same with 100 octets in between': () => opened(100),
}
