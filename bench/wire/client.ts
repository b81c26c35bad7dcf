// The kernel's end, compiled when it is first wanted: the compiler's output goes into a folder that is gone with this process.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CannotMeasure } from '../prove/claim.ts'
import { project } from '../prove/project.ts'

let compiled: string | null = null

export function wireClient(): string {
  compiled ??= compile()
  return compiled
}

function compile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-wire-'))
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const path = join(folder, 'wire-client')
  const source = fileURLToPath(new URL('bench/clients/wire-client.c', project))
  const { status, error, stderr } = spawnSync('cc', ['-O2', '-o', path, source], { encoding: 'utf8' })
  if (status !== 0) throw new CannotMeasure(`the client can't be compiled: ${error?.message ?? stderr.trim()}`)
  return path
}
