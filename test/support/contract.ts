// The promise of 'tunstack/simulate' to whoever installs it, as programs for several runners: an ordinary server and `fetch`, an hour of virtual
// time, `Date`, and nothing left behind. Each program is written into a folder in which the package is found by its name.
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What a program does after it has `simulate`, `http` and `equal(actual, expected)`. */
const BODY = `
async function work() {
  const network = simulate({ seed: 7 })
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 10 })
  const seen = await network.run(async () => {
    const serve = () => http.createServer((request, response) => {
      setTimeout(() => response.end('hello ' + request.url), 3_600_000)
    }).listen(80)
    const listening = server.start(serve)
    listening.requestTimeout = 0
    const began = Date.now()
    const text = await client.run(async () => {
      const request = http.get('http://server/there')
      const response = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject))
      let all = ''
      for await (const octets of response) all += octets
      return all
    })
    const status = await client.run(async () => (await fetch('http://server:81/').catch((error) => error.cause)).code)
    listening.close()
    return [text, status, Date.now() - began, new Date().toISOString()]
  })
  network.expectNoLeaks()
  equal(JSON.stringify(seen), JSON.stringify(['hello /there', 'ECONNREFUSED', 3600080, '2025-01-01T01:00:00.080Z']))
  equal(Date.now() > Date.parse('2025-06-01'), true)
}
`
const EQUAL =
  "function equal(actual, expected) { if (actual !== expected) throw new Error(actual + ' is not ' + expected) }"
const IMPORTS = "import http from 'node:http'\nimport { simulate } from 'tunstack/simulate'"
const REQUIRES = "const http = require('node:http')\nconst { simulate } = require('tunstack/simulate')"

/** Programs by what runs them, with the files that they are written into. */
export const PROGRAMS = {
  esm: { file: 'program.mjs', text: `${IMPORTS}\n${EQUAL}\n${BODY}\nawait work()` },
  commonjs: { file: 'program.cjs', text: `${REQUIRES}\n${EQUAL}\n${BODY}\nwork()` },
  nodeTest: {
    file: 'node.test.mjs',
    text: `${IMPORTS}\nimport { test } from 'node:test'\n${EQUAL}\n${BODY}\ntest('contract', work)`,
  },
  vitest: {
    file: 'vitest.test.mjs',
    text: `${IMPORTS}\nimport { test } from 'vitest'\n${EQUAL}\n${BODY}\ntest('contract', work)`,
  },
  jestEsm: { file: 'jest-esm.test.mjs', text: `${IMPORTS}\n${EQUAL}\n${BODY}\ntest('contract', work)` },
  jestCommonjs: { file: 'jest-commonjs.test.js', text: `${REQUIRES}\n${EQUAL}\n${BODY}\ntest('contract', work)` },
} as const

/** A folder with all of them, in which these packages are found, each by where it lies. */
export function contractFolder(packages: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-contract-'))
  mkdirSync(join(folder, 'node_modules'))
  for (const [name, path] of Object.entries(packages)) symlinkSync(path, join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  for (const { file, text } of Object.values(PROGRAMS)) writeFileSync(join(folder, file), text)
  return folder
}
