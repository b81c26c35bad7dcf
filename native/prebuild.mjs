// `npm run prebuild`, and `prepack` with --pack: the addon for linux x64 and arm64, glibc and musl, into prebuilds/, for the published package.
// Needs Debian's gcc, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and musl-tools.
// The binaries name no library and no symbol version: what they call of the C library is what both glibc and musl have,
// and it is found at load in the process of Node, so that any Node >= 20 on any distribution will do. That is checked here.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nodeDirectory } from './build.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const SOURCES = [
  'module',
  'arguments',
  'idle',
  'tun',
  'opening',
  'interface',
  'netlink',
  'packets',
  'checksum',
  'merge',
  'segment',
  'outgoing',
  'ring',
]
const FLAGS = [
  ...['-std=c11', '-O2', '-fPIC', '-Wall', '-Wextra', '-Wno-cast-function-type', '-fvisibility=hidden'],
  // Whose helper functions only one of the two C libraries has.
  ...['-fno-stack-protector', '-U_FORTIFY_SOURCE'],
  ...['-D_GNU_SOURCE', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tunstack'],
  ...['-shared', '-nostdlib', '-s', '-Wl,-z,now', '-Wl,-z,relro', '-Wl,--build-id=none'],
]
/** What glibc since 2.28 and musl since 1.2 both have, under one name and with one meaning. */
const C_LIBRARY = new Set(
  `__errno_location calloc close free inet_pton ioctl memcmp memcpy memmove memset mmap mount munmap open pthread_create
   pthread_join read readv recv send setns snprintf socket strchr strlen syscall unshare write writev`.split(/\s+/),
)

const here = { x64: 'x86_64', arm64: 'aarch64' }[process.arch]
const gcc = (processor) => [`${processor}-linux-gnu-gcc`, ...(here === processor ? ['gcc', 'cc'] : [])]
const MUSL = [`-idirafter`, '/usr/include', '-idirafter', `/usr/include/${here}-linux-gnu`]
const TARGETS = [
  { folder: 'linux-x64-glibc', compilers: gcc('x86_64'), flags: [] },
  { folder: 'linux-arm64-glibc', compilers: gcc('aarch64'), flags: [] },
  // The headers of glibc serve for musl too: nothing here uses a type that the two lay out differently. Where musl's own
  // compiler is at hand, it is taken, and proves that.
  ...['x64', 'arm64'].map((arch) => ({
    folder: `linux-${arch}-musl`,
    compilers: [...(arch === process.arch ? ['musl-gcc'] : []), ...gcc({ x64: 'x86_64', arm64: 'aarch64' }[arch])],
    flags: arch === process.arch && findCommand(['musl-gcc']) ? MUSL : [],
  })),
]

function findCommand(names) {
  const directories = (process.env.PATH ?? '').split(':')
  return names.find((name) => directories.some((directory) => existsSync(join(directory, name)))) ?? null
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`)
  if (stderr !== '') console.error(stderr)
  return stdout
}

/** Fails where the binary would ask for something that not every Linux has. */
function verify(path) {
  const needed = run('readelf', ['-W', '-d', path]).match(/\(NEEDED\).*/g) ?? []
  if (needed.length > 0) throw new Error(`${path} needs a library: ${needed.join(', ')}`)
  const symbols = run('readelf', ['-W', '--dyn-syms', path]).split('\n')
  const wanted = symbols.filter((line) => / UND \S/.test(line)).map((line) => line.trim().split(/\s+/)[7])
  const foreign = wanted.filter((name) => !/^(napi_|uv_)/.test(name) && !C_LIBRARY.has(name))
  if (foreign.length > 0) throw new Error(`${path} uses what not every C library has: ${foreign.join(', ')}`)
  return wanted.length
}

function main() {
  // What an earlier build left of files that are gone would be packed too; `prepare`, which comes next, builds anew.
  if (process.argv.includes('--pack')) rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
  const headers = nodeDirectory()
  if (headers === null)
    throw new Error('the headers of Node (include/node/node_api.h) are not beside it: set npm_config_nodedir')
  for (const { folder, compilers, flags } of TARGETS) {
    const compiler = findCommand(compilers)
    if (compiler === null)
      throw new Error(
        `no compiler for ${folder} (${compilers.join(' or ')}): install gcc, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and musl-tools`,
      )
    const target = join('prebuilds', folder, 'tunstack.node')
    rmSync(join(ROOT, 'prebuilds', folder), { recursive: true, force: true })
    mkdirSync(join(ROOT, 'prebuilds', folder), { recursive: true })
    const sources = SOURCES.map((name) => join('native', `${name}.c`))
    run(compiler, [...FLAGS, ...flags, '-I', join(headers, 'include/node'), '-o', target, ...sources])
    console.error(`${target}: ${compiler}, ${verify(target)} symbols to find at load`)
  }
}

try {
  main()
} catch (error) {
  console.error(`tunstack: ${error.message}`)
  process.exitCode = 1
}
