// When virtual time moves, what it waits for, and what is said where it can't move. What crashes and what is paused is heard of no more,
// or later.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { scrypt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { gzip } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { findAddon } from '../../../src/node/addon.ts'
import { type Network, type SimulateOptions, simulate } from '../../../src/node/simulate.ts'
import { root } from '../../support/source-tree.ts'

const networks: Network[] = []

afterEach(() => {
  for (const network of networks.splice(0)) network.close()
})

function pair(options: SimulateOptions = {}) {
  const network = simulate(options)
  networks.push(network)
  const [client, server] = [network.host('client'), network.host('server')]
  const wire = network.link(client, server, { delay: 10 })
  return { network, client, server, wire }
}

describe('virtual time', () => {
  test('stands while zlib, crypto, a child or a worker has something to do', async () => {
    const { network, client } = pair()
    await network.run(() =>
      client.run(async () => {
        setInterval(() => {}, 1000)
        await promisify(gzip)(Buffer.alloc(500_000))
        await promisify(scrypt)('password', 'salt', 32)
        expect(network.now()).toBe(0)
        await network.hold(once(spawn('true'), 'exit'))
        await network.hold(once(new Worker('', { eval: true }), 'exit'))
        expect(network.now()).toBe(0)
      }),
    )
  })

  test('stands while a program is loaded, which then begins on its host', async () => {
    const { network, client, server } = pair()
    const text = await network.run(async () => {
      const { begun } = await server.run(() => import('./late-program.ts'))
      expect(begun).toBe(Date.parse('2025-01-01'))
      return client.run(async () => (await fetch('http://server')).text())
    })
    expect(text).toBe(`since ${Date.parse('2025-01-01')}`)
    expect(network.now()).toBe(1040)
  })

  test('is the same for the test itself, whose sockets are the kernel’s', async () => {
    const { network } = pair()
    const kernel = net.createServer((socket) => socket.end('real')).listen(0, '127.0.0.1')
    await once(kernel, 'listening')
    const heard = await network.run(async () => {
      await sleep(5000)
      const [octets] = await once(net.connect((kernel.address() as net.AddressInfo).port, '127.0.0.1'), 'data')
      return `${Date.now() - Date.parse('2025-01-01')} ${octets}`
    })
    kernel.close()
    expect(heard).toBe('5000 real')
  })
})

test('a timer that was cleared stands in no list, though somebody sets it anew, as a socket does at each octet', async () => {
  const { network, client } = pair()
  await network.run(() =>
    client.run(async () => {
      const rings: string[] = []
      const cleared = setTimeout(() => rings.push('cleared'), 5000)
      const rung = setTimeout(() => rings.push('rung'), 10)
      clearTimeout(cleared)
      await sleep(20)
      for (const timer of [cleared, rung]) timer.refresh()
      // By which Node would hold the whole network until five real seconds have passed.
      expect(cleared).toMatchObject({ _idleNext: null, _idleTimeout: -1 })
      await sleep(10_000)
      expect(rings).toEqual(['rung', 'rung'])
    }),
  )
})

