// TIME-WAIT records: found by their tuple, gone after 2 MSL, small, and what segments do to them (RFC 9293 §3.10.7.4, RFC 6191, RFC 1337).
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { Address, parseAddress } from '../../../../src/core/ip/address.ts'
import { Answer, NONE, TimeWait } from '../../../../src/core/tcp/closing/time-wait.ts'
import { TupleHash } from '../../../../src/core/tcp/tuple-hash.ts'
import { Flag } from '../../../../src/core/wire/tcp.ts'
import { seeded } from '../../../support/seeded.ts'

const at = (text: string) => parseAddress(text) as Address
const local = at('10.0.0.1')
const remote = at('10.0.0.2')
const hash = new TupleHash(seeded(1))
const DURATION = 60_000

describe('the table', () => {
  it('finds a row by its tuple, until its time is over (MUST-13)', () => {
    const table = new TimeWait(hash, DURATION, 100)
    expect([table.deadline(), table.find(local, 80, remote, 1024)]).toEqual([Number.POSITIVE_INFINITY, NONE])
    const row = table.add(local, 80, remote, 1024, 1000)
    expect(table.find(local, 80, remote, 1024)).toBe(row)
    expect(table.find(local, 80, remote, 1025)).toBe(NONE)
    expect(table.deadline()).toBe(61_000)
    table.expire(60_999.9)
    expect(table.count).toBe(1)
    table.expire(61_000)
    expect([table.count, table.deadline(), table.find(local, 80, remote, 1024)]).toEqual([
      0,
      Number.POSITIVE_INFINITY,
      NONE,
    ])
  })

  it('begins each row anew, whatever stood in its place', () => {
    const table = new TimeWait(hash, DURATION, 100)
    const columns = () => [table.window, table.scale, table.hasTimestamps, table.tsRecent, table.tsOffset]
    const row = table.add(local, 80, remote, 1024, 0)
    for (const column of columns()) column[row] = 1
    table.add(local, 80, remote, 1025, 0)
    table.remove(row)
    expect(table.add(local, 80, remote, 1026, 0)).toBe(row)
    expect(columns().map((column) => column[row])).toEqual([0, 0, 0, 0, 0])
  })

  it('has a sixteenth more room than it needs at most', () => {
    const table = new TimeWait(hash, DURATION, 10_000)
    for (let port = 1; port <= 3000; port++) {
      table.add(local, 80, remote, port, 0)
      expect(table.sndNxt.length).toBeLessThanOrEqual(Math.max(64, Math.ceil(port * 1.0625)))
    }
  })

  it('tells what a row is about, of either family', () => {
    const table = new TimeWait(hash, DURATION, 100)
    const row = table.add(at('fd00::1'), 65_535, at('fd00::2'), 40_000, 0)
    const one = new Address()
    const other = new Address()
    table.addresses(row, one, other)
    expect([one.toString(), table.localPort(row), other.toString(), table.remotePort(row)]).toEqual([
      'fd00::1',
      65_535,
      'fd00::2',
      40_000,
    ])
  })

  it('lets the oldest go when it is full', () => {
    const table = new TimeWait(hash, DURATION, 3)
    for (let port = 1; port <= 5; port++) table.add(local, 80, remote, port, port)
    expect([1, 2, 3, 4, 5].map((port) => table.find(local, 80, remote, port) !== NONE)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
  })

  it('is that of a plain map, whatever comes and goes', () => {
    const command = fc.record({
      port: fc.nat(20),
      kind: fc.constantFrom('add', 'remove', 'restart', 'wait'),
      time: fc.nat(30_000),
    })
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 100 }),
        fc.constantFrom(0, 2 ** 31 - 50_000, 2 ** 32 - 50_000),
        (commands, start) => {
          const table = new TimeWait(hash, DURATION, 1000)
          const model = new Map<number, number>()
          let now = start
          for (const { port, kind, time } of commands) {
            const row = table.find(local, 80, remote, port)
            expect(row !== NONE).toBe(model.has(port))
            if (kind === 'wait') now += time
            else if (kind === 'add' && row === NONE) {
              table.rcvNxt[table.add(local, 80, remote, port, now)] = 500
              model.set(port, now + DURATION)
            } else if (kind === 'remove' && row !== NONE) {
              table.remove(row)
              model.delete(port)
            } else if (kind === 'restart' && row !== NONE) {
              table.receive(row, Flag.fin | Flag.ack, 499, 1, false, 0, now)
              model.set(port, now + DURATION)
            }
            table.expire(now)
            for (const [port, due] of model) if (due <= now) model.delete(port)
            expect(table.count).toBe(model.size)
            expect(table.deadline()).toBe(Math.min(Number.POSITIVE_INFINITY, ...model.values()))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('uses each row that it has before it makes more', () => {
    const table = new TimeWait(hash, DURATION, 1000)
    const rows = table.sndNxt.length
    for (let port = 1; port <= rows; port++) table.add(local, 80, remote, port, 0)
    expect([table.count, table.sndNxt.length]).toEqual([rows, rows])
  })

  it('holds 100,000 rows in 10 MB, and gives the memory back', () => {
    const table = new TimeWait(hash, DURATION, 1_000_000)
    for (let row = 0; row < 100_000; row++) {
      table.add(local, 80 + (row >> 16), remote, row & 0xffff, row / 100)
    }
    expect(table.count).toBe(100_000)
    expect(table.octets).toBeLessThanOrEqual(10_000_000)
    // Its addresses alone take so much.
    expect(table.octets).toBeGreaterThan(100_000 * 32)
    expect(table.find(local, 80, remote, 999)).not.toBe(NONE)
    table.expire(70_000)
    expect(table.count).toBe(0)
    expect(table.octets).toBeLessThan(10_000)
  })
})

describe('what a segment does to a row', () => {
  const ACK = Flag.ack
  let table: TimeWait
  let row: number

  beforeEach(() => {
    table = new TimeWait(hash, DURATION, 100)
    row = table.add(local, 80, remote, 1024, 0)
    table.sndNxt[row] = 9000
    table.rcvNxt[row] = 500
    table.window[row] = 1000
  })

  const receive = (flags: number, sequence: number, length: number, now = 1000) =>
    table.receive(row, flags, sequence, length, false, 0, now)
  const stamped = (flags: number, sequence: number, length: number, value: number) =>
    table.receive(row, flags, sequence, length, true, value, 1000)

  it('acknowledges the FIN when it comes again, and restarts 2 MSL', () => {
    expect(receive(Flag.fin | ACK, 499, 1, 30_000)).toBe(Answer.acknowledge)
    expect(table.deadline()).toBe(90_000)
    expect(receive(Flag.fin | ACK, 400, 100, 40_000)).toBe(Answer.acknowledge)
    expect(table.deadline()).toBe(100_000)
    expect(receive(Flag.fin | ACK, 300, 100, 50_000)).toBe(Answer.acknowledge)
    expect(table.deadline()).toBe(100_000)
  })

  it('is not ended by a RST (RFC 1337)', () => {
    expect(receive(Flag.rst, 500, 0)).toBe(Answer.ignore)
    expect(receive(Flag.rst | ACK, 500, 0)).toBe(Answer.ignore)
    expect(receive(Flag.rst | Flag.syn, 5000, 1)).toBe(Answer.ignore)
  })

  it('says nothing to an ACK that fits, and acknowledges what does not', () => {
    expect(receive(ACK, 500, 0)).toBe(Answer.ignore)
    expect(receive(ACK, 499, 0)).toBe(Answer.acknowledge)
    expect(receive(ACK, 1600, 0)).toBe(Answer.acknowledge)
    expect(receive(ACK, 400, 100)).toBe(Answer.acknowledge)
    expect(receive(0, 500, 10)).toBe(Answer.ignore)
  })

  it('makes place for a SYN with a later number (MAY-2)', () => {
    expect(receive(Flag.syn, 501, 1)).toBe(Answer.reopen)
    expect(receive(Flag.syn, 500, 1)).toBe(Answer.acknowledge)
    expect(receive(Flag.syn, 100, 1)).toBe(Answer.acknowledge)
    expect(receive(Flag.syn | ACK, 501, 1)).toBe(Answer.acknowledge)
  })

  it('makes place for a SYN by its timestamp (RFC 6191 §2)', () => {
    table.hasTimestamps[row] = 1
    table.tsRecent[row] = 70
    expect(stamped(Flag.syn, 100, 1, 71)).toBe(Answer.reopen)
    expect(stamped(Flag.syn, 501, 1, 70)).toBe(Answer.reopen)
    expect(stamped(Flag.syn, 500, 1, 70)).toBe(Answer.acknowledge)
    expect(stamped(Flag.syn, 5000, 1, 69)).toBe(Answer.acknowledge)
    expect(receive(Flag.syn, 501, 1)).toBe(Answer.reopen)
    expect(receive(Flag.syn, 499, 1)).toBe(Answer.acknowledge)
  })

  it('takes an old timestamp for an old duplicate (RFC 7323 §5.3)', () => {
    table.hasTimestamps[row] = 1
    table.tsRecent[row] = 70
    expect(stamped(Flag.fin | ACK, 499, 1, 69)).toBe(Answer.acknowledge)
    expect(table.deadline()).toBe(DURATION)
    expect(stamped(Flag.fin | ACK, 499, 1, 75)).toBe(Answer.acknowledge)
    expect([table.deadline(), table.tsRecent[row]]).toEqual([61_000, 75])
  })

  it('lets a connection of our own have its place after a second, with timestamps (RFC 6191)', () => {
    expect(table.mayReuse(row, 30_000)).toBe(false)
    table.hasTimestamps[row] = 1
    expect(table.mayReuse(row, 1000)).toBe(false)
    expect(table.mayReuse(row, 1001)).toBe(true)
  })
})
