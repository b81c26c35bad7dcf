// The same programs on node:net over the kernel's loopback and on stack.net over the stack's: each must tell the same story.
import * as kernel from 'node:net'
import { describe, expect, it } from 'vitest'
import { createStack } from '../../../src/node/create-stack.ts'
import { CLOSING } from './closing-scenarios.ts'
import { CORNERS } from './corner-scenarios.ts'
import { OPENING } from './opening-scenarios.ts'
import type { NetModule, Scenario } from './scenarios.ts'
import { STREAMING } from './streaming-scenarios.ts'

const stack = await createStack()

async function tell({ run }: Scenario, net: NetModule): Promise<{ client: string[]; server: string[] }> {
  const client: string[] = []
  const server: string[] = []
  const into =
    (lines: string[]) =>
    (...words: unknown[]) =>
      void lines.push(
        words
          .map((word) => (typeof word === 'string' ? word : JSON.stringify(word)))
          .join(' ')
          .trim(),
      )
  await run(net, into(client), into(server))
  return { client, server }
}

for (const [title, scenarios] of Object.entries({
  opening: OPENING,
  streaming: STREAMING,
  closing: CLOSING,
  corners: CORNERS,
})) {
  describe(`${title}, as with the kernel`, () => {
    it.each(Object.keys(scenarios))('%s', async (name) => {
      const wanted = await tell(scenarios[name], kernel)
      expect(wanted.client.length + wanted.server.length).toBeGreaterThan(0)
      const told = await tell(scenarios[name], stack.net as unknown as NetModule)
      expect(told).toEqual(wanted)
      await expect.poll(() => stack.core.tcp.connectionCount).toBe(0)
    })
  })
}
