// Runs Node's own tests of `net` and `dgram` with a stack's module in the place of Node's. They are not in this repository: fetch.sh brings
// them. A line a file (PASS name, FAIL name: why, SKIP name: why), then a total; what is skipped, and why, stands in skip.mjs.
//   npm run test:node-core -- FOLDER PATTERN      FOLDER holds `parallel` and `common`; PATTERN is a glob on file names, or several
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { despite, names, rules } from './skip.mjs'

const LIMIT = 60_000
const PRELOAD = new URL('./preload.mjs', import.meta.url).href
const BUILT = fileURLToPath(new URL('../../dist/index.js', import.meta.url))
/** The runner's own: the tests of a release ask for exactly its Node. */
const ENVIRONMENT = { ...process.env, NODE_TEST_KNOWN_GLOBALS: '0' }

function toPattern(glob) {
  const alternatives = glob.replace(/\{([^}]*)\}/g, (_, list) => `(?:${list.split(',').join('|')})`)
  return new RegExp(
    `^${alternatives
      .replace(/\./g, '\\.')
      .replace(/\*/g, '.*')
      .replace(/(?<!\()\?(?!:)/g, '.')}$`,
  )
}

/** Why a file can't apply; null where it can. */
function whySkip(name, text) {
  if (name in names) return names[name]
  if (name in despite) return null
  return rules.find((rule) => rule.name?.test(name) || rule.text?.test(text))?.why ?? null
}

/** What a file's head asks Node for. */
function flagsOf(text) {
  const flags = /^\/\/ Flags:(.*)$/m.exec(text)?.[1].trim()
  return flags === undefined ? [] : flags.split(/\s+/)
}

function moduleOf(name) {
  return /^test-(net|dgram)-/.exec(name)?.[1] ?? null
}

/** Null where it passes; else why it fails, in a line. */
function run(folder, name, text) {
  const file = join(folder, 'parallel', name)
  const env = { ...ENVIRONMENT, TUNSTACK_REPLACES: moduleOf(name) }
  const child = spawn(process.execPath, [...flagsOf(text), '--import', PRELOAD, file], { cwd: folder, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (output += part))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, LIMIT)
  return new Promise((done) => {
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (isLate) done({ failure: `did not end in ${LIMIT / 1000} s`, output })
      else if (code === 0) done({ failure: null, skipped: /^1\.\.0 # Skipped: (.*)$/m.exec(output)?.[1], output })
      else done({ failure: summary(output) || `ended with ${signal ?? code}`, output })
    })
  })
}

function summary(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const line = lines.find((one) => /^\s*(?:\w*Error\b|Mismatched|.*\[ERR_)/.test(one)) ?? lines.at(-1) ?? ''
  return line.trim().slice(0, 200)
}

async function main([folder, ...patterns]) {
  if (folder === undefined || !existsSync(join(folder, 'parallel'))) {
    throw new Error('usage: npm run test:node-core -- FOLDER PATTERN, where FOLDER holds "parallel" and "common"')
  }
  if (!existsSync(BUILT)) throw new Error('dist is missing: npm run prepare builds it')
  const globs = (patterns.length === 0 ? ['test-net-*', 'test-dgram-*'] : patterns).map(toPattern)
  const root = resolve(folder)
  const files = readdirSync(join(root, 'parallel'))
    .filter((name) => /\.m?js$/.test(name) && moduleOf(name) !== null && globs.some((glob) => glob.test(name)))
    .sort()
  const isVerbose = process.env.VERBOSE === '1'
  const counts = { PASS: 0, FAIL: 0, SKIP: 0 }
  const say = (verdict, name, why) => {
    counts[verdict]++
    console.log(why === undefined ? `${verdict} ${name}` : `${verdict} ${name}: ${why}`)
  }
  const work = files.values()
  const runner = async () => {
    for (const name of work) {
      const text = readFileSync(join(root, 'parallel', name), 'utf8')
      const why = whySkip(name, text)
      if (why !== null) {
        say('SKIP', name, why)
        continue
      }
      const { failure, skipped, output } = await run(root, name, text)
      if (failure !== null) say('FAIL', name, failure)
      else if (skipped !== undefined) say('SKIP', name, `the file itself says: ${skipped}`)
      else say('PASS', name)
      if (isVerbose && failure !== null) console.log(output)
    }
  }
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, runner))
  const ran = counts.PASS + counts.FAIL
  const share = (part, whole) => `${whole === 0 ? 100 : Math.floor((part * 1000) / whole) / 10}%`
  console.log(
    `${files.length} files: ${counts.PASS} of ${ran} pass (${share(counts.PASS, ran)}), ` +
      `${counts.FAIL} fail, ${counts.SKIP} skipped (${share(counts.SKIP, files.length)})`,
  )
  process.exitCode = counts.FAIL > 0 || files.length === 0 ? 1 : 0
}

await main(process.argv.slice(2))
