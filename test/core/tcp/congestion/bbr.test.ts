// BBR version 3: the draft's own example cases (its appendix), on a path with one bottleneck.
import { describe, expect, it } from 'vitest'
import { Bbr, bbr } from '../../../../src/core/tcp/congestion/bbr.ts'
import { BbrState } from '../../../../src/core/tcp/congestion/bbr-cycle.ts'
import { SPAN, UNBOUNDED } from '../../../../src/core/tcp/congestion/bbr-model.ts'
import type { CongestionSettings } from '../../../../src/core/tcp/congestion/congestion.ts'
import { conform } from './conformance.ts'
import { MSS, Path, type PathOptions, settings } from './path.ts'

conform('bbr', bbr)

function started(options: PathOptions): { path: Path; controller: Bbr } {
  let controller: Bbr | null = null
  const path = new Path((settings: CongestionSettings) => (controller = new Bbr(settings)), options)
  return { path, controller: controller as unknown as Bbr }
}

/** Runs until a state is reached; says how long it took. */
function until(path: Path, controller: Bbr, state: number, most = 20_000): number {
  const begin = path.now
  while (controller.state !== state && path.now - begin < most) path.run(1)
  expect(controller.state).toBe(state)
  return path.now - begin
}

it('is paced whatever the settings say', () => {
  expect(bbr(settings()).needsPacing).toBe(true)
})

const bandwidth = (controller: Bbr, path: Path) => controller.model.largestBandwidth / SPAN / path.rate

describe('Startup and Drain', () => {
  it('ends where the bandwidth does not grow any more, within two percent of it, and drains the queue', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 2_000_000 })
    expect(until(path, controller, BbrState.drain)).toBeLessThan(1000)
    expect(Math.abs(bandwidth(controller, path) - 1)).toBeLessThan(0.02)
    expect([path.lost, controller.model.wasFilled]).toEqual([0, true])
    expect(controller.pacingRate / 1000 / path.rate).toBeCloseTo(0.495, 1)
    expect(until(path, controller, BbrState.cruise)).toBeLessThan(500)
    expect(path.queue).toBeLessThan(20_000)
  })

  it('ends by losses where the queue is short', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 20_000 })
    until(path, controller, BbrState.drain)
    expect(controller.model.inFlightLong).toBeLessThan(UNBOUNDED)
    path.run(3000)
    expect(path.utilization(5000)).toBeGreaterThan(0.9)
  })

  it('goes on while the application is the limit', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 200_000 })
    path.wanted = 0
    for (let burst = 0; burst < 100; burst++) {
      path.wanted = 5 * MSS
      path.run(100)
    }
    expect(controller.state).not.toBe(BbrState.drain)
    expect(controller.model.wasFilled).toBe(false)
  })
})

describe('the probing cycle', () => {
  it('goes through its states within its time, and keeps the path full and the queue short', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 1_000_000 })
    until(path, controller, BbrState.cruise)
    const round = [BbrState.refill, BbrState.up, BbrState.down, BbrState.cruise].map((state) =>
      until(path, controller, state),
    )
    // §5.3.3.5.3: two to three seconds from down to refill.
    expect(round[0]).toBeGreaterThan(1500)
    expect(round[0]).toBeLessThan(3100)
    const from = path.points.length
    expect(path.utilization(10_000)).toBeGreaterThan(0.95)
    const queues = path.points.slice(from).map(({ queue }) => queue)
    const bdp = path.rate * path.delay
    expect(queues.reduce((sum, queue) => sum + queue, 0) / queues.length).toBeLessThan(bdp * 0.35)
    expect(path.lost).toBe(0)
  })

  it('keeps the average queue short on a path of 10 Mbit/s, and on one of 1 Gbit/s', () => {
    for (const [rate, delay] of [
      [10, 20],
      [1000, 4],
    ]) {
      const { path } = started({ rate, delay, queue: 100_000_000 })
      path.run(1500)
      const from = path.points.length
      expect(path.utilization(2000)).toBeGreaterThan(0.95)
      const queues = path.points.slice(from).map(({ queue }) => queue)
      expect(queues.reduce((sum, queue) => sum + queue, 0) / queues.length).toBeLessThan(path.rate * path.delay * 0.5)
    }
  })

  it('finds ten times the bandwidth, and a tenth of it', () => {
    const { path, controller } = started({ rate: 10, delay: 20, queue: 1_000_000 })
    path.run(5000)
    path.rate *= 10
    path.run(15_000)
    expect(bandwidth(controller, path)).toBeGreaterThan(0.95)
    path.rate /= 10
    path.run(15_000)
    expect(bandwidth(controller, path)).toBeLessThan(1.1)
    expect(path.utilization(2000)).toBeGreaterThan(0.9)
  })

  it('is not led astray by chance losses below its threshold', () => {
    const { path } = started({ rate: 50, delay: 40, queue: 200_000, loss: 0.01 })
    path.run(5000)
    expect(path.utilization(10_000)).toBeGreaterThan(0.8)
  })
})

describe('ProbeRTT', () => {
  it('comes every five seconds for two tenths of one, and finds the round trip', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 1_000_000 })
    path.run(1000)
    const waited = until(path, controller, BbrState.probeRtt)
    expect(waited).toBeGreaterThan(2000)
    expect(waited).toBeLessThan(6000)
    path.run(100)
    expect(path.inFlight).toBeLessThan(path.rate * path.delay * 0.6)
    expect(until(path, controller, BbrState.cruise)).toBeLessThan(400)
    expect(controller.model.minimumRtt).toBeLessThan(42_000)
  })

  it('finds a longer round trip', () => {
    const { path, controller } = started({ rate: 50, delay: 20, queue: 1_000_000 })
    path.run(3000)
    path.delay = 60
    path.run(25_000)
    expect(controller.model.minimumRtt).toBeGreaterThan(55_000)
    expect(path.utilization(3000)).toBeGreaterThan(0.85)
  })
})

describe('after silence', () => {
  it('sends at the bandwidth itself, whatever the phase of probing has it (§5.4.1)', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 2_000_000 })
    until(path, controller, BbrState.down)
    expect(controller.pacingRate / 1000 / path.rate).toBeLessThan(0.95)
    controller.onSent(MSS, 0, false, path.now)
    expect(controller.pacingRate).toBe(Math.floor((controller.model.bandwidth * 0.99 * 1000) / SPAN))
  })
})

describe('a needless recovery', () => {
  it('takes one back to Startup that its losses have ended', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 20_000 })
    until(path, controller, BbrState.drain)
    expect(controller.model.wasFilled).toBe(true)
    controller.onUndone(path.now)
    expect([controller.state, controller.model.wasFilled]).toEqual([BbrState.startup, false])
  })

  it('takes a connection back to Startup', () => {
    const { path, controller } = started({ rate: 50, delay: 40, queue: 200_000 })
    path.run(100)
    const before = controller.cwnd
    controller.onTimeout(path.inFlight, false, path.now)
    expect(controller.cwnd).toBe(MSS)
    controller.onUndone(path.now)
    expect([controller.cwnd, controller.state]).toEqual([before, BbrState.startup])
  })
})
