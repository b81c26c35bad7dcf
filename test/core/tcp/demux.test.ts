// Whose segment it is: connections by their 4-tuple, listeners by what fits best; and a hash that strangers can't foresee.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Address, parseAddress } from '../../../src/core/ip/address.ts'
import {
  ANY_INTERFACE,
  ANY_PORT,
  type Connected,
  Demux,
  Listeners,
  type Listening,
} from '../../../src/core/tcp/demux.ts'
import { TupleHash } from '../../../src/core/tcp/tuple-hash.ts'
import { seeded } from '../../support/seeded.ts'

const at = (text: string) => parseAddress(text) as Address
const hash = new TupleHash(seeded(1))

function tuple(local: string, localPort: number, remote: string, remotePort: number): Connected {
  return { localAddress: at(local), localPort, remoteAddress: at(remote), remotePort }
}

describe('connections', () => {
  it('are found by all four parts of the tuple, and by nothing less', () => {
    const demux = new Demux<Connected>(hash)
    const parts = ['10.0.0.1', 80, '10.0.0.2', 1024] as const
    const connection = tuple(...parts)
    demux.add(connection)
    const find = (local: string, localPort: number, remote: string, remotePort: number) =>
      demux.find(at(local), localPort, at(remote), remotePort)
    expect(find(...parts)).toBe(connection)
    expect(find('10.0.0.3', 80, '10.0.0.2', 1024)).toBeNull()
    expect(find('10.0.0.1', 81, '10.0.0.2', 1024)).toBeNull()
    expect(find('10.0.0.1', 80, '10.0.0.3', 1024)).toBeNull()
    expect(find('10.0.0.1', 80, '10.0.0.2', 1025)).toBeNull()
    expect(find('::a00:1', 80, '::a00:2', 1024)).toBeNull()
    expect(demux.remove(connection)).toBe(true)
    expect(demux.remove(connection)).toBe(false)
    expect(find(...parts)).toBeNull()
  })

  it('take the places of those that have gone, and the last one takes all the room with it', () => {
    const demux = new Demux<Connected>(hash)
    const first = demux.rows
    const members = Array.from({ length: 3 * first }, (_, port) => tuple('10.0.0.1', 80, '10.0.0.2', port + 1))
    for (const member of members) demux.add(member)
    const { rows } = demux
    expect(rows).toBe(4 * first)
    for (let round = 0; round < 10; round++) {
      for (const member of members.slice(1)) expect(demux.remove(member)).toBe(true)
      for (const member of members.slice(1)) demux.add(member)
    }
    expect([demux.count, demux.rows]).toEqual([members.length, rows])
    for (const member of members) demux.remove(member)
    expect([demux.count, demux.rows]).toEqual([0, first])
  })

  it('come and go in any order', () => {
    const part = fc.record({ remote: fc.nat(5), port: fc.nat(5), six: fc.boolean(), add: fc.boolean() })
    fc.assert(
      fc.property(fc.array(part, { maxLength: 100 }), (commands) => {
        const demux = new Demux<Connected>(hash)
        const model = new Map<string, Connected>()
        for (const { remote, port, six, add } of commands) {
          const parts: [string, number, string, number] = six
            ? ['fd00::1', 80, `fd00::${remote}:1`, port]
            : ['10.0.0.1', 80, `10.0.${remote}.1`, port]
          const key = parts.join()
          const known = model.get(key) ?? null
          expect(demux.find(at(parts[0]), parts[1], at(parts[2]), parts[3])).toBe(known)
          if (add && known === null) {
            model.set(key, tuple(...parts))
            demux.add(model.get(key) as Connected)
          } else if (!add && known !== null) {
            model.delete(key)
            demux.remove(known)
          }
          expect(demux.count).toBe(model.size)
        }
        const seen: Connected[] = []
        demux.forEach((connection) => {
          seen.push(connection)
        })
        expect(new Set(seen)).toEqual(new Set(model.values()))
      }),
    )
  })

  it('may be removed one after another while they are gone through', () => {
    const demux = new Demux<Connected>(hash)
    for (let port = 1; port <= 100; port++) demux.add(tuple('10.0.0.1', 80, '10.0.0.2', port))
    demux.forEach((connection) => {
      demux.remove(connection)
    })
    expect(demux.count).toBe(0)
  })
})

interface Listener extends Listening {
  name: string
}

function listener(address: string, port: number, options: Partial<Listener> = {}): Listener {
  return {
    localAddress: at(address),
    localPort: port,
    interface: ANY_INTERFACE,
    ipv6Only: false,
    reusePort: false,
    name: `${address}:${port}`,
    ...options,
  }
}

