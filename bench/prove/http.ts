// The HTTP server end to end: beside node:http, under crowds, and with clients that break off. The clients that everybody has are in
// http-clients.ts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Namespace } from '../../test/support/namespace.ts'
import { Contest, type Load } from '../http/compare.ts'
import type { Claim } from './claim.ts'
import { claims as clients } from './http-clients.ts'
import { vectors } from './http-vectors.ts'
import { project } from './project.ts'
import { whileServing } from './serving.ts'

const CROWD = fileURLToPath(new URL('bench/clients/http-crowd.mjs', project))

function ratio(name: string, load: Pick<Load, 'connections' | 'isShort'>, bar: number): Claim {
  return {
    name: `requests a second beside node:http over veth, 612 octets, ${name}`,
    bar: `a ratio of ${bar.toFixed(1)} at least, and no error`,
    async measure() {
      const contest = await Contest.begin()
      try {
        const { ours, node } = await contest.measure({ ...load, seconds: 3, rounds: 5 })
        const rates = `${Math.round(ours.rate)}/s beside ${Math.round(node.rate)}/s`
        const figure = [`${(ours.rate / node.rate).toFixed(2)}: ${rates}`, ...ours.errors].join(', ')
        return { figure, holds: ours.rate / node.rate >= bar && ours.errors.length === 0 }
      } finally {
        await contest.end()
      }
    },
  }
}

async function crowd<Result>(namespace: Namespace, ...args: string[]): Promise<Result> {
  const { stdout, stderr } = await namespace.exec(process.execPath, [CROWD, ...args], { timeout: 180_000 })
  if (stdout === '') throw new Error(stderr.trim().slice(0, 200) || 'the clients took too long')
  return JSON.parse(stdout)
}

const slow: Claim = {
  name: 'a quick client beside 5,000 slow ones, each with an octet a second',
  bar: 'a median under 20 ms',
  measure: () =>
    whileServing(async ({ namespace }) => {
      const result = await crowd<{ open: number; asked: number; median: number; worst: number }>(
        namespace,
        'slow',
        '5000',
        '10',
      )
      const { open, asked, median, worst } = result
      const figure = `${median.toFixed(2)} ms, ${worst.toFixed(0)} ms at worst, of ${asked} requests beside ${open} slow clients`
      return { figure, holds: median < 20 }
    }),
}

const held: Claim = {
  name: '10,000 connections that stay, and are asked again',
  bar: 'each is answered twice',
  measure: () =>
    whileServing(async ({ namespace, resident }) => {
      const before = resident()
      const { answered } = await crowd<{ answered: number[] }>(namespace, 'held', '10000')
      const figure = `${answered.join(' and ')} answers, ${(resident() - before).toFixed(0)} MB more resident`
      return { figure, holds: answered.every((count) => count === 10_000) }
    }),
}

const killed: Claim = {
  name: 'clients killed at random, 1,000 times: resets, ends and half-closes within a request or before it',
  bar: 'no connection is left, and the log has a line for each',
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), 'tunstack-http-'))
    const log = join(folder, 'log')
    try {
      const { ports, left } = await whileServing(
        ({ namespace }) => crowd<{ ports: number[]; left: number }>(namespace, 'killed', '1000'),
        ['--log', log, '--log-format', 'json'],
      )
      // A port that was reset may be had again.
      const lines = new Map<number, number>()
      for (const line of readFileSync(log, 'utf8').trim().split('\n')) {
        const { remotePort } = JSON.parse(line)
        lines.set(remotePort, (lines.get(remotePort) ?? 0) + 1)
      }
      const silent = ports.filter((port) => {
        const count = lines.get(port) ?? 0
        lines.set(port, count - 1)
        return count <= 0
      })
      const figure = `${ports.length} begun, ${left} left, ${ports.length - silent.length} of them in the log`
      return { figure, holds: left === 0 && silent.length === 0 }
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

export const claims: Claim[] = [
  ratio('one connection', { connections: 1, isShort: false }, 1),
  ratio('64 connections', { connections: 64, isShort: false }, 1.5),
  ratio('1,000 connections', { connections: 1000, isShort: false }, 1.5),
  ratio('a connection for each request', { connections: 64, isShort: true }, 1),
  ...clients,
  vectors,
  slow,
  held,
  killed,
]
