// The examples of the documentation: each block that is marked `js run` runs in a process of its own, ends by itself, and prints what its
// comments say (`// prints: …`), line for line. They import the package by its name, and so what is built.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../src/core/tcp/settings.ts'
import { quietly } from '../support/addon.ts'
import { exec } from '../support/namespace.ts'
import { root } from '../support/source-tree.ts'

interface Example {
  name: string
  code: string
  prints: string[]
}

const BLOCK = /^```js run\n([\s\S]*?)^```$/gm
const PRINTS = /^\s*\/\/ prints: (.*)$/gm
/** Of a link to another page or to a place on it. */
const LINK = /\]\((?!https?:)([^)#\s]*)(?:#[^)\s]*)?\)/g

const pages = readdirSync(join(root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(root, 'docs', name), 'utf8') }))

const examples: Example[] = pages.flatMap(({ name, text }) =>
  [...text.matchAll(BLOCK)].map(([, code], at) => ({
    name: `${name}, example ${at + 1}`,
    code,
    prints: [...code.matchAll(PRINTS)].map(([, line]) => line),
  })),
)

describe.concurrent('the examples of the documentation', () => {
  it.each(examples)('$name', async ({ code, prints }) => {
    const args = [...quietly(), '--input-type=module', '--eval', code]
    const { code: status, stdout, stderr } = await exec(process.execPath, args, { cwd: root, timeout: 20_000 })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.split('\n').slice(0, -1)).toEqual(prints)
  })
})

it('leads by its links to pages that are there', () => {
  const links = pages.flatMap(({ name, text }) => [...text.matchAll(LINK)].map(([, to]) => ({ name, to })))
  const lost = links.filter(({ to }) => to !== '' && !existsSync(join(root, 'docs', to)))
  expect(lost).toEqual([])
})

it('names every setting of TCP with its default', () => {
  const { text = '' } = pages.find(({ name }) => name === 'stack.md') ?? {}
  const rows = [...text.matchAll(/^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|/gm)]
  const named = rows.flatMap(([, names, values]) => {
    const defaults = values.replace(/[`']/g, '').split(', ')
    return names.split(', ').map((name, at) => [name.slice(1, -1), defaults[defaults.length === 1 ? 0 : at]])
  })
  const settings = Object.entries(DEFAULT_SETTINGS).map(([name, value]) => [name, String(value)])
  expect(named.filter(([name]) => name in DEFAULT_SETTINGS).sort()).toEqual(settings.sort())
})

it('lists every page in the index', () => {
  const { text = '' } = pages.find(({ name }) => name === 'README.md') ?? {}
  expect(pages.map(({ name }) => name).filter((name) => name !== 'README.md' && !text.includes(`](${name})`))).toEqual(
    [],
  )
})
