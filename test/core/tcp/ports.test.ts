// Ephemeral ports (RFC 6056): within the range, unforeseeable, reused as late as can be, refused only when none is free.
import { expect, it } from 'vitest'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { FIRST_EPHEMERAL, LAST_EPHEMERAL, NO_PORT, Ports } from '../../../src/core/tcp/ports.ts'
import { seeded } from '../../support/seeded.ts'
import { TcpBench } from '../../support/tcp-bench.ts'

const at = (text: string) => parseAddress(text) as Address
const local = at('10.0.0.1')
const remote = at('10.0.0.2')
const free = () => true

it('gives each port of the range once before any of them again, for one peer', () => {
  const ports = new Ports(seeded(1), 40_000, 40_099)
  const given = Array.from({ length: 100 }, () => ports.choose(local, remote, 80, free))
  expect(new Set(given).size).toBe(100)
  expect(Math.min(...given)).toBe(40_000)
  expect(Math.max(...given)).toBe(40_099)
  expect(ports.choose(local, remote, 80, free)).toBe(given[0])
})

it('passes over those that are taken, and says when all are', () => {
  const ports = new Ports(seeded(1), 40_000, 40_099)
  const taken = new Set<number>()
  for (let connection = 0; connection < 100; connection++) {
    const port = ports.choose(local, remote, 80, (one) => !taken.has(one))
    expect(taken.has(port)).toBe(false)
    taken.add(port)
  }
  expect(ports.choose(local, remote, 80, (one) => !taken.has(one))).toBe(NO_PORT)
  taken.delete(40_050)
  expect(ports.choose(local, remote, 80, (one) => !taken.has(one))).toBe(40_050)
  expect(ports.chooseUnconnected((one) => !taken.has(one))).toBe(40_050)
})

it('is of the upper half up to where Linux ends, both included', () => {
  for (const port of [32_768, 60_999]) {
    expect(new Ports(seeded(1)).choose(local, remote, 80, (one) => one === port)).toBe(port)
  }
  expect(new Ports(seeded(1)).choose(local, remote, 80, (one) => one < 32_768 || one > 60_999)).toBe(NO_PORT)
})

it('is not one that a connection has, for a listener that takes any', () => {
  const any = { localAddress: at('::'), localPort: 0 }
  const first = (taken: number) => {
    const bench = new TcpBench()
    const connection = bench.connect(bench.peer(), { localPort: taken })
    expect(connection.localPort).toBe(taken)
    return bench.tcp.listen(any)?.localPort ?? 0
  }
  const port = first(80)
  expect(first(81)).toBe(port)
  expect(first(port)).toBe(port === LAST_EPHEMERAL ? FIRST_EPHEMERAL : port + 1)
})

it('begins elsewhere for each peer and each key (RFC 6056 §3.3.4)', () => {
  const first = (seed: number, peer: string) => new Ports(seeded(seed)).choose(local, at(peer), 80, free)
  const begins = [first(1, '10.0.0.2'), first(1, '10.0.0.3'), first(2, '10.0.0.2'), first(1, 'fd00::1')]
  expect(new Set(begins).size).toBe(4)
  for (const port of begins) {
    expect(port).toBeGreaterThanOrEqual(FIRST_EPHEMERAL)
    expect(port).toBeLessThanOrEqual(LAST_EPHEMERAL)
  }
})
