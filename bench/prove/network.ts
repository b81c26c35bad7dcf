// The network layer on a real kernel: large pings, traceroute, path MTUs, nmap, a flood of UDP, attacks on reassembly, captures;
// and in virtual time what a bad network and a bad peer can send. The rounds themselves are in network-rounds.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { simulate } from '../../src/simulate/network.ts'
import { exec } from '../../test/support/namespace.ts'
import { fieldOf, inFolder, readCapture } from '../../test/support/network-clients.ts'
import { CannotMeasure, type Claim, type Verdict } from './claim.ts'
import { claims as load } from './network-load.ts'
import { forwarding, largePings, narrowPath, type Rounds, scanned, smallestLink } from './network-rounds.ts'
import { claims as virtual } from './network-virtual.ts'

const NARROW = 1400

export const claims: Claim[] = [
  {
    name: 'ping -s 60000 in both families',
    bar: '0% loss',
    async measure() {
      const pings = await largePings()
      return {
        figure: pings.map(({ transmitted, received, times }) => `${received} of ${transmitted}, ${times}`).join('; '),
        holds: pings.length === 2 && pings.every((one) => one.transmitted === 100 && one.received === 100),
      }
    },
  },
  {
    name: 'traceroute and traceroute -6 through a stack that forwards between two TUN devices, each in a namespace',
    bar: 'its own hop, then the host',
    async measure() {
      const ways = await forwarding()
      const expected = ['10.7.0.2 10.8.0.1', 'fd00:7::2 fd00:8::1']
      const words = ways.map((hops) => hops.join(' '))
      return { figure: words.join('; '), holds: words.join() === expected.join() }
    },
  },
  {
    name: `tracepath, and our own datagrams of 1,450 octets, find a link with an MTU of ${NARROW} between two routers, in both families`,
    bar: `pmtu ${NARROW}; learned once, and the echo then comes in fragments of that size`,
    measure: measureNarrowPath,
  },
  {
    name: 'an IPv6 peer behind a link of 1,280 octets: ping -s 1400, and UDP echoes of 5,000 octets',
    bar: 'all but the first answered, by whose reply the path MTU is learned, and the echo whole at the first asking',
    async measure() {
      const { mtu, ping, askings, learned } = await smallestLink()
      return {
        figure: `the client's tracepath says ${mtu}; ${ping.received} of ${ping.transmitted} pings, ${ping.times}; echo at asking ${askings}; path MTU learned ${learned} time(s)`,
        holds: mtu === 1280 && ping.transmitted === 20 && ping.received === 19 && askings === 1 && learned === 1,
      }
    },
  },
  {
    name: 'nmap -sU -p 7,1234 tells open from closed, in both families',
    bar: '7 open, 1234 closed',
    async measure() {
      const states = await scanned()
      return {
        figure: states.map((one) => `7 ${one[7]}, 1234 ${one[1234]}`).join('; '),
        holds: states.length === 2 && states.every((one) => one[7] === 'open' && one[1234] === 'closed'),
      }
    },
  },
  ...load,
  {
    name: 'tshark reads the captures of these rounds and of simulations, all checksums looked at',
    bar: 'no expert-info error',
    measure: () => inFolder(measureCaptures),
  },
  ...virtual,
]

function measureNarrowPath(): Promise<Verdict> {
  return inFolder(async (folder) => {
    const file = join(folder, 'path.pcapng')
    const found = await narrowPath(file)
    const figures: string[] = []
    let holds = found.length === 2
    for (const { address, client, mtu, hops, reached, askings, learned } of found) {
      const six = address.includes(':')
      const [ip, length, first] = six
        ? ['ipv6', 'ipv6.plen', 'ipv6.fraghdr.more == 1']
        : ['ip', 'ip.len', 'ip.flags.mf == 1']
      const lengths = await fieldOf(file, `${ip}.src == ${address} && ${ip}.dst == ${client} && ${first}`, length)
      const largest = Math.max(...lengths.map(Number)) + (six ? 40 : 0)
      figures.push(
        `${address}: pmtu ${mtu}, ${reached ? `reached after ${hops} hops` : 'not reached'}; learned ${learned} time(s), echo at asking ${askings}, its first fragment ${largest} octets`,
      )
      const isRight = largest <= NARROW && largest > NARROW - 8
      holds &&= mtu === NARROW && reached && hops === 3 && learned === 1 && askings === 2 && isRight
    }
    return { figure: figures.join('; '), holds }
  })
}

/** All checksums are complete in each: none is taken with offload. */
async function measureCaptures(folder: string): Promise<Verdict> {
  if ((await exec('tshark', ['--version']).catch(() => null)) === null) throw new CannotMeasure('tshark is missing')
  const rounds: Record<string, Rounds<unknown>> = { largePings, forwarding, narrowPath, smallestLink, scanned }
  const figures: string[] = []
  let errors: string[] = []
  const read = async (name: string, file: string) => {
    const { packets, errors: found } = await readCapture(file)
    if (packets === 0) throw new Error(`the capture of ${name} is empty`)
    figures.push(`${name} ${packets}`)
    errors = [...errors, ...found.map((line) => `${name}: ${line}`)]
  }
  for (const [name, round] of Object.entries(rounds)) {
    const file = join(folder, `${name}.pcapng`)
    await round(file)
    await read(name, file)
  }
  for (const seed of [1, 2, 3]) {
    const file = join(folder, `simulation-${seed}.pcapng`)
    await simulated(seed, file)
    await read(`simulation ${seed}`, file)
  }
  return {
    figure: `packets: ${figures.join(', ')}; errors: ${errors.join('; ') || 'none'}`,
    holds: errors.length === 0,
  }
}

/** Datagrams and pings of every size, through a router and links that lose, reorder and repeat; nothing is corrupted. */
async function simulated(seed: number, file: string): Promise<void> {
  const network = simulate({ seed })
  const blocks: Uint8Array[] = []
  network.capture((block) => void blocks.push(block))
  const [one, router, two] = [network.host('one'), network.router('router'), network.host('two')]
  const bad = { delay: 5, jitter: 3, loss: 0.2, reorder: 0.1, duplicate: 0.1 }
  network.link(one, router, bad)
  network.link(router, two, { ...bad, mtu: 1400 })
  const [from, to] = [one.stack.openUdp({ ipv6: true }), two.stack.openUdp({ ipv6: true })]
  to.bind(9)
  to.onReadable = () => {
    while (to.receive() !== null);
  }
  await network.run(async () => {
    for (let round = 0; round < 100; round++) {
      const address = two.addresses[round % 2]
      from.send(new Uint8Array(round * 97), address, round % 3 === 0 ? 99 : 9)
      await one.ping(address, { size: round * 50 }).catch(() => {})
    }
  })
  network.close()
  writeFileSync(file, Buffer.concat(blocks))
}
