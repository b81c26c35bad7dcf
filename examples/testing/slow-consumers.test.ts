// A consumer that stands still: what a producer writes without looking piles up in the producer's memory.
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'

const EVENT = Buffer.alloc(10_000, 'x')

/** Writes an event every 10 ms, whether anybody takes them or not. */
async function careless(socket: net.Socket): Promise<void> {
  for (;;) {
    socket.write(EVENT)
    await sleep(10)
  }
}

/** Waits while the socket is full, and leaves out what would come too late. */
async function careful(socket: net.Socket): Promise<void> {
  for (;;) {
    if (!socket.write(EVENT)) await once(socket, 'drain')
    await sleep(10)
  }
}

/** The most octets that wait in the producer while its consumer stands still for a minute. */
async function mostWaiting(produce: (socket: net.Socket) => Promise<void>): Promise<number> {
  const network = simulate({ seed: 1 })
  const [producer, consumer] = [network.host('producer'), network.host('consumer')]
  network.link(producer, consumer, { delay: 10 })
  return network.run(async () => {
    let most = 0
    producer.start(() =>
      net
        .createServer((socket) => {
          socket.on('error', () => {})
          setInterval(() => {
            most = Math.max(most, socket.writableLength)
          }, 1000)
          void produce(socket)
        })
        .listen(9000),
    )
    consumer.run(() => net.connect(9000, 'producer').resume())
    await sleep(5000)
    consumer.pause(60_000)
    await sleep(55_000)
    return most
  })
}

test('without a look at what write() returns, megabytes wait', async () => {
  expect(await mostWaiting(careless)).toBeGreaterThan(10_000_000)
})

test('with it, no more than one event does', async () => {
  expect(await mostWaiting(careful)).toBeLessThan(100_000)
})
