// What programs without types give a stack by mistake is refused with a sentence.
import { expect, test } from 'vitest'
import { memory } from '../../src/link/memory.ts'
import { createStack } from '../../src/runtime/create-stack.ts'
import { Iperf3Server } from '../../src/services/iperf3.ts'
import { simulate } from '../../src/simulate/network.ts'

test('a stack asks for an environment, an interface for a link', () => {
  expect(() => createStack({} as never)).toThrow('a stack needs an environment: { clock, random, alarm }')
  const { stack } = simulate().host('one')
  const addresses = ['10.9.0.1/24']
  for (const link of [undefined, memory()]) {
    expect(() => stack.addInterface({ link, addresses } as never)).toThrow('an interface needs a link: ')
  }
})

test('a listener asks for a port that there is', () => {
  const { stack } = simulate().host('one')
  for (const port of [65_536, -1, 1.5, Number.NaN]) {
    expect(() => stack.listen({ port })).toThrow(`a port is a whole number from 0 to 65535, not ${port}`)
  }
})

test("iperf3's listener has a name, which netstat shows", () => {
  const { stack } = simulate().host('one')
  const names: unknown[] = []
  new Iperf3Server(stack)
  stack.core.tcp.forEachListener(({ owner }) => names.push((owner as { name?: unknown } | null)?.name))
  expect(names).toEqual(['iperf3'])
})
