// The text of addresses, their kinds and prefixes.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Address, parseAddress, parsePrefix } from '../../../src/core/ip/address.ts'

const parse = (text: string) => parseAddress(text) as Address

describe('text', () => {
  test.each([
    ['10.7.0.2', '10.7.0.2'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['fd00:7::2', 'fd00:7::2'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8:0:0:1:2:3:4', '2001:db8::1:2:3:4'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1::', '1::'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s reads as %s', (text, canonical) => expect(parse(text).toString()).toBe(canonical))

  test.each([
    '',
    '10.1',
    '10.0.0.256',
    '010.0.0.1',
    '1.2.3.4.5',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '::1.2.3',
    'fe80::1%eth0',
    'localhost',
  ])('%j is no address', (text) => expect(parseAddress(text)).toBeNull())

  test('what is written reads back', () => {
    const word = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.constantFrom(0, 1, 0xffff, -1))
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        const address = new Address().set(a, b, c, d)
        return parse(address.toString()).equals(address)
      }),
    )
  })

  test('a prefix has its length in 128 bits', () => {
    expect(parsePrefix('10.7.0.2/24')).toMatchObject({ length: 120 })
    expect(parsePrefix('10.7.0.2')).toMatchObject({ length: 128 })
    expect(parsePrefix('fd00::/8')).toMatchObject({ length: 8 })
    expect(parsePrefix('fd00::1')).toMatchObject({ length: 128 })
    for (const text of ['10.7.0.2/33', 'fd00::/129', '10.0.0.1/', '10.0.0.1/a', '10.0.0.1/8/8', '/8']) {
      expect(parsePrefix(text), text).toBeNull()
    }
  })
})

describe('kinds', () => {
  const kinds = (text: string) => {
    const { isIpv4, isLoopback, isMulticast, isLinkLocal, isUnspecified, isLimitedBroadcast } = parse(text)
    const all = { isIpv4, isLoopback, isMulticast, isLinkLocal, isUnspecified, isLimitedBroadcast }
    return Object.entries(all).flatMap(([name, is]) => (is ? [name] : []))
  }
  test.each([
    ['0.0.0.0', ['isIpv4', 'isUnspecified']],
    ['::', ['isUnspecified']],
    ['127.255.0.1', ['isIpv4', 'isLoopback']],
    ['::1', ['isLoopback']],
    ['224.0.0.1', ['isIpv4', 'isMulticast']],
    ['239.255.255.255', ['isIpv4', 'isMulticast']],
    ['ff02::1', ['isMulticast']],
    ['169.254.1.1', ['isIpv4', 'isLinkLocal']],
    ['fe80::1', ['isLinkLocal']],
    ['febf::1', ['isLinkLocal']],
    ['fec0::1', []],
    ['255.255.255.255', ['isIpv4', 'isLimitedBroadcast']],
  ])('%s', (text, expected) => expect(kinds(text)).toEqual(expected))

  test('prefixes', () => {
    const within = (address: string, prefix: string) => {
      const { address: network, length } = parsePrefix(prefix) as { address: Address; length: number }
      return parse(address).isWithin(network, length)
    }
    expect(within('10.7.0.255', '10.7.0.0/24')).toBe(true)
    expect(within('10.7.1.0', '10.7.0.0/24')).toBe(false)
    expect(within('192.0.2.1', '0.0.0.0/0')).toBe(true)
    expect(within('fd00::1', '0.0.0.0/0')).toBe(false)
    expect(within('2001:db8:ffff::1', '2001:db8::/32')).toBe(true)
    expect(within('2001:db9::1', '2001:db8::/32')).toBe(false)
    expect(parse('fd00::1').commonPrefix(parse('fd00::2'))).toBe(126)
    expect(parse('8000::').commonPrefix(parse('::'))).toBe(0)
  })
})
