// The runner of Node's own tests, on files that are written here: what it prints, what it replaces, what it skips.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { exec } from '../support/namespace.ts'

const RUNNER = fileURLToPath(new URL('../node-core/run.mjs', import.meta.url))

const ECHO = `
  const server = net.createServer((socket) => socket.pipe(socket))
  server.listen(0, () => {
    const socket = net.connect(server.address().port)
    if (socket.tcpInfo === undefined || net === kernel) throw new Error('this is the kernel')
    socket.end('x')
    socket.on('close', () => server.close()).resume()
  })`
const IN_HOST = "Date.now() < Date.parse('2026-01-01')"
const FILES: Record<string, string> = {
  'test-net-passes.js': `const net = require('net'); const kernel = null; ${ECHO}
    if (require('node:net') !== net) throw new Error('not by its other name')`,
  'test-net-passes-too.mjs': `import net, { Socket } from 'node:net'; const kernel = null; ${ECHO}
    if (Socket !== net.Socket) throw new Error('two modules')`,
  'test-net-flags.js': "// Flags: --expose-gc\nrequire('assert')(typeof gc === 'function')",
  'test-net-fails.js': "require('assert').strictEqual(1, 2)",
  'test-net-http.js': "require('assert')(require('http').Agent.defaultMaxSockets === Infinity)",
  'test-dgram-state.js': `// Flags: --expose-internals
    const { kStateSymbol } = require('internal/dgram')
    const dgram = require('dgram')
    const socket = dgram.createSocket('udp4')
    if (socket[kStateSymbol].handle.fd !== -1) throw new Error('this is the kernel')
    socket.bind(() => socket.send('x', socket.address().port)).on('message', () => socket.close())`,
  'test-dgram-binding.js': "const { internalBinding } = require('internal/test/binding')\ninternalBinding('udp_wrap')",
  'test-net-pipe-of-some-kind.js': "throw new Error('skipped by its name')",
  'test-net-socket-path.js': "throw new Error('skipped by its name')",
  'test-net-internals.js': "// Flags: --expose-internals\nrequire('internal/x')",
  'test-net-cluster-thing.js': "const cluster = require('cluster')",
  'test-net-child.js': "const { spawn } = require('child_process')",
  'test-net-says-itself.js': "console.log('1..0 # Skipped: no reason')",
  'test-http-other.js': "throw new Error('not looked at')",
  'test-hosted-passes.js': `const net = require('net')
    if (require.main !== module || process.argv[1] !== __filename) throw new Error('not as the main module')
    let isClosed = false
    const server = net.createServer((socket) => socket.pipe(socket))
    server.listen(0, () => {
      setTimeout(() => net.connect(server.address().port, 'localhost').end('x').resume().on('close', () => server.close()), 10)
    })
    server.on('close', () => { isClosed = true })
    process.on('exit', () => require('assert')(isClosed))`,
  'test-hosted-ends-itself.mjs': 'setTimeout(() => process.exit(0), 10)\nsetTimeout(() => process.exit(1), 20)',
  'test-hosted-checks.js': "process.on('exit', () => require('assert')(process.exitCode === undefined))",
  'test-hosted-throws.js': `setTimeout(() => { if (${IN_HOST}) throw new Error('in a host') }, 1)`,
  'test-hosted-kernel.js': "throw new Error('everywhere')",
  'test-hosted-child.js': "const { spawn } = require('child_process')",
  'test-http-autoselectfamily.js': `if (${IN_HOST}) throw new Error('stands on the list')`,
}

const folder = mkdtempSync(join(tmpdir(), 'tunstack-'))
mkdirSync(join(folder, 'parallel'))
mkdirSync(join(folder, 'common'))
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, 'parallel', name), text)

afterAll(() => rmSync(folder, { recursive: true }))

/** Each file has a limit well below that of them all, so that one which hangs is named; where all are late, that is said. */
async function runFiles(...words: string[]) {
  const { code, stdout, stderr } = await exec(process.execPath, [RUNNER, folder, '--limit', '20', ...words], {
    timeout: 50_000,
  })
  expect(stderr).toBe('')
  return { code, stdout }
}

it('prints a line a file, with a reason, and a total', async () => {
  const { code, stdout } = await runFiles('test-*')
  const lines = stdout.trim().split('\n')
  const verdicts = Object.fromEntries(lines.slice(0, -1).map((line) => [line.split(/[ :]/)[1], line.split(' ')[0]]))
  expect(verdicts).toEqual({
    'test-net-passes.js': 'PASS',
    'test-net-passes-too.mjs': 'PASS',
    'test-net-flags.js': 'PASS',
    'test-net-http.js': 'PASS',
    'test-net-fails.js': 'FAIL',
    'test-dgram-state.js': 'PASS',
    'test-dgram-binding.js': 'SKIP',
    'test-net-pipe-of-some-kind.js': 'SKIP',
    'test-net-socket-path.js': 'SKIP',
    'test-net-internals.js': 'SKIP',
    'test-net-cluster-thing.js': 'SKIP',
    'test-net-child.js': 'SKIP',
    'test-net-says-itself.js': 'SKIP',
  })
  for (const line of lines) if (/^(?:FAIL|SKIP)/.test(line)) expect(line).toMatch(/^\w+ [\w.-]+: ./)
  expect(lines.at(-1)).toBe('13 files: 5 of 6 pass (83.3%), 1 fail, 7 skipped (53.8%)')
  expect(code).toBe(1)
})

it('takes patterns, and asks for a folder that holds tests', async () => {
  const { code, stdout } = await runFiles('test-net-{passes,http}*')
  expect(stdout).toContain('3 files: 3 of 3 pass (100%)')
  expect(code).toBe(0)
  const { stderr } = await exec(process.execPath, [RUNNER, join(folder, 'common')])
  expect(stderr).toContain('usage: npm run test:node-core')
})

it.each([[], ['--in-host']])('ends a file that does not end, and says so %s', async (...words) => {
  const other = join(folder, 'endless')
  mkdirSync(join(other, 'parallel'), { recursive: true })
  writeFileSync(join(other, 'parallel', 'test-net-endless.js'), 'setInterval(() => {}, 1000)')
  const { stdout } = await exec(process.execPath, [RUNNER, other, 'test-net-*', '--limit', '0.2', ...words])
  expect(stdout).toMatch(/^(?:FAIL|KERNEL) test-net-endless\.js: did not end in 0\.2 s, and was ended\n/)
})

it('runs files on a simulated host, beside the kernel', async () => {
  const { code, stdout } = await runFiles('test-hosted-*', 'test-http-auto*', '--in-host')
  const lines = stdout.trim().split('\n')
  expect(lines.slice(0, 7)).toEqual([
    'PASS test-hosted-checks.js',
    'SKIP test-hosted-child.js: another process, which has the kernel under it',
    'PASS test-hosted-ends-itself.mjs',
    'KERNEL test-hosted-kernel.js: Error: everywhere',
    'PASS test-hosted-passes.js',
    'FAIL test-hosted-throws.js: Error: in a host',
    expect.stringMatching(/^EXCEPT test-http-autoselectfamily\.js: asks a name server/),
  ])
  expect(lines.at(-1)).toBe(
    '7 files: 1 do not apply, 1 fail on the kernel, 5 pass on the kernel; of those 3 pass in a host (60%), ' +
      '1 do not and have their reason, 1 do not and have none',
  )
  expect(code).toBe(1)
})