describe('time that can not move says what it waits for', () => {
  const never = new Promise<void>(() => {})

  test('a promise that nothing will fulfil', async () => {
    const { network, server } = pair()
    const running = network.run(async () => {
      // Its timers go round for ever, and hold nobody.
      server.run(() => createServer().listen(80))
      await never
    })
    await expect(running).rejects.toThrow('nothing more will happen in the network, and what it runs is not done')
  })

  test('a promise that nobody fulfils, while timers go round for ever', async () => {
    const { network, client } = pair()
    const running = network.run(async () => {
      client.run(() => setInterval(() => {}, 30_000))
      setInterval(() => {}, 40_000)
      await never
    })
    await expect(running).rejects.toThrow(
      `48 hours of virtual time passed in network.run, and what it runs is not done: it awaits what nothing brings about, while timers go round; if it needs longer, say so with simulate({ limit: milliseconds })
This goes on:
  the test: a timer due at 172840.0 s
  client: a timer due at 172830.0 s

This was seed 1, at 172800.0 s of virtual time.`,
    )
    const { network: hasty } = pair({ limit: 5000 })
    const endless = hasty.run(() => {
      setInterval(() => {}, 1000)
      return never
    })
    await expect(endless).rejects.toThrow(/^5\.0 s of virtual time passed/)
  })

  test('not two days that the test asks for, nor two more', async () => {
    const { network } = pair({ limit: Number.POSITIVE_INFINITY })
    await network.run(() => sleep(2 * 86_400_000 + 1))
    expect(network.now()).toBe(2 * 86_400_000 + 1)
    const { network: usual } = pair()
    await usual.run(() => sleep(2 * 86_400_000))
    // Each run has two days of its own, and one up to a given time has no limit.
    await usual.run(() => sleep(2 * 86_400_000))
    await usual.run(9 * 86_400_000)
    expect(usual.now()).toBe(9 * 86_400_000)
    await expect(usual.run(() => sleep(2 * 86_400_000 + 1))).rejects.toThrow('48 hours of virtual time passed')
    expect(() => simulate({ limit: 0 })).toThrow('limit must be a number of virtual milliseconds above 0, not 0')
  })

  test('a promise that was given to hold', async () => {
    const { network } = pair({ patience: 20 })
    const running = network.run(() => network.hold(never))
    await expect(running).rejects.toThrow(
      'for 0.02 real seconds: it waits for a promise that was given to network.hold',
    )
  })

  const answered = () =>
    new Promise((resolve) => scrypt('password', 'salt', 32, { N: 65_536, maxmem: 2 ** 30 }, resolve))

  test('a request to libuv', async () => {
    const { network } = pair({ patience: 20 })
    let request: Promise<unknown> | undefined
    const running = network.run(() => (request = answered()))
    await expect(running).rejects.toThrow('it waits for a request to libuv that is not answered')
    await request
  })

  test.skipIf(findAddon() === null)('one that was begun before, which the addon alone sees', async () => {
    const { network } = pair({ patience: 20 })
    const request = answered()
    await expect(network.run(() => request)).rejects.toThrow('it waits for a request to libuv that is not answered')
    await request
  })

  test('a child, though there is something else in between', async () => {
    const { network } = pair({ patience: 50 })
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const sending = setInterval(() => socket.send('x', socket.address().port, '127.0.0.1'), 10)
    const children: ChildProcess[] = []
    const running = network.run(() => {
      children.push(spawn('sleep', ['1'], { stdio: 'ignore' }))
      return once(children[0], 'exit')
    })
    await expect(running).rejects.toThrow('virtual time has not been able to move for 0.05 real seconds')
    clearInterval(sending)
    socket.close()
    children[0].kill()
    await once(children[0], 'exit')
    // Node lets go of what it had of it an iteration later: the next test counts children.
    await sleep(1)
  })

  test('a child', async () => {
    const { network } = pair({ patience: 20 })
    const child = spawn('sleep', ['10'])
    const running = network.run(() => once(spawn('sleep', ['0.2']), 'exit'))
    await expect(running).rejects.toThrow('it waits for what is not simulated: a child process')
    child.kill()
  })

  test('not a pipe that the program writes to', async () => {
    const program = `import { simulate } from './dist/node/simulate.js'
      const network = simulate()
      await network.run(() => {
        console.log('heard')
        return new Promise(() => {})
      }).catch(({ message }) => console.log(message))`
    const args = ['--input-type=module', '--eval', program]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
    expect(stdout).toMatch(/^heard\nnothing more will happen/)
  })

  test('immediates that never end', async () => {
    const { network } = pair({ patience: 20 })
    let isDone = false
    const running = network.run(() => {
      const again = () => void (isDone || setImmediate(again))
      again()
      return never
    })
    await expect(running).rejects.toThrow('it waits for an immediate that is set again and again')
    isDone = true
  })
})

