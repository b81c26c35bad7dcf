// The dashboard of `tunstack serve`, in headless Chromium through tun0: what it shows is what netstat says, nothing but the server is asked
// for anything, and no error is logged. And what curl sees of it: who is let in, what is kept, what is compressed.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNamespace, type Namespace, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { hasCommand, MAIN, type Running, serve, tunstack } from '../support/tunstack.ts'

const CLIENT = fileURLToPath(new URL('../../bench/clients/dashboard.mjs', import.meta.url))
const CHROMIUM = '/usr/bin/chromium'
const ORIGIN = 'http://10.7.0.2'
/** Ten times what a browser and three pages of it take here, where others may want the processors too. */
const PATIENCE = 120_000
const PAGE = `${ORIGIN}/_tunstack/`
/** Says something ten times a second, for as long as anybody looks. */
const TALKER = 'exec 3<>/dev/tcp/10.7.0.2/7; while echo hello >&3; do read -r <&3; sleep 0.1; done'

interface Seen {
  list: { agree: boolean; rows: number }
  connection: {
    segments: number
    points: number[]
    packets: number
    fields: number
    reasons: number
    state: string
    note: string
  }
  experiment: {
    steps: string[]
    middle: number
    end: number
    delivered: string
    lost: number
    again: number
    points: number[]
    ink: number[]
    states: number
    way: number
  }
  widths: number[]
  faults: string[]
  foreign: string[]
}

describeOnKernel('the dashboard', () => {
  let namespace: Namespace
  let running: Running

  beforeAll(async () => {
    namespace = createNamespace()
    running = await serve(namespace, '--services')
    namespace.start('bash', ['-c', TALKER])
    const pid = String(running.child.pid)
    await until('somebody talks', async () => (await tunstack(['netstat', '--pid', pid, '-tn'])).stdout.includes(':7 '))
  })

  afterAll(async () => {
    await namespace.dispose()
  })

  const curl = async (...args: string[]) => (await namespace.exec('curl', ['-sS', ...args])).stdout

  describe.skipIf(!hasCommand(CHROMIUM))('in Chromium', () => {
    it('shows what netstat says, one connection in full, and an experiment to its end', {
      timeout: PATIENCE,
    }, async () => {
      const args = [CLIENT, CHROMIUM, ORIGIN, String(running.child.pid), MAIN]
      if (process.env.SCREENSHOTS !== undefined) args.push(process.env.SCREENSHOTS)
      const { stdout, stderr } = await namespace.exec(process.execPath, args, { timeout: PATIENCE - 5000 })
      expect(stderr).toBe('')
      const { list, connection, experiment, widths, faults, foreign } = JSON.parse(stdout) as Seen
      expect({ faults, foreign }).toEqual({ faults: [], foreign: [] })
      expect(list).toMatchObject({ agree: true })
      expect(widths).toEqual([360, 360, 360])
      expect(list.rows).toBeGreaterThan(6)
      expect(connection).toMatchObject({ state: 'ESTABLISHED' })
      expect(connection.segments).toBeGreaterThanOrEqual(3)
      expect(connection.packets).toBeGreaterThanOrEqual(3)
      expect(connection.fields).toBeGreaterThanOrEqual(9)
      expect(connection.reasons).toBe(1)
      expect(Math.min(...connection.points)).toBeGreaterThan(0)
      expect(experiment.steps[0]).toContain('Packet 1: client → server')
      expect(new Set(experiment.steps).size).toBe(6)
      expect(experiment.middle).toBeGreaterThan(experiment.end * 0.2)
      expect(experiment.middle).toBeLessThan(experiment.end * 0.4)
      expect(experiment).toMatchObject({ delivered: '1.00 MB', states: 11 })
      expect(experiment.lost).toBeGreaterThan(0)
      expect(experiment.again).toBeGreaterThanOrEqual(experiment.lost)
      expect(Math.min(...experiment.points)).toBeGreaterThan(100)
      expect(Math.min(...experiment.ink)).toBeGreaterThan(1000)
    })
  })

  it('is compressed, kept until it changes, and asks nobody else for anything', async () => {
    const head = await curl('-I', '-H', 'Accept-Encoding: gzip', `${PAGE}page.js`)
    expect(head).toMatch(/^HTTP\/1\.1 200 /)
    expect(head).toMatch(/^Content-Encoding: gzip\r$/m)
    const etag = /^ETag: (.*)\r$/m.exec(head)?.[1] ?? ''
    expect(await curl('-I', '-H', `If-None-Match: ${etag}`, `${PAGE}page.js`)).toMatch(/^HTTP\/1\.1 304 /)
    const page = await curl('-i', PAGE)
    expect(page).toMatch(/^Content-Security-Policy: default-src 'none'; script-src 'self';/m)
    expect(page).not.toMatch(/^Content-Encoding/m)
    expect(await curl('-I', '-X', 'POST', PAGE)).toMatch(/^HTTP\/1\.1 405 /)
    expect(await curl('-I', `${PAGE}live`)).toMatch(/^HTTP\/1\.1 405 /)
  })

  it('is for the host side alone, says how others are let in, and can be left out', async () => {
    const add = (address: string) =>
      spawnSync('ip', ['-netns', namespace.name, 'address', 'add', address, 'dev', 'lo'], { encoding: 'utf8' }).stderr
    expect(add('192.0.2.7/32')).toBe('')
    const route = ['-netns', namespace.name, 'route', 'get', '10.7.0.2', 'from', '192.0.2.7']
    expect(spawnSync('ip', route, { encoding: 'utf8' }).stdout).toContain('tun0')
    await running.stop()
    running = await serve(namespace, '--any', '--dashboard-allow', '198.51.100.0/24')
    expect(await curl(PAGE)).toBe(
      'The dashboard is for 198.51.100.0/24, and you are 10.7.0.1: "tunstack serve --dashboard-allow 10.7.0.1" lets you in.\n',
    )
    await running.stop()
    running = await serve(namespace, '--any', '--no-dashboard')
    expect(await curl(`${PAGE}page.js`)).not.toContain('tunstack serve --dashboard')
    expect(await curl('-I', `${PAGE}page.js`)).toMatch(/^HTTP\/1\.1 404 /)
    await running.stop()
    running = await serve(namespace, '--any')
    const refused = await curl('--interface', '192.0.2.7', '-w', '%{http_code}', PAGE)
    expect(refused).toMatch(/The dashboard is for 10\.7\.0\.0\/24 and fd00:7::\/64, and you are 192\.0\.2\.7: .*\n403$/)
    const counters = await curl('--interface', '192.0.2.7', '-w', '%{http_code}', `${ORIGIN}/metrics`)
    expect(counters).toMatch(
      /The counters are for 10\.7\.0\.0\/24 and fd00:7::\/64, and you are 192\.0\.2\.7: .*\n403$/,
    )
  })
})
