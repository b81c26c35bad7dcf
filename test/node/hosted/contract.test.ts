// The package as its users find it: by its name, as built, from an ES module, from CommonJS and under node:test. Other runners, which take
// longer, are tried by `npm run prove -- testkit`.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { quietly } from '../../support/addon.ts'
import { contractFolder, PROGRAMS } from '../../support/contract.ts'
import { exec } from '../../support/namespace.ts'
import { root } from '../../support/source-tree.ts'

const folder = contractFolder({ tunstack: root })

afterAll(() => rmSync(folder, { recursive: true }))

test.concurrent.each([
  ['an ES module', [PROGRAMS.esm.file]],
  ['CommonJS', [PROGRAMS.commonjs.file]],
  ['node:test', ['--test', PROGRAMS.nodeTest.file]],
])('works from %s', async (_, args) => {
  const { code, stdout, stderr } = await exec(process.execPath, [...quietly(), ...args], {
    cwd: join(folder),
    timeout: 30_000,
  })
  expect({ code, stderr, failed: /not ok/.test(stdout) ? stdout : '' }).toEqual({ code: 0, stderr: '', failed: '' })
})
