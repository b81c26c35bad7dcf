// The dashboard's page as files: how large it is, that it asks nobody but its server for anything, and that it can be had without one.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'

const MOST = 250_000
const BUNDLER = new URL('../../native/bundle.mjs', import.meta.url).href

let folder: string
let sizes: Record<string, { octets: number; compressed: number }>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tunstack-page-'))
  const { bundle } = await import(BUNDLER)
  sizes = await bundle(join(folder, 'served'), { isServed: true, isCompressed: true })
  await bundle(join(folder, 'alone'), { isServed: false, isCompressed: false })
})

afterAll(() => rmSync(folder, { recursive: true }))

const read = (name: string) => readFileSync(join(folder, name), 'utf8')

test('all of it is 250 kB at most, compressed', () => {
  const all = Object.values(sizes).reduce((sum, { compressed }) => sum + compressed, 0)
  console.log(`the page: ${all} octets compressed (at most ${MOST})`)
  expect(all).toBeLessThanOrEqual(MOST)
  expect(Object.keys(sizes).sort()).toEqual(['index.html', 'page.css', 'page.js'])
  for (const name of Object.keys(sizes)) {
    expect(gunzipSync(readFileSync(join(folder, 'served', `${name}.gz`))).toString()).toBe(read(`served/${name}`))
  }
})

test('nothing in it is from elsewhere, and no script and no style stands in the markup', () => {
  const page = read('served/index.html')
  expect(page).toContain(`content="default-src 'none'; script-src 'self';`)
  expect(page.match(/<script\b[^>]*>[^<]/)).toBeNull()
  expect(page.match(/<style|\sstyle=|\son\w+=/)).toBeNull()
  expect(read('served/page.css').match(/url\(|@import/)).toBeNull()
  const addresses = [...read('served/page.js').matchAll(/https?:\/\/[\w.]+/g)].map(([address]) => address)
  // The name of SVG's language is not asked for anything.
  expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([])
  expect(read('served/page.js')).not.toMatch(/\beval\(|new Function\(/)
})

test('as a playground it is the same page, which asks no server', () => {
  expect(readdirSync(join(folder, 'alone')).sort()).toEqual(['index.html', 'page.css', 'page.js'])
  expect(read('alone/index.html')).toBe(read('served/index.html').replace('data-served="yes"', 'data-served="no"'))
  expect(read('alone/page.js')).toBe(read('served/page.js'))
})
