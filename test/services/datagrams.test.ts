// The small services over UDP (RFC 862, 863, 864, 867), in virtual time on a loopback.
import { beforeEach, describe, expect, test } from 'vitest'
import type { PortableStack } from '../../src/runtime/create-stack.ts'
import type { UdpEndpoint } from '../../src/runtime/udp-endpoint.ts'
import { chargenPattern } from '../../src/services/chargen.ts'
import { daytimeLine } from '../../src/services/daytime.ts'
import { type Services, startServices } from '../../src/services/start.ts'
import { simulate } from '../../src/simulate/network.ts'

let network: ReturnType<typeof simulate>
let server: PortableStack
let client: PortableStack
let services: Services
let serverAddress: string

beforeEach(() => {
  network = simulate({ seed: 5 })
  const [one, other] = [
    network.host('server', ['10.0.0.1', 'fd00::1']),
    network.host('client', ['10.0.0.2', 'fd00::2']),
  ]
  network.link(one, other, { delay: 1 })
  server = one.stack
  client = other.stack
  serverAddress = '10.0.0.1'
  services = startServices(server)
})

function ask(port: number, data: Uint8Array<ArrayBuffer>, from = 0): Uint8Array[] {
  const endpoint: UdpEndpoint = client.openUdp({ ipv6: true })
  endpoint.bind(from)
  endpoint.send(data, serverAddress, port)
  network.advance(network.now() + 100)
  const answers: Uint8Array[] = []
  for (let one = endpoint.receive(); one !== null; one = endpoint.receive()) {
    answers.push(one.bytes.slice(one.offset, one.offset + one.length))
  }
  endpoint.close()
  return answers
}

const text = (octets: Uint8Array) => new TextDecoder().decode(octets)
const data = Uint8Array.of(1, 2, 3)

test.each(['10.0.0.1', 'fd00::1'])('echo by %s', (address) => {
  serverAddress = address
  expect(ask(7, data)).toEqual([data])
  expect(ask(7, new Uint8Array(0))).toEqual([new Uint8Array(0)])
  const large = Uint8Array.from({ length: 50_000 }, (_, at) => at)
  expect(ask(7, large)).toEqual([large])
})

test('discard says nothing and counts', () => {
  expect(ask(9, data)).toEqual([])
  expect(services.discarded).toEqual({ datagrams: 1, connections: 0, octets: 3 })
})

test('daytime tells the date', () => {
  expect(daytimeLine(0)).toBe('Thursday, January 1, 1970 00:00:00-UTC\r\n')
  expect(text(ask(13, data)[0])).toMatch(/^\w+day, \w+ \d+, \d{4} \d\d:\d\d:\d\d-UTC\r\n$/)
})

test('chargen answers with up to 512 characters of its lines', () => {
  const pattern = text(chargenPattern())
  expect(pattern.slice(0, 74)).toBe(` !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_\`abcdefg\r\n`)
  expect(pattern.slice(74, 76)).toBe('!"')
  const answers = Array.from({ length: 20 }, () => text(ask(19, data)[0]))
  expect(answers.every((answer) => answer.length <= 512 && pattern.startsWith(answer))).toBe(true)
  expect(new Set(answers.map((answer) => answer.length)).size).toBeGreaterThan(10)
})

describe('loops', () => {
  test.each([7, 13, 19])('port %i answers nobody below 1024', (port) => {
    expect(ask(port, data, 1023)).toEqual([])
    expect(ask(port, data, 1024).length).toBe(1)
  })
})

test('closing frees the ports', () => {
  services.close()
  startServices(server).close()
  expect(server.core.udp.sockets.size).toBe(0)
})
