// To whom an interface listens: its addresses, its broadcasts and its groups.
import { describe, expect, test } from 'vitest'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { Bench, prefixes } from '../../support/packets.ts'

const at = (text: string) => parseAddress(text) as Address

function interfaceWith(...addresses: string[]) {
  return new Bench({}, { addresses: prefixes(...addresses) }).interface
}

describe('groups (RFC 1112 §7.2, RFC 4291 §2.8)', () => {
  test.each(['224.0.0.1', 'ff01::1', 'ff02::1'])('every host is a member of %s', (group) => {
    expect(interfaceWith('10.0.0.2/24').isMember(at(group))).toBe(true)
  })

  test.each([
    '224.0.0.2',
    'ff00::1',
    'ff03::1',
    'ff05::1',
    'ff02::2',
    'ff12::1',
    'ff02:1::1',
    'ff02:0:1::1',
    'ff02:0:0:1::1',
    'ff02::1:0:0:1',
    'ff02::1:0:1',
    'ff02::1:1',
  ])('and not of %s', (group) => expect(interfaceWith('10.0.0.2/24').isMember(at(group))).toBe(false))

  test('one that was joined twice is left twice', () => {
    const one = interfaceWith('10.0.0.2/24')
    const [group, other] = [at('239.1.2.3'), at('ff02::fb')]
    for (const joined of [group, group, other]) one.join(joined)
    one.leave(group)
    expect([one.isMember(group), one.isMember(other)]).toEqual([true, true])
    one.leave(group)
    expect([one.isMember(group), one.isMember(other)]).toEqual([false, true])
    one.leave(group)
    one.leave(other)
    expect([one.isMember(group), one.isMember(other)]).toEqual([false, false])
  })
})

describe('broadcasts (RFC 1122 §3.3.6)', () => {
  test.each([
    ['255.255.255.255', true],
    ['10.0.0.255', true],
    ['10.0.1.255', false],
    ['10.0.0.254', false],
    ['192.168.31.255', true],
    ['192.168.30.255', false],
    ['172.16.0.1', false],
    ['172.16.0.3', false],
    ['ff02::1', false],
  ])('%s: %s', (address, isBroadcast) => {
    const one = interfaceWith('10.0.0.2/24', '192.168.17.1/20', '172.16.0.2/31', 'fd00::2/64')
    expect(one.isBroadcast(at(address))).toBe(isBroadcast)
  })

  test('a network of all addresses has the one of all ones', () => {
    const one = interfaceWith('10.0.0.2/0')
    expect([one.isBroadcast(at('10.255.255.255')), one.isBroadcast(at('255.255.255.255'))]).toEqual([false, true])
  })

  test('its own addresses are the ones that it has', () => {
    const one = interfaceWith('10.0.0.2/24', 'fd00::2/64')
    expect(['10.0.0.2', 'fd00::2', '10.0.0.3', 'fd00::3'].map((text) => one.has(at(text)))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})
