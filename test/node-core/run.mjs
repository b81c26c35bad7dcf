// Runs Node's own tests of `net` and `dgram` with a stack's module in the place of Node's. They are not in this repository: fetch.sh brings
// them. A line a file (PASS name, FAIL name: why, SKIP name: why), then a total; what is skipped, and why, stands in skip.mjs.
//   npm run test:node-core -- FOLDER PATTERN      FOLDER holds `parallel` and `common`; PATTERN is a glob on file names, or several
// With --in-host, on a simulated host: run-in-host.mjs. With --limit SECONDS, a file may take that long (60 unless told).
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { flagsOf, run } from './run-file.mjs'
import { runInHost } from './run-in-host.mjs'
import { despite, names, rules } from './skip.mjs'

const LIMIT = 60
const PRELOAD = new URL('./preload.mjs', import.meta.url).href
const BUILT = fileURLToPath(new URL('../../dist/index.js', import.meta.url))

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

function moduleOf(name) {
  return /^test-(net|dgram)-/.exec(name)?.[1] ?? null
}

function runReplaced(root, name, text, limit) {
  const args = [...flagsOf(text), '--import', PRELOAD, join(root, 'parallel', name)]
  return run(root, args, { limit, environment: { TUNSTACK_REPLACES: moduleOf(name) } })
}

async function main(given) {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: { 'in-host': { type: 'boolean', default: false }, limit: { type: 'string', default: `${LIMIT}` } },
  })
  const isInHost = values['in-host']
  const limit = Number(values.limit) * 1000
  const [folder, ...patterns] = positionals
  if (folder === undefined || !existsSync(join(folder, 'parallel'))) {
    throw new Error(
      'usage: npm run test:node-core -- FOLDER [PATTERN ...] [--in-host] [--limit SECONDS], where FOLDER holds "parallel" and "common"',
    )
  }
  if (!existsSync(BUILT)) throw new Error('dist is missing: npm run prepare builds it')
  const usual = isInHost ? ['test-http-*'] : ['test-net-*', 'test-dgram-*']
  const globs = (patterns.length === 0 ? usual : patterns).map(toPattern)
  const root = resolve(folder)
  const files = readdirSync(join(root, 'parallel'))
    .filter(
      (name) => /\.m?js$/.test(name) && (isInHost || moduleOf(name) !== null) && globs.some((glob) => glob.test(name)),
    )
    .sort()
  const isVerbose = process.env.VERBOSE === '1'
  if (isInHost) {
    process.exitCode = (await runInHost(root, files, { limit, isVerbose })) ? 0 : 1
    return
  }
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
      const { failure, skipped, output } = await runReplaced(root, name, text, limit)
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
