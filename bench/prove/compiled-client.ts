// Programs of bench/clients in C, each compiled when it is first wanted: what the compiler makes is gone with this process.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CannotMeasure } from './claim.ts'
import { project } from './project.ts'

const compiled = new Map<string, string>()

/** The path of the program made of `NAME.c`. */
export function compiledClient(name: string): string {
  const path = compiled.get(name) ?? compile(name)
  compiled.set(name, path)
  return path
}

function compile(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-client-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const path = join(folder, name)
  const source = fileURLToPath(new URL(`bench/clients/${name}.c`, project))
  const { status, error, stderr } = spawnSync('cc', ['-O2', '-o', path, source], { encoding: 'utf8' })
  if (status !== 0) throw new CannotMeasure(`${name} can't be compiled: ${error?.message ?? stderr.trim()}`)
  return path
}
