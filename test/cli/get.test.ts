// `tunstack get --memory`: both ends ours, in one process, without root.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ExecOptions } from '../support/namespace.ts'
import { tunstack } from '../support/tunstack.ts'

const folder = mkdtempSync(join(tmpdir(), 'tunstack-get-'))
const body = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, at) => (at * 31) ^ (at >>> 8)))
writeFileSync(join(folder, 'large'), body)
afterAll(() => rmSync(folder, { recursive: true }))

const get = (args: string[], options?: ExecOptions) => tunstack(['get', '--memory', ...args], options)

describe.concurrent('get', () => {
  it.each(['10.7.0.2', 'http://[fd00:7::2]/'])('prints what %s answers', async (url) => {
    const { code, stdout, stderr } = await get([url])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('You have reached tunstack')
  })

  it('prints the head alone', async () => {
    const { stdout } = await get(['-I', '10.7.0.2'])
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n.*content-length: \d+\r\n\r\n$/s)
  })

  it('sends a body, and asks again on the same connection, and tells what TCP did', async () => {
    const { stdout, stderr } = await get(['-v', '-d', 'hello', '--repeat', '2', '10.7.0.2/_tunstack/count'])
    expect(stdout).toBe('{"octets":5}'.repeat(2))
    expect(stderr).toMatch(/> POST .*< HTTP\/1\.1 200 OK.*handshake \d+\.\d+ ms.*the connection was there already/s)
    expect(stderr).toMatch(/\d+ segments out, \d+ in, 0 sent again/)
  })

  it('takes a connection for each where that is wished', async () => {
    const { stdout } = await get(['--json', '--no-keep-alive', '--repeat', '2', '10.7.0.2'])
    const locals = JSON.parse(stdout).map(({ tcp }: { tcp: { local: string } }) => tcp.local)
    expect(new Set(locals).size).toBe(2)
  })

  it('sends what comes on stdin, in chunks', async () => {
    const { stdout } = await get(['-d', '@-', '10.7.0.2/_tunstack/count'], { input: 'x'.repeat(100_000) })
    expect(stdout).toBe('{"octets":100000}')
  })

  it('writes a file that came over a bad path, whole and in part', async () => {
    const file = join(folder, '.got')
    const bad = ['--root', folder, '--impair', 'loss=0.03,delay=1', '-o', file, '10.7.0.2/large']
    expect(await get(bad)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    expect(Buffer.compare(readFileSync(file), body)).toBe(0)
    const { stdout } = await get(['--root', folder, '-r', '1000-1099', '--json', '10.7.0.2/large'])
    expect(JSON.parse(stdout)).toMatchObject([{ status: 206, octets: 100 }])
  })

  it('fails where nobody answers, and where a failure is to be one', async () => {
    const refused = await get(['10.7.0.2:81'])
    expect(refused).toMatchObject({ code: 1, stderr: 'tunstack: http://10.7.0.2:81/: The connection was refused.\n' })
    expect((await get(['10.7.0.2/none'])).code).toBe(0)
    const failed = await get(['-f', '10.7.0.2/none'])
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: 'tunstack: http://10.7.0.2/none answered 404.\n' })
  })
})
