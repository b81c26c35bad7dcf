// Captures of a stack, read by tshark: nothing malformed, what only the stack knows as comments, and TLS that is decrypted by
// what stands in the file itself. Two stacks in this process, over a link in memory that loses packets when told to.
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Random } from '../../src/core/environment.ts'
import { impaired } from '../../src/link/impaired.ts'
import { memory } from '../../src/link/memory.ts'
import { openCaptureFile } from '../../src/node/capture-file.ts'
import { createStack, type NodeStack } from '../../src/node/create-stack.ts'
import type { StackSocket } from '../../src/node/net/socket.ts'
import { readPcapng } from '../link/pcapng.ts'
import { makeCertificate } from '../support/certificate.ts'
import { seeded } from '../support/seeded.ts'

const hasTshark = spawnSync('tshark', ['--version']).status === 0
if (!hasTshark) console.log('Skipped where tshark is asked: there is no tshark.')
const describeWithTshark = hasTshark ? describe : describe.skip

let folder: string
let server: NodeStack
let client: NodeStack
let path: ReturnType<typeof impaired>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tunstack-capture-'))
  server = await createStack()
  client = await createStack()
  const [one, other] = memory()
  path = impaired(one, {}, { out: losesOne(40), in: seeded(1) })
  server.addInterface({ link: path, name: 'near', addresses: ['10.7.0.2/24'] })
  client.addInterface({ link: other, name: 'far', addresses: ['10.7.0.1/24'] })
})

afterEach(() => {
  client.close()
  server.close()
  rmSync(folder, { recursive: true })
})

/** Chance for a path: of so many draws as belong to the packet of that number the first loses it, where there is any loss. */
function losesOne(number: number): Random {
  let draws = 0
  return { int32: () => (Math.floor(draws++ / DRAWS) === number ? 0 : -1) }
}

const DRAWS = 9

type Row<Field extends string> = Record<Field, string>

/** A row for each packet, by one run of tshark for all, since each takes a second; none may be malformed. */
function tshark<Field extends string>(file: string, ...fields: Field[]): Row<Field>[] {
  const asked = ['_ws.malformed', ...fields].flatMap((field) => ['-e', field])
  const form = ['-n', '-T', 'fields', '-E', 'aggregator=|', '-E', 'separator=;', ...asked]
  const text = execFileSync('tshark', ['-r', file, ...form], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(';'))
  expect(rows.filter(([malformed]) => malformed !== '')).toEqual([])
  return rows.map(([, ...values]) => Object.fromEntries(fields.map((field, at) => [field, values[at]])) as Row<Field>)
}

/** A server on port 80. */
async function listening(serve: (socket: StackSocket) => void): Promise<void> {
  const at = server.net.createServer((socket) => {
    // The client's stack is taken down under it.
    socket.on('error', () => {})
    serve(socket)
  })
  await once(at.listen(80), 'listening')
}

/** So many octets from the server, which come whole. */
async function fetched(port: number): Promise<number> {
  const socket = client.net.connect(port, '10.7.0.2')
  let octets = 0
  for await (const piece of socket) octets += (piece as Uint8Array).length
  return octets
}

