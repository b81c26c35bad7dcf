// One round each of what the claims about the network layer look at, in namespaces of its own; captured to a file where one is given.
// A capture is taken without offload, so that every checksum in it is complete and can be looked at.
import { createNamespace, privileged } from '../../test/support/namespace.ts'
import {
  askingsForEcho,
  type PingResult,
  pinged,
  tracepath,
  traceroute,
  udpStates,
} from '../../test/support/network-clients.ts'
import { CLIENT, GATEWAYS, RoutedPath } from '../../test/support/routed-path.ts'
import { type Look, ServedStack } from '../../test/support/served-stack.ts'
import { CannotMeasure } from './claim.ts'
import { project } from './project.ts'
import { ADDRESS, whileServing } from './serving.ts'

export const ADDRESS6 = 'fd00:7::2'
export const BOTH = [ADDRESS, ADDRESS6]

export type Rounds<Result> = (file?: string) => Promise<Result>

function capturing(file: string | undefined): string[] {
  return file === undefined ? [] : ['--capture', file, '--offload', 'off']
}

export function assertPrivileged(): void {
  const { granted, reason } = privileged()
  if (!granted) throw new CannotMeasure(reason)
}

/** Pings of 60,000 octets. */
export const largePings: Rounds<PingResult[]> = (file) =>
  whileServing(async ({ namespace }) => {
    const results: PingResult[] = []
    for (const address of BOTH) results.push(await pinged(namespace, '-c', '100', '-i', '0.01', '-s', '60000', address))
    return results
  }, capturing(file))

/** The hops that traceroute shows between two namespaces, each with one device of one stack that forwards. */
export const forwarding: Rounds<string[][]> = async (file) => {
  assertPrivileged()
  const far = createNamespace()
  try {
    return await whileServing(
      async ({ namespace }) => {
        const ways: string[][] = []
        for (const address of ['10.8.0.1', 'fd00:8::1']) ways.push(await traceroute(namespace, address))
        return ways
      },
      ['--forward', '--netns2', far.name, ...(file === undefined ? [] : ['--capture', file])],
    )
  } finally {
    await far.dispose()
  }
}

export const scanned: Rounds<Record<number, string>[]> = (file) =>
  whileServing(
    async ({ namespace }) => {
      const states: Record<number, string>[] = []
      for (const address of BOTH) states.push(await udpStates(namespace, address, 7, 1234))
      return states
    },
    ['--services', ...capturing(file)],
  )

export interface Served {
  path: RoutedPath
  look(): Promise<Look>
}

/** The stack at the far end of a path with a narrow link. */
export async function behindNarrowLink<Result>(
  mtu: number,
  file: string | undefined,
  use: (served: Served) => Promise<Result>,
): Promise<Result> {
  assertPrivileged()
  const path = await RoutedPath.make(mtu)
  try {
    const stack = await ServedStack.start(project, path.edge, { gateways: GATEWAYS, file, offload: file === undefined })
    const result = await use({ path, look: () => stack.look() })
    await stack.stop()
    return result
  } finally {
    await path.dispose()
  }
}

export interface PathFound {
  address: string
  client: string
  mtu: number
  hops: number
  reached: boolean
  /** Echoes of 1,450 octets, which fit our link and not the path, that had to be asked for until one came. */
  askings: number
  learned: number
}

/** The client's tracepath towards us, and what we find out by our own large datagrams. */
export const narrowPath: Rounds<PathFound[]> = (file) =>
  behindNarrowLink(1400, file, async ({ path, look }) => {
    const found: PathFound[] = []
    let before = 0
    for (const [address, client] of [
      [ADDRESS, CLIENT.ipv4],
      [ADDRESS6, CLIENT.ipv6],
    ]) {
      const way = await tracepath(path.client, address)
      const askings = await askingsForEcho(path.client, address, 1450)
      const { pathMtuLearned = 0 } = (await look()).counts
      found.push({ address, client, ...way, askings, learned: pathMtuLearned - before })
      before = pathMtuLearned
    }
    return found
  })

export interface SmallestLink {
  /** What the client's tracepath said, after which the client's kernel cuts what it sends us. */
  mtu: number
  ping: PingResult
  askings: number
  learned: number
}

/** An IPv6 peer behind a link of 1,280 octets that we do not know of: pings, and echoes of 5,000 octets. */
export const smallestLink: Rounds<SmallestLink> = (file) =>
  behindNarrowLink(1280, file, async ({ path, look }) => {
    const { mtu } = await tracepath(path.client, ADDRESS6)
    const ping = await pinged(path.client, '-c', '20', '-i', '0.1', '-s', '1400', ADDRESS6)
    const askings = await askingsForEcho(path.client, ADDRESS6, 5000)
    return { mtu, ping, askings, learned: (await look()).counts.pathMtuLearned ?? 0 }
  })
