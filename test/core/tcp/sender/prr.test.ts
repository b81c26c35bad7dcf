// Proportional rate reduction (RFC 9937): how much leaves during a recovery.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Prr } from '../../../../src/core/tcp/sender/prr.ts'

const MSS = 1000

/** A recovery from a window of segments of which some are lost: each ACK sacks one. Returns what left with each ACK, and what is in flight at the end. */
function recover(window: number, lost: number, ssthresh: number): { sent: number[]; inFlight: number } {
  const prr = new Prr()
  const sent: number[] = []
  // Three have been sacked when it begins, the third with this ACK.
  let inFlight = (window - lost - 3) * MSS
  prr.begin(window * MSS, 2 * MSS, 0, 0)
  for (let ack = 3; ack <= window - lost; ack++) {
    if (ack > 3) inFlight -= MSS
    prr.onAck(MSS, inFlight, ssthresh * MSS, MSS, false)
    let count = 0
    while (inFlight + MSS <= prr.window) {
      inFlight += MSS
      prr.onSent(MSS)
      count++
    }
    sent.push(count)
  }
  return { sent, inFlight }
}

describe('proportional rate reduction', () => {
  it('sends at ssthresh over the flight for each segment that arrives, after the first retransmission', () => {
    const { sent, inFlight } = recover(20, 1, 10)
    expect(sent[0]).toBe(1)
    expect(sent.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(9)
    expect(Math.max(...sent)).toBe(1)
    expect(inFlight).toBeLessThanOrEqual(11 * MSS)
    expect(inFlight).toBeGreaterThanOrEqual(9 * MSS)
  })

  it('does as CUBIC says, too', () => {
    const { sent, inFlight } = recover(100, 1, 70)
    expect(sent.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(66)
    expect(inFlight).toBeLessThanOrEqual(71 * MSS)
    expect(inFlight).toBeGreaterThanOrEqual(66 * MSS)
  })

  it('sends no more than arrives where the losses have brought the flight below ssthresh', () => {
    const { sent } = recover(20, 15, 10)
    for (const count of sent) expect(count).toBeLessThanOrEqual(1)
  })

  it('goes up to ssthresh by a segment more for each ACK where all goes well', () => {
    const prr = new Prr()
    prr.begin(20 * MSS, 2 * MSS, 0, 0)
    prr.onAck(MSS, 2 * MSS, 10 * MSS, MSS, false)
    prr.onSent(MSS)
    prr.onAck(MSS, 2 * MSS, 10 * MSS, MSS, true)
    expect(prr.window).toBe(4 * MSS)
    prr.onSent(2 * MSS)
    prr.onAck(20 * MSS, 2 * MSS, 10 * MSS, MSS, true)
    expect(prr.window).toBe(10 * MSS)
  })

  it('never lets more leave than arrived, and a segment for each ACK', () => {
    const ack = fc.record({ delivered: fc.nat(70_000), lost: fc.nat(10_000), isSafe: fc.boolean() })
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 1000 }),
        fc.double({ min: 0.3, max: 0.9, noNaN: true }),
        fc.array(ack),
        (window, beta, acks) => {
          const prr = new Prr()
          const ssthresh = Math.floor(window * beta) * MSS
          let inFlight = window * MSS
          let delivered = 0
          let sent = 0
          prr.begin(window * MSS, 0, 0, 0)
          for (const { delivered: octets, lost, isSafe } of acks) {
            const arrived = Math.min(octets, inFlight)
            if (arrived === 0) continue
            inFlight = Math.max(0, inFlight - arrived - lost)
            delivered += arrived
            prr.onAck(arrived, inFlight, ssthresh, MSS, isSafe)
            const leaves = Math.max(0, prr.window - inFlight)
            prr.onSent(leaves)
            inFlight += leaves
            sent += leaves
            expect(inFlight).toBeLessThanOrEqual(Math.max(ssthresh, prr.window))
            expect(sent).toBeLessThanOrEqual(delivered + (acks.length + 1) * MSS)
          }
        },
      ),
    )
  })
})
