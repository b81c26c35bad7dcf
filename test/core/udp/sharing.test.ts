// UDP sockets beside each other and at their end: who hears what comes to a shared address, what a closed one still sends.
import { beforeEach, describe, expect, test } from 'vitest'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { UdpResult, type UdpSocket } from '../../../src/core/udp/socket.ts'
import { Bench, type Bytes, prefixes, udpPacket } from '../../support/packets.ts'

const at = (text: string) => parseAddress(text) as Address
const peer = at('10.0.0.1')

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

function open(options: { ipv6?: boolean; address?: string; port?: number } = {}): UdpSocket {
  const socket = bench.stack.udp.open(options.ipv6 ?? false)
  expect(socket.bind(options.address === undefined ? socket.local : at(options.address), options.port ?? 7)).toBe(0)
  return socket
}

function send(socket: UdpSocket, data: Bytes, to: Address, port: number): number {
  return socket.send({ bytes: data, view: new DataView(data.buffer) }, 0, data.length, to, port)
}

function heard(socket: UdpSocket): number[][] {
  const all: number[][] = []
  for (let one = socket.received.shift(); one !== null; one = socket.received.shift()) {
    all.push([...one.bytes.subarray(one.offset, one.offset + one.length)])
  }
  return all
}

describe('who hears it', () => {
  test('of those that share an address alone the one bound last: SO_REUSEADDR, as Linux', () => {
    const openShared = () => {
      const socket = bench.stack.udp.open(false)
      socket.isReuseAddress = true
      expect(socket.bind(socket.local, 7)).toBe(UdpResult.done)
      return socket
    }
    const [first, second] = [openShared(), openShared()]
    bench.receive(udpPacket([1]), udpPacket([2], { sourcePort: 4001 }))
    expect([first, second].map(heard)).toEqual([[], [[1], [2]]])
    second.close()
    bench.receive(udpPacket([3]))
    expect(heard(first)).toEqual([[3]])
    const other = bench.stack.udp.open(false)
    expect(other.bind(other.local, 7)).toBe(UdpResult.addressInUse)
  })

  test('a connected socket takes the address that it talks to the peer from, and lets go of it', () => {
    const socket = open()
    socket.connect(peer, 4000)
    expect(`${socket.local}`).toBe('10.0.0.2')
    socket.disconnect()
    expect(`${socket.local}`).toBe('0.0.0.0')
  })

  test('a group is not for a socket that is bound to an address of one host', () => {
    const [bound, wild] = [open({ address: '10.0.0.2' }), open({ port: 8 })]
    for (const member of [bound, wild]) member.join(at('239.1.1.1'), bench.interface)
    bench.receive(udpPacket([1], { to: '239.1.1.1' }), udpPacket([2], { to: '239.1.1.1', destinationPort: 8 }))
    expect([bound, wild].map(heard)).toEqual([[], [[2]]])
  })
})

describe('what is sent', () => {
  test('goes, though the socket is closed meanwhile; who waits for it is told', () => {
    const socket = open()
    send(socket, Uint8Array.of(1), peer, 9)
    send(socket, Uint8Array.of(2), peer, 9)
    socket.close()
    socket.isAwaited = true
    expect(bench.stack.ready.count).toBe(0)
    expect(bench.sent().map((packet) => packet[28])).toEqual([1, 2])
    expect(bench.stack.ready.shift()).toBe(socket)
    expect(open().localPort).toBe(7)
  })

  test('to a group with a hop limit of 0 stays on the host: RFC 1112 §6.1', () => {
    const socket = open()
    socket.join(at('239.1.1.1'), bench.interface)
    socket.multicastHopLimit = 0
    send(socket, Uint8Array.of(1), at('239.1.1.1'), 7)
    expect(bench.sent()).toEqual([])
    const { loopback } = bench.stack
    expect(bench.sent(loopback).length).toBe(1)
  })

  test('leaves by the interface that it is given, for what is link-local', () => {
    const other = bench.add({ name: 'other', addresses: prefixes('fe80::2/64') })
    const socket = open({ ipv6: true })
    const data = { bytes: Uint8Array.of(1), view: new DataView(new ArrayBuffer(1)) }
    expect(socket.send(data, 0, 1, at('fe80::1'), 9, null, 0, other)).toBe(UdpResult.done)
    expect(bench.sent().length).toBe(0)
    expect(bench.sent(other).length).toBe(1)
  })
})
