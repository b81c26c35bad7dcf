// `npm run prepare`: TypeScript, the dashboard's page and the addon of a clone. Run by npm after `npm install` and `npm ci`, before `npm pack`,
// and for a git dependency; never for one that installs the published package. The addon may fail without failing the
// install: everything but the TUN device works without it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle, SERVED } from './bundle.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Where Node's own headers lie, so that node-gyp downloads none; null where they can't be found. */
export function nodeDirectory() {
  const beside = dirname(dirname(realpathSync(process.execPath)))
  const candidates = [process.env.npm_config_nodedir, beside]
  return candidates.find((directory) => directory && existsSync(join(directory, 'include/node/node_api.h'))) ?? null
}

function buildTypeScript() {
  const compiler = join(ROOT, 'node_modules', '.bin', 'tsc')
  if (!existsSync(compiler)) {
    console.error(
      'tunstack: nothing was built, since the compiler of TypeScript is not installed (NODE_ENV=production and --omit=dev leave it out): run "npm install --include=dev".',
    )
    return null
  }
  const { status } = spawnSync(compiler, ['-b'], { cwd: ROOT, stdio: 'inherit' })
  return status === 0
}

/** Everything but the dashboard works without it. */
async function buildDashboard() {
  try {
    await bundle(SERVED, { isServed: true, isCompressed: true })
  } catch (error) {
    console.error(
      `tunstack: the dashboard was not built (${String(error.message).split('\n')[0]}): run "npm run prepare" once its bundler, esbuild, is there.`,
    )
  }
}

function nodeGyp() {
  const candidates = [
    process.env.npm_config_node_gyp,
    join(
      dirname(dirname(realpathSync(process.execPath))),
      'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js',
    ),
  ]
  return candidates.find((path) => path && existsSync(path)) ?? null
}

function buildAddon() {
  const path = nodeGyp()
  if (path === null) return 'node-gyp, which npm brings along, was not found'
  const directory = nodeDirectory()
  const options = directory === null ? [] : [`--nodedir=${directory}`]
  const { status, stderr } = spawnSync(process.execPath, [path, 'configure', 'build', ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  if (status === 0) return null
  return reasonOf(stderr)
}

/** The one line of node-gyp's many that says most. */
function reasonOf(output) {
  if (/ERR! find Python/.test(output)) return 'no Python was found'
  const lines = output.split('\n').map((line) => line.replace(/^gyp ERR! (stack )?/, '').trim())
  const telling = [/: (not found|No such file or directory|Permission denied)$/, /error:/, /^Error:/]
  return telling.map((pattern) => lines.find((line) => pattern.test(line))).find(Boolean) ?? 'node-gyp failed'
}

/** A git dependency takes what `files` names: the folder from which a published package loads its addon. */
function carry() {
  const report = process.report?.getReport()
  const library = report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc'
  const folder = join(ROOT, 'prebuilds', `linux-${process.arch}-${library}`)
  if (process.platform !== 'linux' || existsSync(join(folder, 'tunstack.node'))) return
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(ROOT, 'build', 'Release', 'tunstack.node'), join(folder, 'tunstack.node'))
}

async function main() {
  const built = buildTypeScript()
  if (built === null) return
  if (!built) {
    process.exitCode = 1
    return
  }
  await buildDashboard()
  const fault = buildAddon()
  if (fault === null) carry()
  else
    console.error(
      `tunstack: the native addon was not built (${fault}), so TUN devices can't be opened while all else works: install python3, make and g++, then run "npm run prepare".`,
    )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
