// The claims of `prove -- testkit` about test runners: one program, an hour of virtual time on two hosts, as a test file of each runner.
// Jest is fetched from npm into a temporary folder, or found where JEST_FOLDER says (a folder that has it in `node_modules`).
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { contractFolder, PROGRAMS } from '../../test/support/contract.ts'
import { CannotMeasure, type Claim } from './claim.ts'
import { project } from './project.ts'

const root = fileURLToPath(project)

/** Fetching Jest may take its time. */
const PATIENCE = 20 * 60_000

interface Run {
  name: string
  command: string
  args: string[]
  environment?: Record<string, string>
}

/** Says of each run whether it passed. */
function runAll(folder: string, runs: readonly Run[]): { figure: string; holds: boolean } {
  const results = runs.map(({ name, command, args, environment }) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, ...environment },
      timeout: 120_000,
    })
    if (status !== 0) console.error(stdout, stderr)
    return `${name} ${status === 0 ? 'passes' : 'fails'}`
  })
  return { figure: results.join(', '), holds: results.every((result) => result.endsWith('passes')) }
}

function onVitest() {
  const modules = join(root, 'node_modules')
  const folder = contractFolder({ tunstack: root, vitest: join(modules, 'vitest') })
  try {
    return runAll(
      folder,
      ['threads', 'forks', 'vmThreads', 'vmForks'].map((pool) => ({
        name: pool,
        command: join(modules, '.bin', 'vitest'),
        args: ['run', '--pool', pool, PROGRAMS.vitest.file],
      })),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function onNode() {
  const folder = contractFolder({ tunstack: root })
  try {
    return runAll(folder, [
      { name: 'an ES module', command: process.execPath, args: [PROGRAMS.esm.file] },
      { name: 'CommonJS', command: process.execPath, args: [PROGRAMS.commonjs.file] },
      { name: 'node:test', command: process.execPath, args: ['--test', PROGRAMS.nodeTest.file] },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Jest as its users install it, with the package as npm packs it: copied, since Jest looks at real paths. */
function onJest() {
  const given = process.env.JEST_FOLDER
  const jest = given ?? mkdtempSync(join(tmpdir(), 'tunstack-jest-'))
  const folder = contractFolder({})
  try {
    if (given === undefined) {
      writeFileSync(join(jest, 'package.json'), '{ "private": true }')
      const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', 'jest@30']
      const { status } = spawnSync('npm', args, { cwd: jest, timeout: PATIENCE, stdio: 'ignore' })
      if (status !== 0) throw new CannotMeasure('jest could not be fetched from npm')
    }
    const packed = join(folder, 'node_modules', 'tunstack')
    for (const part of ['dist', 'package.json', 'prebuilds']) {
      cpSync(join(root, part), join(packed, part), { recursive: true })
    }
    writeFileSync(join(folder, 'jest.config.json'), '{ "transform": {}, "testMatch": ["**/jest-*.test.?(m)js"] }')
    const command = join(jest, 'node_modules', '.bin', 'jest')
    const args = ['-c', 'jest.config.json', '--rootDir', folder]
    return runAll(folder, [
      { name: 'require', command, args: [...args, PROGRAMS.jestCommonjs.file] },
      {
        name: 'import',
        command,
        args: [...args, PROGRAMS.jestEsm.file],
        environment: { NODE_OPTIONS: '--experimental-vm-modules' },
      },
    ])
  } finally {
    rmSync(folder, { recursive: true })
    if (given === undefined) rmSync(jest, { recursive: true })
  }
}

export const runners: Claim[] = [
  {
    name: 'the kit from an ES module, from CommonJS and under node:test',
    bar: 'each passes',
    measure: async () => onNode(),
  },
  { name: "the kit in vitest's pools", bar: 'each passes', measure: async () => onVitest() },
  { name: 'the kit in Jest 30, by `require` and by `import`', bar: 'each passes', measure: async () => onJest() },
]
