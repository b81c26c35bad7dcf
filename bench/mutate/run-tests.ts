// One process of vitest that goes through the portions of a plan, and what it told.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan, Told } from './plan.ts'

/** Milliseconds between looks at what was told. */
const PERIOD = 1000

type Wanted = Omit<Plan, 'told' | 'watchdog' | 'stubs'>

export async function runTests(root: string, plan: Wanted, onTold: (told: Told) => void): Promise<Told[]> {
  // As deep in the tree as most tests, which name pictures by the way to them.
  const folders = join(root, '.bench/mutate/runs')
  mkdirSync(folders, { recursive: true })
  const folder = mkdtempSync(`${folders}/`)
  const planned = join(folder, 'plan.json')
  const told = join(folder, 'told.jsonl')
  const watchdog = join(root, '.bench/bench/mutate/watchdog.js')
  writeFileSync(planned, JSON.stringify({ ...plan, told, watchdog, stubs: folder } satisfies Plan))
  writeFileSync(told, '')
  for (const place of plan.portions.keys()) writeFileSync(join(folder, `${`${place}`.padStart(5, '0')}.test.ts`), '')
  const all: Told[] = []
  const look = () => {
    const lines = readFileSync(told, 'utf8').split('\n').slice(0, -1)
    for (const line of lines.slice(all.length)) {
      const one = JSON.parse(line) as Told
      all.push(one)
      onTold(one)
    }
  }
  const looking = setInterval(look, PERIOD)
  const complaint = await vitest(root, planned)
  clearInterval(looking)
  look()
  if (existsSync(folder)) rmSync(folder, { recursive: true })
  if (all.length === 0) throw new Error(`the tests told of nothing: ${complaint}`)
  return all
}

function vitest(root: string, planned: string): Promise<string> {
  const words = ['run', '--config', 'bench/mutate/broken-line.ts', '--silent', '--reporter', 'dot']
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...words], {
    cwd: root,
    env: { ...process.env, MUTATION_PLAN: planned },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  const keep = (piece: string) => (complaint = (complaint + piece).slice(-3000))
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  return new Promise((resolve) => child.once('close', () => resolve(complaint)))
}
