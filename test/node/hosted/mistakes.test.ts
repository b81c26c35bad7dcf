// What somebody who is new to it does wrong, and what is said then.
import dns from 'node:dns'
import net from 'node:net'
import { mock } from 'node:test'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { simulate } from '../../../src/node/simulate.ts'
import { describeHappening } from '../../../src/simulate/timeline.ts'

function pair() {
  const network = simulate({ seed: 7 })
  const [client, server] = [network.host('client'), network.host('server')]
  return { network, client, server, told: () => network.timeline().map(describeHappening) }
}

/** The code with which connecting fails. */
function fail(port: number, address: string): Promise<unknown> {
  return new Promise((resolve) => {
    net.connect(port, address).once('error', ({ code }: NodeJS.ErrnoException) => resolve(code))
  })
}

describe('what is said', () => {
  test('of an address that no link leads to', async () => {
    const { network, client, server, told } = pair()
    await network.run(() =>
      client.run(async () => {
        expect(await fail(80, server.address)).toBe('ENETUNREACH')
        expect(await fail(80, '192.0.2.1')).toBe('ENETUNREACH')
      }),
    )
    expect(told()).toEqual([
      '0.0 s: client: nothing leads to server (10.0.0.2): hosts are joined with network.link',
      "0.0 s: client: 192.0.2.1 is no host's address in this network: nothing leads there",
    ])
  })

  test('of a name that is looked up outside of every host', async () => {
    const { network, told } = pair()
    // One that the system knows too, so that it need not be asked for one that it doesn't.
    network.names.set('localhost', 'server')
    await network.run(() => new Promise((resolve) => dns.lookup('localhost', resolve)))
    expect(told().at(-1)).toBe(
      "0.0 s: 'localhost' is a name of this network, but was looked up outside of every host: ask inside of host.run(…)",
    )
  })

  test('of a program that begins before the network runs', async () => {
    const { network, client } = pair()
    const text = 'was called outside of network.run(…)'
    expect(() => client.run(() => 1)).toThrow(`client.run(…) ${text}`)
    expect(() => client.start(() => 1)).toThrow(`client.start(…) ${text}`)
    // It takes the host that it is given, and nothing of Node's.
    expect(client.start(({ name }) => name)).toBe('client')
    expect(await network.run(() => client.start(() => 1))).toBe(1)
    expect(() => client.run(() => 1)).toThrow(text)
  })

  test('of timers that node:test has made fake', async () => {
    const { network } = pair()
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      await expect(network.run(() => new Promise((resolve) => setTimeout(resolve, 10)))).rejects.toThrow('fake timers')
    } finally {
      mock.timers.reset()
    }
    expect(await network.run(() => 1)).toBe(1)
  })

  test('of fake timers', async () => {
    const { network } = pair()
    vi.useFakeTimers()
    try {
      const sleeping = network.run(() => new Promise((resolve) => setTimeout(resolve, 10)))
      await expect(sleeping).rejects.toThrow('fake timers are installed, and nothing moves them')
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a run that was not done when its test was over', () => {
  const { __vitest_worker__: worker } = globalThis as unknown as { __vitest_worker__: { current: object } }
  const { current } = worker
  const warnings: string[] = []
  const warned = ({ message }: Error) => void warnings.push(message)
  afterEach(() => {
    worker.current = current
    process.off('warning', warned)
  })

  test.each(['virtual', 'real'] as const)('makes way for that of the next, in %s time', async (time) => {
    const [endless, next] = [simulate({ seed: 1, time }), simulate({ seed: 2 })]
    process.on('warning', warned)
    const task = { result: { state: 'run' } }
    worker.current = task
    const late = endless.run(() => new Promise(() => void setInterval(() => {}, 1000)))
    const ended = expect(late).rejects.toThrow('this run was not done when its test was over')
    await new Promise((resolve) => setImmediate(resolve))
    await expect(next.run(() => 1)).rejects.toThrow(
      /another network .* \(seed 1, begun at .*mistakes\.test\.ts:\d+:\d+, /,
    )
    task.result.state = 'fail'
    worker.current = { result: { state: 'run' } }
    expect(await next.run(() => 2)).toBe(2)
    await ended
    expect(warnings.splice(0)).toEqual([
      expect.stringMatching(/has been ended \(seed 1, begun at .*mistakes\.test\.ts:/),
    ])
    expect(await next.run(() => 3)).toBe(3)
  })
})
