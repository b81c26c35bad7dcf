// The kernel's TCP as a peer of the stack through a TUN device, for claims: the kernel as the client of `tunstack serve --services`,
// or as the echo server that our own opens lead to; with its options switched off where a claim asks for that.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createNamespace, type Namespace, privileged } from '../../test/support/namespace.ts'
import { echoThrough, type PeerReport, type Transfer } from '../../test/support/transfer.ts'
import { CannotMeasure } from './claim.ts'
import { project } from './project.ts'
import { ADDRESS, HOST, whileServing } from './serving.ts'

export const PEER = fileURLToPath(new URL('bench/clients/tcp-peer.mjs', project))
/** One for each option that a kernel can be without. */
export type Switch = 'tcp_sack' | 'tcp_timestamps' | 'tcp_window_scaling'

const CONNECTIONS = 8
const OCTETS = 20_000_000
const SERVER_PORT = 7000
const TIMEOUT = 120_000
const HOST6 = 'fd00:7::1'
const ADDRESS6 = 'fd00:7::2'

export interface Round {
  /** 'in IPv4', 'out IPv6'. */
  name: string
  /** Octets each way, of all connections. */
  octets: number
  milliseconds: number
  /** What went wrong; empty where everything came back. */
  faults: string[]
  /** Segments that we have sent again. */
  retransmissions: number
}

/** The kernel opens to us, in both families. */
export function kernelOpens(without: readonly Switch[], offload: boolean): Promise<Round[]> {
  return whileServing(
    async ({ namespace }) => {
      await switchOff(namespace, without)
      const rounds: Round[] = []
      for (const [family, address] of [
        ['IPv4', ADDRESS],
        ['IPv6', ADDRESS6],
      ]) {
        const args = ['client', address, '7', String(CONNECTIONS), String(OCTETS), '1']
        const { stdout, stderr } = await namespace.exec(process.execPath, [PEER, ...args], { timeout: TIMEOUT })
        if (stdout === '') throw new Error(`the client of the kernel said: ${stderr.trim() || 'nothing, for too long'}`)
        const { milliseconds, results } = JSON.parse(stdout) as PeerReport
        const faults = results.flatMap((result) => faultOf(result))
        rounds.push({
          name: `in ${family}`,
          octets: CONNECTIONS * OCTETS,
          milliseconds,
          faults,
          retransmissions: 0,
        })
      }
      return rounds
    },
    ['--services', '--offload', offload ? 'on' : 'off'],
  )
}

function faultOf(result: PeerReport['results'][number]): string[] {
  if ('failure' in result) return [result.failure]
  return result.isIntact && result.sent === OCTETS ? [] : [`${result.sent} sent, ${result.received} came back`]
}

/** We open to the kernel, in both families. */
export async function weOpen(without: readonly Switch[], offload: boolean): Promise<Round[]> {
  const { granted, reason } = privileged()
  if (!granted) throw new CannotMeasure(reason)
  const { createStack, tun } = await builtPackage()
  const namespace = createNamespace()
  const stack = await createStack()
  const letGo = stack.hold()
  try {
    const link = tun({ netns: namespace.name, address: [`${HOST}/24`, `${HOST6}/64`], offload })
    stack.addInterface({ link, addresses: [`${ADDRESS}/24`, `${ADDRESS6}/64`] })
    await switchOff(namespace, without)
    const server = namespace.start(process.execPath, [PEER, 'server', String(SERVER_PORT)])
    await new Promise((resolve) => server.stdout?.once('data', resolve))
    const rounds: Round[] = []
    for (const [family, host] of [
      ['IPv4', HOST],
      ['IPv6', HOST6],
    ]) {
      const began = performance.now()
      const each = Array.from({ length: CONNECTIONS }, (_, at) => echoThrough(stack, host, SERVER_PORT, OCTETS, at + 1))
      const transfers = await within(TIMEOUT, Promise.all(each))
      rounds.push({
        name: `out ${family}`,
        octets: CONNECTIONS * OCTETS,
        milliseconds: performance.now() - began,
        faults: transfers.flatMap((transfer) => faultOfOurs(transfer, without)),
        retransmissions: transfers.reduce((sum, { retransmissions }) => sum + retransmissions, 0),
      })
    }
    return rounds
  } finally {
    stack.close()
    letGo()
    await namespace.dispose()
  }
}

/** As it is published: the addon is found from there alone. */
async function builtPackage(): Promise<typeof import('../../src/index.ts')> {
  const index = new URL('dist/index.js', project)
  if (!existsSync(index)) throw new CannotMeasure('the project is not built: npm run build')
  return import(index.href)
}

function faultOfOurs(transfer: Transfer, without: readonly Switch[]): string[] {
  const { sent, received, isIntact, reason, options } = transfer
  const faults = isIntact && reason === 'none' ? [] : [`${sent} sent, ${received} came back, ended by ${reason}`]
  for (const [name, isOn] of Object.entries(options)) {
    if (isOn === without.includes(name as Switch)) faults.push(`${name} is ${isOn ? 'on' : 'off'}`)
  }
  return faults
}

async function switchOff(namespace: Namespace, without: readonly Switch[]): Promise<void> {
  for (const name of without) {
    const { code, stderr } = await namespace.exec('sysctl', ['-qw', `net.ipv4.${name}=0`])
    if (code !== 0) throw new CannotMeasure(`net.ipv4.${name} can't be set: ${stderr.trim()}`)
  }
}

function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
