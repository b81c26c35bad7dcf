// The dashboard's page as files: one of markup, one of style, one of script, each also compressed. `npm run prepare` puts them into
// dist/dashboard, from where `tunstack serve` serves them; `npm run playground -- --out FOLDER` writes the same page for any web
// server, or none at all. The bundler is needed here alone.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const PAGE = join(ROOT, 'src', 'dashboard')
/** Where `tunstack serve` looks for it; `--dist` writes there. */
export const SERVED = join(ROOT, 'dist', 'dashboard')

/** Writes the page into the folder; the octets of each file, as they are and compressed. `isServed`: by a stack, whose state it can ask for. */
export async function bundle(folder, { isServed, isCompressed }) {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: { page: join(PAGE, 'main.ts'), style: join(PAGE, 'page.css') },
    bundle: true,
    minify: true,
    write: false,
    outdir: folder,
    // A classic script: pages that were opened as a file may load no modules.
    format: 'iife',
    platform: 'browser',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    legalComments: 'none',
    logLevel: 'warning',
  })
  const markup = readFileSync(join(PAGE, 'index.html'), 'utf8')
  const files = new Map([
    ['index.html', Buffer.from(isServed ? markup : markup.replace('data-served="yes"', 'data-served="no"'))],
  ])
  for (const { path, contents } of outputFiles) {
    const name = path.endsWith('.css') ? 'page.css' : 'page.js'
    files.set(name, Buffer.from(contents))
  }
  mkdirSync(folder, { recursive: true })
  const sizes = {}
  for (const [name, octets] of files) {
    const compressed = gzipSync(octets, { level: 9 })
    writeFileSync(join(folder, name), octets)
    rmSync(join(folder, `${name}.gz`), { force: true })
    if (isCompressed) writeFileSync(join(folder, `${name}.gz`), compressed)
    sizes[name] = { octets: octets.length, compressed: compressed.length }
  }
  return sizes
}

async function main() {
  const { values } = parseArgs({ options: { out: { type: 'string' }, dist: { type: 'boolean' } } })
  if (values.dist === true) {
    await bundle(SERVED, { isServed: true, isCompressed: true })
    return
  }
  if (values.out === undefined) {
    console.error('npm run playground -- --out FOLDER')
    process.exitCode = 2
    return
  }
  const sizes = await bundle(resolve(process.env.INIT_CWD ?? '.', values.out), { isServed: false, isCompressed: false })
  for (const [name, { octets, compressed }] of Object.entries(sizes))
    console.log(`${name}: ${octets} octets, ${compressed} compressed`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