describeWithTshark('a capture', () => {
  test('says why each segment was sent, how large the windows were, and what came of those that arrived', async () => {
    const file = join(folder, 'near.pcapng')
    const sink = openCaptureFile(file)
    const stop = server.capture(sink.write)
    await listening((socket) => socket.end(Buffer.alloc(300_000)))
    path.impair({ out: { loss: 0.5 } })
    expect(await fetched(80)).toBe(300_000)
    path.impair({ loss: 0 })
    expect(path.counters.out.lost).toBe(1)
    stop()
    expect(server.core.observer.isWatched).toBe(false)
    sink.close()
    const rows = tshark(
      file,
      ...(['tcp.srcport', 'tcp.flags.str', 'frame.comment', 'tcp.analysis.retransmission'] as const),
      ...(['frame.interface_name', 'frame.packet_flags_direction'] as const),
    )
    const [out, came] = [true, false].map((isOut) => rows.filter((row) => (row['tcp.srcport'] === '80') === isOut))
    const comments = out.map((row) => row['frame.comment'])
    // The SYN ACK is sent before there is a connection.
    expect(comments.filter((comment) => comment === '')).toHaveLength(1)
    expect(comments).toContainEqual(expect.stringMatching(/^new data\|cwnd \d+( ssthresh \d+)?, in flight \d+$/))
    const rack =
      /^retransmission: RACK(, its timer expired)?, reordering window [\d.]+ ms\|cwnd \d+ ssthresh \d+, in flight/
    expect(comments).toContainEqual(expect.stringMatching(rack))
    const again = out.filter((row) => row['tcp.analysis.retransmission'] !== '')
    expect(again.length).toBeGreaterThan(0)
    expect(again.every((row) => /retransmission|TLP probe/.test(row['frame.comment']))).toBe(true)
    const told = came.map((row) => row['frame.comment']).join('\n')
    expect(told).toMatch(/RTT [\d.]+ ms, smoothed [\d.]+ ms\|cwnd \d+/)
    // An arrival begins it, and says so, or RACK's timer does, and what is sent again says so.
    expect([told, ...comments].join('\n')).toMatch(/fast recovery begins: retransmission: RACK|RACK, its timer expired/)
    expect(told).toMatch(/state: SYN-RECEIVED → ESTABLISHED/)
    const faces = rows.map((row) => `${row['frame.interface_name']} ${row['frame.packet_flags_direction']}`)
    expect(new Set(faces)).toEqual(new Set(['near 0x00000001', 'near 0x00000002']))
  })

  test('decrypts an HTTPS request by the secrets that stand in it, of servers and of clients', async () => {
    const certificate = makeCertificate()
    expect(certificate).not.toBe(null)
    const options = certificate ?? { key: '', cert: '' }
    const secure = server.https.createServer(options, (request, response) =>
      response.end(`you asked for ${request.url}`),
    )
    secure.on('tlsClientError', () => {})
    secure.on('secureConnection', (socket) => socket.on('error', () => {}))
    await once(secure.listen(443), 'listening')
    // Node begins to collect secrets when somebody wants them, not before.
    const files = [join(folder, 'server.pcapng'), join(folder, 'client.pcapng')]
    const sinks = files.map((file) => openCaptureFile(file))
    const stops = [server.capture(sinks[0].write), client.capture(sinks[1].write)]
    const lines: string[] = []
    const stopLines = client.keyLog((line) => lines.push(line))
    const agent = new client.https.Agent({ keepAlive: false })
    const text = await new Promise<string>((resolve, reject) => {
      const target = { host: '10.7.0.2', path: '/a/secret', ca: options.cert, agent }
      client.https
        .get(target, (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (piece: string) => (body += piece))
          response.on('end', () => resolve(body))
        })
        .on('error', reject)
    })
    expect(text).toBe('you asked for /a/secret')
    for (const stop of [...stops, stopLines]) stop()
    for (const sink of sinks) sink.close()
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.every((line) => /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+\n$/.test(line))).toBe(true)
    for (const file of files) {
      const rows = tshark(file, 'http.request.method', 'http.request.uri', 'http.response.code')
      expect(rows.filter((row) => row['http.request.method'] !== '')).toEqual([
        { 'http.request.method': 'GET', 'http.request.uri': '/a/secret', 'http.response.code': '' },
      ])
      expect(rows.filter((row) => row['http.response.code'] === '200')).toHaveLength(1)
    }
  })
})

test('cuts packets where it is told to, says how long they were, and watches only where there are comments', async () => {
  const blocks: Uint8Array[] = []
  const stop = client.capture((block) => blocks.push(block), { snapLength: 64, comments: false })
  expect(client.core.observer.isWatched).toBe(false)
  const other = client.capture(() => {}, { interfaces: ['none'] })
  expect(client.core.observer.isDetailed).toBe(true)
  await listening((socket) => socket.end(Buffer.alloc(5000)))
  await fetched(80)
  stop()
  other()
  expect(client.core.observer.isWatched).toBe(false)
  const packets = readPcapng(Buffer.concat(blocks))
  expect(packets.some(({ octets, originalLength }) => octets.length === 64 && originalLength > 1000)).toBe(true)
  expect(packets.every(({ octets, comment }) => octets.length <= 64 && comment === null)).toBe(true)
})

test('a file holds whole blocks while it grows: all that crossed a few turns of the event loop ago', async () => {
  const file = join(folder, 'growing.pcapng')
  const sink = openCaptureFile(file)
  const stop = client.capture(sink.write)
  await listening((socket) => socket.resume())
  const socket = client.net.connect(80, '10.7.0.2')
  await once(socket, 'connect')
  for (let round = 1; round <= 3; round++) {
    socket.write(Buffer.alloc(100 + round))
    let turns = 0
    const isThere = () => readPcapng(readFileSync(file)).some(({ octets }) => octets.length === 40 + 12 + 100 + round)
    for (; !isThere() && turns < 100; turns++) await new Promise(setImmediate)
    expect(turns).toBeLessThan(20)
  }
  stop()
  sink.close()
  expect(existsSync(file)).toBe(true)
})
