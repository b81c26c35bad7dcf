// The packed tarball: installed elsewhere without scripts and without a compiler, it opens a device.
// The work is done by native/prove-package.mjs, whose last line is the figure and whose exit code is the verdict.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { exec } from '../../test/support/namespace.ts'
import { CannotMeasure, type Claim } from './claim.ts'
import { project } from './project.ts'

export const claims: Claim[] = [
  {
    name: 'the packed tarball, installed with --ignore-scripts and no compiler on the PATH, opens a device by tunstack/tun',
    bar: 'it opens',
    async measure() {
      const script = fileURLToPath(new URL('native/prove-package.mjs', project))
      if (!existsSync(script)) throw new CannotMeasure('native/prove-package.mjs is not there')
      const { code, stdout, stderr } = await exec(process.execPath, [script], { timeout: 600_000 })
      const lines = (stdout.trim() || stderr.trim()).split('\n')
      const failure = lines.find((line) => line.startsWith('falls short: '))?.slice('falls short: '.length)
      return { figure: failure ?? lines.at(-1) ?? '', holds: code === 0 }
    },
  },
]