describe('a host', () => {
  test('whose program throws in a tick ends the run with that, and Node goes on', async () => {
    const { network, client } = pair()
    const heard: unknown[] = []
    const hear = (error: unknown) => void heard.push(error)
    const { emit } = process
    process.on('uncaughtExceptionMonitor', hear)
    const running = network.run(async () => {
      client.run(() => {
        setTimeout(() => {
          process.nextTick(() => {
            throw new Error('thrown in a tick')
          })
        }, 10)
      })
      await sleep(1000)
    })
    await expect(running).rejects.toThrow('thrown in a tick')
    // Node looks at its stack of contexts when an immediate is done, and would abort.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('uncaughtExceptionMonitor', hear)
    expect(heard).toEqual([])
    expect(process.emit).toBe(emit)
  })

  test('whose program listens for what it has not caught goes on, as in Node', async () => {
    const { network, client, server } = pair()
    const log: string[] = []
    const listener = (error: Error) => void log.push(error.message)
    await network.run(async () => {
      process.on('uncaughtException', listener)
      server.run(() =>
        createServer((_request, response) => {
          response.end('answer')
          throw new Error('in a handler')
        }).listen(80),
      )
      await client.run(async () => {
        setTimeout(() => {
          process.nextTick(() => log.push('the next tick'))
          throw new Error('in a timer')
        }, 10)
        log.push(await (await fetch('http://server')).text())
        process.nextTick(() => {
          throw new Error('in a tick')
        })
        await sleep(1)
      })
    })
    process.off('uncaughtException', listener)
    expect(log).toEqual(['in a timer', 'the next tick', 'in a handler', 'answer', 'in a tick'])
  })

  test('that crashes is heard of no more, and begins anew when it is up again', async () => {
    const { network, client, server } = pair()
    const log: string[] = []
    await network.run(async () => {
      let starts = 0
      server.start(() => {
        const start = ++starts
        setInterval(() => log.push(`${network.now()} tick of ${start}`), 1000)
        net.createServer((socket) => socket.resume().on('close', () => log.push('close'))).listen(80)
      })
      await client.run(async () => {
        const socket = net.connect(80, 'server')
        await once(socket, 'connect')
        setTimeout(() => server.crash(), 1500)
        setTimeout(() => server.restart(), 10_000)
        await sleep(2000)
        socket.write('does anybody hear this?')
        const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.on('error', resolve))
        log.push(`${Math.trunc(network.now() / 1000)} ${error.code}`)
      })
    })
    expect(log.slice(0, 3)).toEqual(['1000 tick of 1', '11020 tick of 2', '12020 tick of 2'])
    expect(log.filter((line) => !line.includes('tick'))).toEqual(['16 ECONNRESET'])
  })

  test('draws the same numbers from a seed, and others from another', async () => {
    const draw = async (seed: number) => {
      const { network, client, server } = pair({ seed })
      return network.run(() => [client.run(Math.random), client.run(Math.random), server.run(Math.random)])
    }
    const [one, same, other] = [await draw(1), await draw(1), await draw(2)]
    expect(one).toEqual(same)
    expect(new Set([...one, ...other]).size).toBe(6)
  })

  test('that is paused does all later', async () => {
    const { network, client, server } = pair()
    const log: string[] = []
    await network.run(async () => {
      const listening = net.createServer((socket) => socket.on('data', () => log.push(`${network.now()} data`)))
      server.run(() => listening.listen(80))
      await client.run(async () => {
        const socket = net.connect(80, 'server')
        await once(socket, 'connect')
        await sleep(100)
        server.run(() => setTimeout(() => log.push(`${network.now()} timer`), 50))
        server.pause(1000)
        socket.write('x')
        await sleep(2000)
      })
    })
    expect(log).toEqual(['1120 timer', '1120 data'])
  })

  test('reaches nothing of the kernel’s', async () => {
    const { network, client } = pair()
    const insides = process as unknown as { binding(name: string): { TCP: new (type: number) => object } }
    const { TCP } = insides.binding('tcp_wrap')
    const warnings: string[] = []
    const onWarning = (warning: Error) => warnings.push(warning.message)
    process.on('warning', onWarning)
    const error = await network.run(() =>
      client.run(async () => {
        // A handle of the kernel's, which somebody brings along.
        const socket = new net.Socket({ handle: new TCP(0), manualStart: true } as object)
        const failure = new Promise<NodeJS.ErrnoException>((resolve) => socket.on('error', resolve))
        socket.connect(9, '127.0.0.1')
        return failure
      }),
    )
    process.off('warning', onWarning)
    expect(error.code).toBe('ENETUNREACH')
    expect(warnings.join()).toContain("it would have reached the kernel's network, and got ENETUNREACH")
  })
})
