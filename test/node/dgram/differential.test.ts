// The same programs on node:dgram over the kernel's loopback and on stack.dgram over the stack's: each must tell the same story.
import * as kernel from 'node:dgram'
import { afterAll, describe, expect, it } from 'vitest'
import { createStack } from '../../../src/node/create-stack.ts'
import { BINDING } from './binding-scenarios.ts'
import { OPTION } from './option-scenarios.ts'
import type { DgramModule, Program } from './scenarios.ts'
import { SENDING } from './sending-scenarios.ts'

const stack = await createStack()

afterAll(() => stack.close())

async function tell(program: Program, dgram: DgramModule): Promise<string[]> {
  const lines: string[] = []
  await program(dgram, (...words) => {
    lines.push(words.map((word) => (typeof word === 'string' ? word : JSON.stringify(word))).join(' '))
  })
  return lines
}

for (const [title, programs] of Object.entries({ binding: BINDING, sending: SENDING, options: OPTION })) {
  describe(`${title}, as with the kernel`, () => {
    it.each(Object.keys(programs))('%s', async (name) => {
      const wanted = await tell(programs[name], kernel)
      expect(wanted.length).toBeGreaterThan(0)
      expect(await tell(programs[name], stack.dgram)).toEqual(wanted)
      expect(stack.core.udp.sockets.size).toBe(0)
    })
  })
}
