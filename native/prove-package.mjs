// Proves that the published package needs no install script and no compiler: packs it, installs it elsewhere with
// --ignore-scripts and a PATH on which no compiler is, and opens a TUN device in a namespace of its own. Run as root by
// `npm run prove -- package`. Prints a line a claim, and last the figure; the exit code is the verdict.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const COMPILERS = ['cc', 'gcc', 'g++', 'clang', 'make', 'python3', 'musl-gcc']
const namespace = `tunstack-package-${process.pid}`

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000, ...options })
  if (status !== 0) throw new Error(`${command} ${args[0]}: ${error?.message ?? `${stdout}\n${stderr}`.trim()}`)
  return stdout
}

/** The path of a command, or null. */
function locate(name) {
  const path = (process.env.PATH ?? '')
    .split(':')
    .map((directory) => join(directory, name))
    .find(existsSync)
  return path === undefined ? null : realpathSync(path)
}

function pack(folder) {
  const [{ filename, size, files }] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT }),
  )
  return { tarball: join(folder, filename), size, paths: files.map(({ path }) => path) }
}

/** A PATH with Node, npm, a shell and ip, and nothing that could compile. */
function barePath(folder) {
  mkdirSync(folder)
  symlinkSync(process.execPath, join(folder, 'node'))
  for (const name of ['npm', 'sh', 'ip']) symlinkSync(locate(name), join(folder, name))
  const found = COMPILERS.filter((name) => existsSync(join(folder, name)))
  if (found.length > 0) throw new Error(`the bare PATH has ${found.join(', ')}`)
  return { ...process.env, PATH: folder, NODE_PATH: '' }
}

const OPEN = `
  const { openTun, PacketBatch } = await import('tunstack/tun')
  const { createRequire } = await import('node:module')
  if (createRequire(process.cwd() + '/').call(null, 'tunstack/tun').openTun !== openTun) throw new Error('require gives another module')
  const device = openTun({ netns: process.argv[1], address: ['10.7.0.1/24', 'fd00:7::1/64'] })
  const batch = new PacketBatch({ headroom: device.headroom })
  const [path] = Object.keys(createRequire(process.cwd() + '/').cache).filter((name) => name.endsWith('.node'))
  device.watch(() => {
    const received = device.receive(batch)
    device.close()
    console.log(JSON.stringify({ name: device.name, offload: device.offload, received, path }))
  })
`

const claims = []
function claim(name, holds, figure) {
  claims.push(holds)
  console.log(`${holds ? 'holds' : 'falls short'}: ${name}: ${figure}`)
}

function main(folder) {
  const { tarball, size, paths } = pack(folder)
  const binaries = paths.filter((path) => path.startsWith('prebuilds/') && path.endsWith('.node'))
  claim('the tarball carries a binary for each of four kinds of Linux', binaries.length === 4, binaries.join(', '))
  const missing = ['dist/index.js', 'dist/node/tun-device.js', 'dist/node/tun-device.d.ts'].filter(
    (path) => !paths.includes(path),
  )
  claim(
    'the tarball carries the built library',
    missing.length === 0,
    missing.length === 0 ? `${paths.length} files` : `without ${missing}`,
  )
  if (binaries.length !== 4 || missing.length > 0) return 'the tarball is not complete'

  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  const env = barePath(join(folder, 'bin'))
  run('npm', ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', tarball], {
    cwd: project,
    env,
  })
  const installed = join(project, 'node_modules', 'tunstack')
  claim(
    'nothing was built there',
    !existsSync(join(installed, 'build')),
    `${statSync(tarball).size} octets installed as they came`,
  )

  run('ip', ['netns', 'add', namespace])
  const output = run('node', ['--input-type=module', '-e', OPEN, namespace], { cwd: project, env, timeout: 30_000 })
  const opened = JSON.parse(output)
  claim(
    'tunstack/tun opens a device, and receives what the kernel sends',
    opened.path.startsWith(realpathSync(join(installed, 'prebuilds'))) && opened.received > 0,
    `${opened.name}, ${opened.received} packet(s), by ${opened.path.slice(realpathSync(installed).length + 1)}`,
  )
  return `${opened.name} opened; the tarball has ${Math.round(size / 1000)} kB`
}

const folder = mkdtempSync(join(tmpdir(), 'tunstack-package-'))
try {
  console.log(main(folder))
  process.exitCode = claims.every(Boolean) ? 0 : 1
} catch (error) {
  console.log(`falls short: ${error.message}`)
  process.exitCode = 1
} finally {
  spawnSync('ip', ['netns', 'delete', namespace], { stdio: 'ignore' })
  rmSync(folder, { recursive: true, force: true })
}
