// The examples, each in a process of its own that must print what is expected and end by itself. They run on the built package.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createNamespace, exec, type Namespace, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { Postgres } from '../support/postgres.ts'
import { root } from '../support/source-tree.ts'

const built = (name: string) => join(root, '.examples', `${name}.js`)

async function run(name: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const { code, stdout, stderr } = await exec(process.execPath, [built(name)], { env: { ...process.env, ...env } })
  if (code !== 0 || stderr !== '') throw new Error(`${name} ended with ${code}: ${stderr}`)
  return stdout.trim().split('\n')
}

beforeAll(async () => {
  const { code, stdout } = await exec(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'examples')])
  expect([code, stdout]).toEqual([0, ''])
})

/** What each prints. */
const PRINTED: Record<string, string[]> = {
  http: ['GET /one from 127.0.0.1 on a new connection', 'GET /two from 127.0.0.1 on the same connection'],
  undici: ['200 hello', '200 /secret'],
  websocket: ['127.0.0.1 says hello', '127.0.0.1 says hello'],
  express: ['200 {"hello":"Ann","from":"127.0.0.1"}'],
  fastify: ['http://127.0.0.1:80', '200 {"hello":"ann","from":"127.0.0.1"}'],
  https: ['/one from 127.0.0.1 by TLSv1.3', '/two from 127.0.0.1 by TLSv1.2 with a certificate that fits'],
  http2: [
    'h2 at 127.0.0.1 443: /one from 127.0.0.1, /two from 127.0.0.1',
    'h2c at 127.0.0.1 80: /one from 127.0.0.1, /two from 127.0.0.1',
  ],
}
const NEED_OPENSSL = ['https', 'http2', 'undici']
const hasOpenssl = spawnSync('openssl', ['version']).status === 0

describe('examples on a stack alone (some need openssl)', { concurrent: true }, () => {
  for (const [name, lines] of Object.entries(PRINTED)) {
    it.skipIf(!hasOpenssl && NEED_OPENSSL.includes(name))(name, async ({ expect }) => {
      expect(await run(name)).toEqual(lines)
    })
  }
})

describeOnKernel('examples on a TUN device', () => {
  let namespace: Namespace
  beforeEach(() => {
    namespace = createNamespace()
  })
  afterEach(() => namespace.dispose())

  it.skipIf(Postgres.programs === null)('postgres (needs PostgreSQL)', async () => {
    const postgres = await Postgres.start(namespace)
    try {
      const lines = await run('postgres', { NETNS: namespace.name })
      expect(lines).toEqual(["{ client: '10.7.0.2', twice: 42 }", "{ octets: '3889400' }", '2000 rows of 1000 octets'])
    } finally {
      await postgres.stop()
    }
  })

  it('gateway: what the kernel behind it reaches is reached, and what it does not is refused', async () => {
    // Clients in one namespace, the gateway and the servers behind it in another.
    const behind = createNamespace()
    try {
      await exec('ip', ['-netns', behind.name, 'address', 'add', '203.0.113.5/32', 'dev', 'lo'])
      const program = `require('http').createServer((q, r) => q.pipe(r)).listen(8080, '203.0.113.5', () => console.log('up'))`
      const server = behind.start(process.execPath, ['-e', program])
      const gateway = behind.start(process.execPath, [built('gateway')], {
        env: { ...process.env, NETNS: namespace.name },
      })
      let words = ''
      for (const child of [server, gateway]) {
        for (const stream of [child.stdout, child.stderr])
          stream?.setEncoding('utf8').on('data', (text) => (words += text))
      }
      await until('both are up', () => words.includes('up\n') && words.includes('anywhere\n'))
      await exec('ip', ['-netns', namespace.name, 'route', 'add', 'default', 'dev', 'tun0'])
      const curl = (...args: string[]) => namespace.exec('curl', ['-sS', '--noproxy', '*', ...args])
      const input = 'x'.repeat(1_000_000)
      const echo = await namespace.exec('curl', ['-sS', '--data-binary', '@-', 'http://203.0.113.5:8080/'], { input })
      expect([echo.code, echo.stdout === input]).toEqual([0, true])
      const many = await curl('-Z', '-o', '/dev/null', '-w', '%{http_code} ', 'http://203.0.113.5:8080/[1-50]')
      expect(many.stdout).toBe('200 '.repeat(50))
      const refused = await curl('http://203.0.113.5:81/')
      expect(refused.code).toBe(7)
      expect(refused.stderr).toMatch(/refused|Couldn't connect/)
    } finally {
      await behind.dispose()
    }
  })
})
