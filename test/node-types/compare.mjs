// Compares the types of `stack.net` and `stack.dgram` with those of @types/node: what is missing, what differs (a stack's can't be used where
// Node's is asked for), and what there is beyond. The compiler answers; docs/types.md has the list with the reasons, and a test holds it.
//   node test/node-types/compare.mjs
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What is compared: its name, Node's type, ours. */
const PAIRS = [
  ['net', "Omit<typeof import('node:net'), 'default'>", 'Net'],
  ['net.Socket', "import('node:net').Socket", 'StackSocket'],
  ['new net.Socket(options)', "import('node:net').SocketConstructorOpts", 'SocketOptions'],
  ['net.connect(options)', "import('node:net').TcpNetConnectOpts", 'SocketOptions & ConnectOptions'],
  ['net.Server', "import('node:net').Server", 'StackServer'],
  ['net.createServer(options)', "import('node:net').ServerOpts", 'ServerOptions'],
  ['server.listen(options)', "import('node:net').ListenOptions", 'ListenOptions'],
  ['dgram', "Omit<typeof import('node:dgram'), 'default'>", 'Dgram'],
  ['dgram.Socket', "import('node:dgram').Socket", 'DgramSocket'],
  ['dgram.createSocket(options)', "import('node:dgram').SocketOptions", 'DgramSocketOptions'],
]

/** Names that begin with an underline are nobody's affair. The probe is no member's name, so that the compiler has to tell them all. */
const PROBE = `
type Public<Type> = Exclude<keyof Type, \`_\${string}\`>
type Missing<Theirs, Ours> = Exclude<Public<Theirs>, keyof Ours>
type Extra<Theirs, Ours> = Exclude<Extract<Public<Ours>, string>, keyof Theirs>
type Differing<Theirs, Ours> = Exclude<
  { [Key in Public<Theirs> & keyof Ours]: Ours[Key] extends Theirs[Key] ? never : Key }[Public<Theirs> & keyof Ours],
  never
>
`

const ALIASES = { missing: 'Missing', differs: 'Differing', extra: 'Extra' }

function probeText() {
  const ours = PAIRS.flatMap(([, , type]) => type.split(' & '))
  const lines = PAIRS.flatMap(([, theirs, type], at) =>
    Object.entries(ALIASES).map(([kind, alias]) => `export const ${kind}${at}: ${alias}<${theirs}, ${type}> = '!'`),
  )
  const imported = `import type { ${[...new Set(ours)].join(', ')} } from ${JSON.stringify(join(root, 'src/index.ts'))}`
  return `${imported}\n${PROBE}\n${lines.join('\n')}\n`
}

/** For each pair the names of what is missing, what differs and what is extra. */
export async function compareTypes() {
  const folder = mkdtempSync(join(tmpdir(), 'node-types-'))
  try {
    const text = probeText()
    writeFileSync(join(folder, 'probe.mts'), text)
    const compilerOptions = {
      composite: false,
      incremental: false,
      noEmit: true,
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      noErrorTruncation: true,
      skipLibCheck: true,
      lib: ['ES2023', 'WebWorker'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    }
    const project = { extends: join(root, 'src/tsconfig.base.json'), compilerOptions, files: ['probe.mts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
    return readAnswers(text, await compile(folder))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compile(folder) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [compiler, '-p', folder, '--pretty', 'false'],
      { cwd: folder, maxBuffer: 1 << 26 },
      (_error, stdout) => resolve(stdout),
    )
  })
}

function readAnswers(text, output) {
  const lines = text.split('\n')
  const results = PAIRS.map(([name]) => ({ name, missing: [], differs: [], extra: [] }))
  let answered = 0
  for (const line of output.split('\n')) {
    const [, number, type] =
      /probe\.mts\((\d+),\d+\): error TS2322: Type '"!"' is not assignable to type '(.*)'\.$/.exec(line) ?? []
    if (number === undefined) {
      if (/error TS/.test(line)) throw new Error(line)
      continue
    }
    const [, kind, at] = /const (missing|differs|extra)(\d+)/.exec(lines[Number(number) - 1])
    results[at][kind] = type === 'never' ? [] : type.split(' | ').map(memberName).sort()
    answered++
  }
  if (answered !== PAIRS.length * 3)
    throw new Error(`the compiler has answered ${answered} of ${PAIRS.length * 3} questions:\n${output}`)
  return results
}

/** `"connect"` is connect; `unique symbol`s go by the name that the program has for them. */
function memberName(type) {
  if (type.startsWith('"')) return JSON.parse(type)
  return type.startsWith('typeof ') ? `[${type.slice('typeof '.length)}]` : type
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, ...kinds } of await compareTypes()) {
    console.log(name)
    for (const [kind, members] of Object.entries(kinds)) {
      if (members.length > 0) console.log(`  ${kind}: ${members.join(', ')}`)
    }
  }
}
