// The list in docs/types.md is what the compiler says of our types beside Node's: no more and no less, each with a reason.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { exec } from '../support/namespace.ts'
import { root } from '../support/source-tree.ts'

const ROW = /^\| `([^`]+)` \| (missing|differs|extra) \| ([^|]+) \| ([^|]+) \|$/gm

function sorted(entries: [where: string, kind: string, member: string][]): string[] {
  return entries.map((entry) => entry.join(': ')).sort()
}

function documented(): string[] {
  const page = readFileSync(join(root, 'docs/types.md'), 'utf8')
  const rows = [...page.matchAll(ROW)]
  expect(rows.filter(([, , , , why]) => why.trim().length < 10)).toEqual([])
  return sorted(
    rows.flatMap(([, where, kind, members]) =>
      [...members.matchAll(/`([^`]+)`/g)].map(([, member]): [string, string, string] => [where, kind, member]),
    ),
  )
}

async function compared(): Promise<string[]> {
  const { code, stdout, stderr } = await exec(process.execPath, [join(root, 'test/node-types/compare.mjs')])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const entries: [string, string, string][] = []
  let where = ''
  for (const line of stdout.trim().split('\n')) {
    const [, kind, members] = /^ {2}(\w+): (.*)$/.exec(line) ?? []
    if (kind === undefined) where = line
    else for (const member of members.split(', ')) entries.push([where, kind, member])
  }
  return sorted(entries)
}

it('says in docs/types.md how the types differ from those of @types/node', async () => {
  expect(await compared()).toEqual(documented())
})
