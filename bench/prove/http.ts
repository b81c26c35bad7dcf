// The HTTP server end to end, with clients that everybody has: beside node:http, under crowds, and with clients that break off.
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Namespace } from '../../test/support/namespace.ts'
import { Contest, type Load } from '../http/compare.ts'
import type { Claim } from './claim.ts'
import { project } from './project.ts'
import { ADDRESS, whileServing } from './serving.ts'

const CROWD = fileURLToPath(new URL('bench/clients/http-crowd.mjs', project))
const BASE = `http://${ADDRESS}`
const LARGE = 100_000_000

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

const curl: Claim = {
  name: 'curl: get, head, 100 MB both ways, a range, a resumed transfer, a thousand requests on one connection, a hundred at once',
  bar: 'no error, every octet',
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), 'tunstack-http-'))
    try {
      const large = join(folder, 'large.bin')
      const octets = Buffer.alloc(LARGE)
      for (let at = 0; at < LARGE; at += 4) octets.writeInt32LE(Math.imul(at, 2654435761 | 0), at)
      writeFileSync(large, octets)
      writeFileSync(join(folder, 'small.txt'), 'x'.repeat(612))
      return await whileServing(({ namespace }) => curls(namespace, folder, octets), ['--root', folder])
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

async function curls(namespace: Namespace, folder: string, octets: Buffer) {
  const faults: string[] = []
  const run = async (what: string, args: string[], isRight: (stdout: string) => boolean) => {
    const { code, stdout, stderr } = await namespace.exec('curl', ['-sS', ...args], { timeout: 60_000 })
    if (code !== 0 || !isRight(stdout)) faults.push(`${what}: ${stderr.trim() || stdout.slice(0, 60)}`)
  }
  const large = join(folder, 'large.bin')
  const got = join(folder, '.got')
  const isSame = () => Buffer.compare(readFileSync(got), octets) === 0
  await run('get', [`${BASE}/small.txt`], (text) => text.length === 612)
  await run('head', ['-I', `${BASE}/small.txt`], (text) => /Content-Length: 612/.test(text))
  await run('post', ['--data-binary', `@${large}`, `${BASE}/_tunstack/count`], (text) => text === `{"octets":${LARGE}}`)
  await run('chunked', ['-T', '-', '--no-progress-meter', `${BASE}/_tunstack/count`], (text) => text === '{"octets":0}')
  await run('large', ['-o', got, `${BASE}/large.bin`], isSame)
  await run('range', ['-r', '1000-1999', '-o', got, `${BASE}/large.bin`], () => statSync(got).size === 1000)
  writeFileSync(got, octets)
  truncateSync(got, LARGE >> 2)
  await run('resume', ['-C', '-', '-o', got, `${BASE}/large.bin`], isSame)
  const words = ['-w', '%{num_connects}', '-o', '/dev/null', `${BASE}/small.txt?[1-1000]`]
  await run('keep-alive', words, (text) => text === `1${'0'.repeat(999)}`)
  const parallel = [
    '-Z',
    '--parallel-max',
    '100',
    '-w',
    '%{http_code} ',
    '-o',
    '/dev/null',
    `${BASE}/small.txt?[1-500]`,
  ]
  await run('parallel', parallel, (text) => text === '200 '.repeat(500))
  return { figure: faults.length === 0 ? 'no error' : faults.join('; '), holds: faults.length === 0 }
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
  name: 'clients that break off at random, 1,000 times: resets, ends and half-closes within a request',
  bar: 'no connection is left, and the log has a line for each',
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), 'tunstack-http-'))
    const log = join(folder, 'log')
    try {
      const { begun, left } = await whileServing(
        ({ namespace }) => crowd<{ begun: number; left: number }>(namespace, 'killed', '1000'),
        ['--log', log, '--log-format', 'json'],
      )
      const ports = new Set(
        readFileSync(log, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).remotePort),
      )
      const figure = `${begun} begun, ${left} left, ${ports.size} of them in the log`
      return { figure, holds: left === 0 && ports.size >= begun }
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
  curl,
  slow,
  held,
  killed,
]
