// The package without its native addon, from CommonJS, whose destructured functions are those of before: it works, and says once that it
// takes the slower way.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from '../../support/source-tree.ts'

const PROGRAM = `
const { createServer, get } = require('node:http')
const { setTimeout: sleep } = require('node:timers/promises')
const { setTimeout: later } = require('node:timers')
const { scrypt, randomBytes } = require('node:crypto')
const { gzip } = require('node:zlib')
const { readFile } = require('node:fs/promises')
const { promisify } = require('node:util')
const { simulate } = require('./dist/node/simulate.js')
async function once() {
  const network = simulate()
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 10 })
  const times = await network.run(async () => {
    server.run(() => createServer((request, response) => later(() => response.end('hello'), 1000)).listen(80))
    return client.run(async () => {
      later(() => {}, 50_000)
      const octets = await readFile(__filename)
      await promisify(gzip)(Buffer.concat(Array(200).fill(octets)))
      await promisify(scrypt)('password', 'salt', 32)
      randomBytes(16)
      const before = network.now()
      await new Promise((resolve) => get('http://server', (response) => response.resume().on('end', resolve)))
      const between = network.now()
      await sleep(500)
      return [before, between, network.now()]
    })
  })
  console.log(JSON.stringify(times))
}
once().then(once)
`

/** Else the package would be found where it really is, with its addon. */
const FROM_HERE = ['--preserve-symlinks', '--preserve-symlinks-main']

test('works without its addon, from CommonJS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-bare-'))
  try {
    symlinkSync(join(root, 'dist'), join(folder, 'dist'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'program.cjs'), PROGRAM)
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [...FROM_HERE, join(folder, 'program.cjs')])
    expect(stdout.trim().split('\n')).toEqual(['[0,1040,1540]', '[0,1040,1540]'])
    expect(stderr.match(/TUNSTACK_NO_ADDON/g)).toHaveLength(1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
