// Outside of hosts a running simulation changes nothing, and when it is over nothing has been changed.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import http, { createServer } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { describe, expect, test } from 'vitest'
import { simulate } from '../../../src/node/simulate.ts'

/** Every function and accessor of Node's that code could reach. */
function functions(): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const binding = (name: string) => (process as unknown as { binding(name: string): object }).binding(name)
  const timeout = setTimeout(() => {}, 0)
  clearTimeout(timeout)
  const dispatcher = Symbol.for('undici.globalDispatcher.1')
  const holders: Record<string, object> = {
    ...{ globalThis, process, Math, net, tls, http, dns, dgram, Date, hrtime: process.hrtime, promises: dns.promises },
    ...{ performance, performancePrototype: Object.getPrototypeOf(performance), date: Date.prototype },
    ...{ socket: net.Socket.prototype, server: net.Server.prototype, tlsSocket: tls.TLSSocket.prototype },
    ...{
      agent: http.Agent.prototype,
      message: http.OutgoingMessage.prototype,
      timeout: Object.getPrototypeOf(timeout),
    },
    cares: binding('cares_wrap'),
  }
  for (const [name, kind] of [
    ['tcp_wrap', 'TCP'],
    ['udp_wrap', 'UDP'],
    ['cares_wrap', 'ChannelWrap'],
  ]) {
    holders[kind] = (binding(name) as Record<string, { prototype: object }>)[kind].prototype
  }
  for (const [name, holder] of Object.entries(holders)) {
    for (const key of Reflect.ownKeys(holder)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor
      if (typeof value === 'function' || get !== undefined || key === dispatcher) {
        found.set(`${name}.${String(key)}`, value ?? get ?? set)
      }
    }
  }
  return found
}

describe('outside of hosts', () => {
  test('the kernel answers and the date moves while virtual time does not, and in the end every function is the original', async () => {
    const server = createServer((_request, response) => response.end('real'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    // Loads what Node loads when it is first asked for.
    await (await fetch(`http://127.0.0.1:${port}`)).text()
    void globalThis.Request
    syncBuiltinESMExports()
    const before = functions()
    const network = simulate()
    const [one, other] = [network.host('one'), network.host('other')]
    network.link(one, other)
    let open: () => void = () => {}
    const door = new Promise<void>((resolve) => {
      open = resolve
    })
    const running = network.run(async () => {
      other.run(() => createServer((_request, response) => response.end('simulated')).listen(80))
      await one.run(async () => {
        const answer = await fetch('http://other')
        expect(await answer.text()).toBe('simulated')
      })
      // Held by what is outside.
      await network.hold(door)
      return [Date.now(), Date.parse(new Date().toISOString()), performance.now()]
    })
    await sleep(20)
    const [date, now] = [Date.now(), performance.now()]
    expect(date).toBeGreaterThan(Date.parse('2026-01-01'))
    const answer = await fetch(`http://127.0.0.1:${port}`)
    expect(await answer.text()).toBe('real')
    expect(Math.abs(Date.parse(answer.headers.get('date') as string) - date)).toBeLessThan(5000)
    await sleep(20)
    expect(Date.now() - date).toBeGreaterThan(10)
    expect(performance.now() - now).toBeGreaterThan(10)
    expect(new Date()).toBeInstanceOf(Date)
    open()
    const [virtual, same] = await running
    expect(virtual).toBe(Date.parse('2025-01-01'))
    expect(same).toBe(virtual)
    network.close()
    const after = functions()
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
    expect([...before].filter(([name, value]) => after.get(name) !== value).map(([name]) => name)).toEqual([])
    // Pools and caches that outlive the run work in real time again.
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('real')
    const slow = createServer(() => {}).listen(0, '127.0.0.1')
    await once(slow, 'listening')
    const late = fetch(`http://127.0.0.1:${(slow.address() as AddressInfo).port}`, { signal: AbortSignal.timeout(30) })
    await expect(late).rejects.toThrow('aborted due to timeout')
    for (const one of [server, slow]) {
      one.closeAllConnections()
      one.close()
    }
  })

  test('another network can only run after this one', async () => {
    const [one, other] = [simulate(), simulate()]
    const awhile = sleep(20)
    const running = one.run(() => one.hold(awhile))
    await sleep(1)
    await expect(other.run(async () => {})).rejects.toThrow('another network is running in this process')
    await running
    await other.run(async () => {})
  })
})
