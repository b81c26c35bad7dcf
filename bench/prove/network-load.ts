// The network layer under load from a real kernel: 100,000 datagrams a second, and attacks on reassembly. The senders are ours,
// in bench/clients, built for the claim.
import { createNamespace, type Namespace } from '../../test/support/namespace.ts'
import {
  buildClient,
  inFolder,
  type PingResult,
  pinged,
  runClient,
  type Sent,
} from '../../test/support/network-clients.ts'
import { type Look, ServedStack } from '../../test/support/served-stack.ts'
import { CannotMeasure, type Claim, type Verdict } from './claim.ts'
import { ADDRESS6, assertPrivileged } from './network-rounds.ts'
import { project } from './project.ts'
import { ADDRESS } from './serving.ts'

const PER_SECOND = 100_000
const SECONDS = 5
const OCTETS = 100
const FRAGMENTS = 50_000
const FRAGMENTS_PER_SECOND = 20_000
/** As ip/fragments has it. */
const FRAGMENT_LIMIT = 4 << 20
const MEGABYTES = 32
const LATEST = 5
/** The machine has other users: the best of so many counts, and all are told. */
const ATTEMPTS = 5

export const claims: Claim[] = [
  ...[ADDRESS, ADDRESS6].map((address) => floodClaim(address)),
  attackClaim('first', 'first fragments, no two of one datagram'),
  attackClaim('overlap', 'overlapping fragments'),
  attackClaim('lies', 'fragments with lengths, places and headers that lie, and fragments within fragments'),
]

function floodClaim(address: string): Claim {
  return {
    name: `UDP from a kernel sender to ${address} at ${PER_SECOND.toLocaleString('en')} datagrams/s of ${OCTETS} octets for ${SECONDS} s, counted by discard`,
    bar: `no loss (best of ${ATTEMPTS} at most)`,
    measure: () =>
      best('udp-send', async ({ namespace, stack, run }) => {
        const { sent, seconds } = await run(address, 9, PER_SECOND, SECONDS, OCTETS)
        const { discarded, drops } = await settled(stack, (look) => look.discarded.datagrams >= sent)
        const lost = sent - discarded.datagrams
        const { code, stdout } = await namespace.exec('ip', ['-j', '-s', 'link', 'show', 'tun0'])
        const dropped = code === 0 ? JSON.parse(stdout)[0].stats64.tx.dropped : '?'
        return {
          figure: `${Math.round(sent / seconds)} a second, ${lost} of ${sent} lost (dropped by the device's queue: ${dropped}, by the socket's: ${drops.udpQueueFull ?? 0})`,
          holds: lost === 0 && sent === PER_SECOND * SECONDS && seconds < SECONDS * 1.02,
        }
      }),
  }
}

interface Attack {
  ping: PingResult
  /** Of a stack beside it that nobody attacks, at the same time: what the machine itself makes late. */
  beside: PingResult
  sent: Sent
  look: Look
  before: Look
}

function attackClaim(kind: string, words: string): Claim {
  return {
    name: `${FRAGMENTS.toLocaleString('en')} ${words}, at ${FRAGMENTS_PER_SECOND.toLocaleString('en')} a second from spoofed addresses of both families`,
    bar: `fragments below their limit, under ${MEGABYTES} MB more, and ping -i 0.01 all answered within ${LATEST} ms meanwhile (best of ${ATTEMPTS} at most)`,
    measure: () => best('fragments', async (context) => judge(await attack(kind, context))),
  }
}

async function attack(kind: string, { namespace, stack, run }: Context): Promise<Attack> {
  const pings = (FRAGMENTS / FRAGMENTS_PER_SECOND) * 100
  const ping = (from: Namespace) => pinged(from, '-i', '0.01', '-c', String(pings), ADDRESS)
  // What is compiled late would be part of the figure.
  await run(kind, 'tun0', 5_000, FRAGMENTS_PER_SECOND)
  await namespace.exec('ping', ['-q', '-f', '-c', '5000', ADDRESS])
  return inNamespace(async (quiet) => {
    await ServedStack.start(project, quiet)
    const before = await stack.reset()
    const sending = run(kind, 'tun0', FRAGMENTS, FRAGMENTS_PER_SECOND)
    const [meanwhile, beside, sent] = await Promise.all([ping(namespace), ping(quiet), sending])
    return { ping: meanwhile, beside, sent, look: await stack.look(), before }
  })
}

function judge({ ping, beside, sent, look, before }: Attack): Verdict {
  const { most } = look
  const more = most.residentMegabytes - before.most.residentMegabytes
  const drops = Object.entries(look.drops).map(([reason, count]) => `${reason} ${count - (before.drops[reason] ?? 0)}`)
  const arrived = (look.counts.ipReceived ?? 0) - (before.counts.ipReceived ?? 0) - ping.transmitted
  return {
    figure: `${arrived} arrived of ${sent.sent}, at most ${(most.fragmentOctets / 2 ** 20).toFixed(2)} MB of fragments, ${more.toFixed(1)} MB more; ${ping.received} of ${ping.transmitted} pings, ${ping.times} (${beside.longest} ms the longest of a stack beside it that is not attacked); drops: ${drops.join(', ')}`,
    holds:
      arrived >= sent.sent &&
      most.fragmentOctets <= FRAGMENT_LIMIT &&
      more < MEGABYTES &&
      ping.received === ping.transmitted &&
      ping.longest <= LATEST,
  }
}

/** Tries until it holds, and tells of all. */
async function best(client: string, measure: (context: Context) => Promise<Verdict>): Promise<Verdict> {
  const tried: Verdict[] = []
  while (tried.length < ATTEMPTS && !tried.some(({ holds }) => holds)) tried.push(await withStack(client, measure))
  return { figure: tried.map(({ figure }) => figure).join('; again: '), holds: tried.at(-1)?.holds === true }
}

interface Context {
  namespace: Namespace
  stack: ServedStack
  run(...words: (string | number)[]): Promise<Sent>
}

/** A stack in a namespace, and one of our senders there. */
async function withStack<Result>(client: string, use: (context: Context) => Promise<Result>): Promise<Result> {
  assertPrivileged()
  return inFolder(async (folder) => {
    const program = await buildClient(project, client, folder)
    if (program === null) throw new CannotMeasure('there is no C compiler')
    return inNamespace(async (namespace) => {
      const stack = await ServedStack.start(project, namespace)
      return use({ namespace, stack, run: (...words) => runClient(namespace, program, ...words) })
    })
  })
}

async function inNamespace<Result>(use: (namespace: Namespace) => Promise<Result>): Promise<Result> {
  const namespace = createNamespace()
  try {
    return await use(namespace)
  } finally {
    await namespace.dispose()
  }
}

/** Looks until it holds, for a second at most. */
async function settled(stack: ServedStack, holds: (look: Look) => boolean): Promise<Look> {
  let look = await stack.look()
  for (let attempt = 0; attempt < 20 && !holds(look); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    look = await stack.look()
  }
  return look
}
