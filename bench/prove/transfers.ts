// Whole transfers over bad paths with the kernel's TCP as the peer, both ways; paths that swallow long packets, or take half a second
// longer all at once; a process that stalls; and what connections that share a bottleneck get of it.
import type { Endpoint, Impairment } from '../../src/index.ts'
import type { Claim } from './claim.ts'
import { claims as sharing } from './sharing.ts'
import { type Arrival, TransferPath } from './transfer-path.ts'

interface Trouble {
  name: string
  octets: number
  impairment: Impairment
}

const TROUBLES: Trouble[] = [
  { name: '1 GB over a clean path', octets: 1e9, impairment: {} },
  { name: '200 MB at 1% loss', octets: 200e6, impairment: { loss: 0.01 } },
  { name: '200 MB at 5% reordering', octets: 200e6, impairment: { reorder: 0.05, reorderDelay: 1 } },
  { name: '30 MB at 5% loss', octets: 30e6, impairment: { loss: 0.05 } },
]

function whole({ name, octets, impairment }: Trouble): Claim {
  return {
    name: `${name}, from us to a kernel and from it to us`,
    bar: 'whole by sha256, both ways',
    async measure() {
      const path = await TransferPath.open(impairment)
      try {
        const [out, back] = [await path.send(octets), await path.receive(octets)]
        return {
          figure: `out ${figureOf(out)}, in ${figureOf(back)}; ${path.count('tcpRetransmitted')} sent again, ${path.count('tcpTimeouts')} timeouts`,
          holds: out.isWhole && back.isWhole,
        }
      } finally {
        await path.close()
      }
    },
  }
}

function figureOf({ octets, milliseconds, isWhole }: Arrival): string {
  const rate = ((octets * 8) / milliseconds / 1000).toFixed(0)
  return `${isWhole ? 'whole' : `BROKEN after ${octets} octets`} at ${rate} Mbit/s`
}

const LATE = 3000
const MEGABYTES = 10

const blackHole: Claim = {
  name: `${MEGABYTES} MB to a kernel through a path of 20 ms and 100 Mbit/s that swallows what is longer than 1280 octets`,
  bar: `whole, at most ${LATE / 1000} s later than over one that swallows nothing`,
  async measure() {
    const clean: Impairment = { delay: 10, rate: 100 }
    const took: number[] = []
    let isWhole = true
    let [holes, lost] = [0, 0]
    for (const forward of [clean, { ...clean, mtu: 1280 }]) {
      const path = await TransferPath.open(clean, forward)
      try {
        const arrival = await path.send(MEGABYTES * 1e6)
        took.push(arrival.milliseconds)
        isWhole &&= arrival.isWhole
        holes = path.count('tcpBlackHoles')
        lost = path.count('tcpPathProbesLost')
      } finally {
        await path.close()
      }
    }
    const late = took[1] - took[0]
    const figure = `${(late / 1000).toFixed(2)} s later (${(took[0] / 1000).toFixed(2)} and ${(took[1] / 1000).toFixed(2)} s), noticed ${holes} times, ${lost} probes lost`
    return { figure, holds: isWhole && holes > 0 && late <= LATE }
  },
}

/** So many connections that send a little at a time, and always something. */
async function busy(path: TransferPath, connections: number, octets: number, every: number): Promise<Endpoint[]> {
  const bytes = new Uint8Array(octets)
  const endpoints = Array.from({ length: connections }, () => path.connect())
  await Promise.all(endpoints.map((endpoint) => new Promise<void>((open) => (endpoint.onOpen = () => open()))))
  const write = () => {
    for (const endpoint of endpoints) if (endpoint.reason === 'none') endpoint.send(bytes)
  }
  setInterval(write, every).unref()
  await pause(2000)
  return endpoints
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const stall: Claim = {
  name: 'the process stands still for 300 ms while 1,000 connections to a kernel are busy',
  bar: 'nothing is sent again, no timeout',
  async measure() {
    const path = await TransferPath.open({ delay: 10 })
    try {
      const endpoints = await busy(path, 1000, 2000, 50)
      const before = path.count('tcpRetransmitted')
      for (let round = 0; round < 5; round++) {
        for (const until = performance.now() + 300; performance.now() < until; );
        await pause(1500)
      }
      const again = path.count('tcpRetransmitted') - before
      const living = endpoints.filter(({ reason }) => reason === 'none').length
      return {
        figure: `five times: ${again} sent again, ${path.count('tcpTimeouts')} timeouts, ${living} connections live`,
        holds: again === 0 && path.count('tcpTimeouts') === 0 && living === endpoints.length,
      }
    } finally {
      await path.close()
    }
  },
}

const longer: Claim = {
  name: 'a path of 20 ms to a kernel takes 500 ms more all at once, under 100 connections',
  bar: 'at most one segment sent again for each connection, and every timeout undone',
  async measure() {
    const path = await TransferPath.open({ delay: 10 })
    try {
      const endpoints = await busy(path, 100, 1000, 20)
      const [again, timeouts] = [path.count('tcpRetransmitted'), path.count('tcpTimeouts')]
      const priors = endpoints.map(({ connection }) => connection.totalRetransmissions)
      path.link.impair({ out: { delay: 510 } })
      await pause(4000)
      const most = Math.max(...endpoints.map(({ connection }, at) => connection.totalRetransmissions - priors[at]))
      const expired = path.count('tcpTimeouts') - timeouts
      const undone = path.count('tcpTimeoutsUndone')
      return {
        figure: `${path.count('tcpRetransmitted') - again} sent again in all, at most ${most} by one; ${expired} timeouts, ${undone} undone`,
        holds: most <= 1 && undone >= expired,
      }
    } finally {
      await path.close()
    }
  },
}

export const claims: Claim[] = [...TROUBLES.map(whole), blackHole, stall, longer, ...sharing]
