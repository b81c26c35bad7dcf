// Small programs on the kernel's loopback and on simulated hosts: the same events and errors, order included.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { simulate } from '../../../src/node/simulate.ts'
import { makeCertificate } from '../../support/certificate.ts'
import { conversations } from './conversations.ts'
import type { Stage } from './stage.ts'

/** For what both sides still have to say of the end. */
const AFTERWARDS = 20

const made = makeCertificate()
const pem = made ?? { key: '', cert: '' }

/** What happens on one side stands in order; of what happens on two at one time nobody can say which was first. */
function sides(lines: string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {}
  for (const line of lines) {
    const side = line.split(' ')[0]
    found[side] ??= []
    found[side].push(line)
  }
  return found
}

async function onKernel(name: string): Promise<string[]> {
  const lines: string[] = []
  const log: Stage['log'] = (...words) => lines.push(words.join(' '))
  const here: Stage['onServer'] = (work) => work()
  await conversations[name]({ host: '127.0.0.1', pem, log, onServer: here, onClient: here })
  await sleep(AFTERWARDS)
  return lines
}

async function onHosts(name: string): Promise<string[]> {
  const lines: string[] = []
  const log: Stage['log'] = (...words) => lines.push(words.join(' '))
  const network = simulate({ seed: 3 })
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 0.1 })
  await network.run(async () => {
    await conversations[name]({
      host: server.address,
      pem,
      log,
      onServer: (work) => server.run(work),
      onClient: (work) => client.run(work),
    })
    await sleep(AFTERWARDS)
  })
  network.expectNoLeaks()
  network.close()
  return lines
}

describe('a conversation on simulated hosts is that on the kernel', () => {
  const names = Object.keys(conversations)
  test.skipIf(made === null).each(names)('%s', async (name) => {
    expect(sides(await onHosts(name))).toEqual(sides(await onKernel(name)))
  })
})