describe('listeners', () => {
  const find = (listeners: Listeners<Listener>, local: string, port: number, interfaceIndex = 0) =>
    listeners.find(at(local), port, at(local.includes(':') ? 'fd00::9' : '10.0.0.9'), 999, interfaceIndex)?.name ?? null

  it('are chosen by how well they fit', () => {
    const listeners = new Listeners<Listener>(hash)
    const exact = listener('10.0.0.1', 80)
    const family = listener('0.0.0.0', 80)
    const both = listener('::', 80)
    for (const one of [both, exact, family]) listeners.add(one)
    expect(find(listeners, '10.0.0.1', 80)).toBe('10.0.0.1:80')
    expect(find(listeners, '10.0.0.2', 80)).toBe('0.0.0.0:80')
    expect(find(listeners, 'fd00::1', 80)).toBe(':::80')
    expect(find(listeners, '10.0.0.1', 81)).toBeNull()
    listeners.remove(family)
    expect(find(listeners, '10.0.0.2', 80)).toBe(':::80')
    listeners.remove(both)
    listeners.add(listener('::', 80, { ipv6Only: true }))
    expect(find(listeners, '10.0.0.2', 80)).toBeNull()
    expect(find(listeners, 'fd00::1', 80)).toBe(':::80')
    listeners.remove(exact)
    expect(find(listeners, '10.0.0.1', 80)).toBeNull()
  })

  it('may be bound to an interface, there to all ports', () => {
    const listeners = new Listeners<Listener>(hash)
    listeners.add(listener('::', ANY_PORT, { interface: 1, name: 'gateway' }))
    listeners.add(listener('0.0.0.0', 80, { interface: 1, name: 'web' }))
    listeners.add(listener('0.0.0.0', 80, { name: 'everywhere' }))
    expect(find(listeners, '1.2.3.4', 443, 1)).toBe('gateway')
    expect(find(listeners, '2000::1', 80, 1)).toBe('gateway')
    expect(find(listeners, '1.2.3.4', 443, 0)).toBeNull()
    expect(find(listeners, '1.2.3.4', 80, 1)).toBe('web')
    expect(find(listeners, '1.2.3.4', 80, 0)).toBe('everywhere')
  })

  it('that share a place are spread over by the tuple, always the same way', () => {
    const listeners = new Listeners<Listener>(hash)
    for (const name of ['one', 'two', 'three', 'four']) {
      const added = listener('0.0.0.0', 80, { reusePort: true, name })
      expect(listeners.clashes(added)).toBe(false)
      listeners.add(added)
    }
    const chosen = new Map<string, number>()
    for (let port = 1; port <= 4000; port++) {
      const pick = () => listeners.find(at('10.0.0.1'), 80, at('10.0.0.2'), port, 0)?.name as string
      const name = pick()
      expect(pick()).toBe(name)
      chosen.set(name, (chosen.get(name) ?? 0) + 1)
    }
    expect(chosen.size).toBe(4)
    for (const count of chosen.values()) expect(count).toBeGreaterThan(700)
  })

  it('clash as on Linux', () => {
    const clash = (one: Listener, other: Listener) => {
      const listeners = new Listeners<Listener>(hash)
      listeners.add(one)
      return listeners.clashes(other)
    }
    expect(clash(listener('10.0.0.1', 80), listener('10.0.0.1', 80))).toBe(true)
    expect(clash(listener('10.0.0.1', 80), listener('10.0.0.1', 81))).toBe(false)
    expect(clash(listener('10.0.0.1', 80), listener('10.0.0.2', 80))).toBe(false)
    expect(clash(listener('0.0.0.0', 80), listener('10.0.0.2', 80))).toBe(true)
    expect(clash(listener('10.0.0.2', 80), listener('::', 80))).toBe(true)
    expect(clash(listener('10.0.0.2', 80), listener('::', 80, { ipv6Only: true }))).toBe(false)
    expect(clash(listener('fd00::1', 80), listener('0.0.0.0', 80))).toBe(false)
    expect(clash(listener('0.0.0.0', 80, { interface: 1 }), listener('0.0.0.0', 80, { interface: 2 }))).toBe(false)
    expect(clash(listener('0.0.0.0', 80, { interface: 1 }), listener('0.0.0.0', 80))).toBe(true)
    expect(clash(listener('0.0.0.0', 80, { reusePort: true }), listener('0.0.0.0', 80))).toBe(true)
  })
})

describe('the hash of a tuple', () => {
  it('depends on the key, and on every part', () => {
    const parts = tuple('10.0.0.1', 80, '10.0.0.2', 1024)
    const of = (key: TupleHash, { localAddress, localPort, remoteAddress, remotePort }: Connected) =>
      key.of(localAddress, localPort, remoteAddress, remotePort)
    expect(of(new TupleHash(seeded(2)), parts)).not.toBe(of(hash, parts))
    const others = [
      tuple('10.0.0.2', 80, '10.0.0.2', 1024),
      tuple('10.0.0.1', 81, '10.0.0.2', 1024),
      tuple('10.0.0.1', 80, '10.1.0.2', 1024),
      tuple('10.0.0.1', 80, '10.0.0.2', 1025),
      tuple('fd00::1', 80, 'fd00::2', 1024),
    ]
    for (const other of others) expect(of(hash, other)).not.toBe(of(hash, parts))
    // Each half of each word goes into both halves of the hash.
    for (let half = 0; half < 16; half++) {
      const words = [0x20010db8, 1, 2, 3, 0x20010db8, 1, 2, 4]
      const hashes = Array.from({ length: 64 }, (_, value) => {
        const [a, b, c, d, e, f, g, h] = words.map((word, at) =>
          at === half >> 1 ? word ^ (value << (16 * (half & 1))) : word,
        )
        return hash.of(new Address().set(a, b, c, d), 80, new Address().set(e, f, g, h), 1024)
      })
      expect(new Set(hashes.map((value) => value >>> 16)).size, `half ${half}`).toBeGreaterThan(48)
      expect(new Set(hashes.map((value) => value & 0xffff)).size, `half ${half}`).toBeGreaterThan(48)
    }
    const six = (text: string) => of(hash, tuple('fd00::1', 80, text, 1024))
    expect(
      new Set(['1::', '1:1::', '0:1::', '0:0:1::', '0:0:0:1::', '::1:0:0:0', '::1:0:0', '::1'].map(six)).size,
    ).toBe(8)
  })

  it('spreads what a stranger would choose as evenly as chance', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const key = new TupleHash(seeded(seed))
      const buckets = new Int32Array(1024)
      for (let port = 0; port < 65_536; port++) buckets[key.of(at('10.0.0.1'), 80, at('10.0.0.2'), port) & 1023]++
      // 64 a bucket on average.
      expect(Math.max(...buckets)).toBeLessThan(160)
    }
  })
})
