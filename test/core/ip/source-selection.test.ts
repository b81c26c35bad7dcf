// By which of our addresses a packet goes out (RFC 6724 §5).
import { describe, expect, test } from 'vitest'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { Bench, prefixes } from '../../support/packets.ts'

const at = (text: string) => parseAddress(text) as Address

function chosen(addresses: string[], destination: string): string | undefined {
  const bench = new Bench({}, { addresses: prefixes(...addresses) })
  bench.stack.addRoute(prefixes('::/0')[0], bench.interface)
  bench.stack.addRoute(prefixes('0.0.0.0/0')[0], bench.interface)
  const route = bench.stack.interfaces.route(at(destination))
  return route === null ? undefined : bench.stack.interfaces.selectSource(at(destination), route)?.toString()
}

describe('the rules that apply', () => {
  test.each([
    ['the same address', ['fd00::2/64', '2001:db8::2/64'], '2001:db8::2', '2001:db8::2'],
    ['scope: link-local to link-local', ['2001:db8::2/64', 'fe80::2/64'], 'fe80::9', 'fe80::2'],
    ['scope: global to global', ['fe80::2/64', '2001:db8::2/64'], '2001:db8:1::9', '2001:db8::2'],
    ['scope: a group’s own', ['2001:db8::2/64', 'fe80::2/64'], 'ff02::fb', 'fe80::2'],
    ['label: a global group wants no unique local address', ['fd00::2/64', '2001:db8::2/64'], 'ff0e::1', '2001:db8::2'],
    ['label: 6to4 to 6to4', ['2001:db8::2/64', '2002:a00::2/64'], '2002:b00::1', '2002:a00::2'],
    ['label: unique local to unique local', ['2001:db8::2/64', 'fd00::2/64'], 'fc00::1', 'fd00::2'],
    ['the longest prefix', ['2001:db8::2/64', '2400:1::2/64'], '2400:2::1', '2400:1::2'],
    ['no further than the prefix: among equals the first', ['2400:1::2/16', '2400:2::2/16'], '2400:2::9', '2400:1::2'],
    ['the family', ['2001:db8::2/64', '10.0.0.2/24'], '192.0.2.1', '10.0.0.2'],
  ])('%s', (_, addresses, destination, source) => {
    expect(chosen(addresses, destination)).toBe(source)
  })

  test('none of the family: none', () => {
    expect(chosen(['10.0.0.2/24'], '2001:db8::1')).toBe(undefined)
  })
})
