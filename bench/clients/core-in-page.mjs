// 'tunstack/core' in headless Chromium: `node core-in-page.mjs EXECUTABLE OCTETS`. Bundles what `npm run prepare` built as any bundler
// would, with nothing put in the place of Node's modules, and runs core-page.js in an empty page. Prints a line of JSON: the sizes
// of the whole of tunstack/core and of the page's part of it, what the page did, and everything that went wrong.
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const [executablePath, octets] = process.argv.slice(2)
const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const CORE = path('../../dist/portable.js')

/** As text, and its octets as they are and compressed. */
async function bundled(options) {
  const { outputFiles } = await build({
    bundle: true,
    minify: true,
    write: false,
    platform: 'browser',
    legalComments: 'none',
    alias: { 'tunstack/core': CORE },
    ...options,
  })
  const { text, contents } = outputFiles[0]
  return { text, octets: contents.length, compressed: gzipSync(contents, { level: 9 }).length }
}

const whole = await bundled({ entryPoints: [CORE], format: 'esm' })
const part = await bundled({ entryPoints: [path('core-page.js')], format: 'iife' })
const faults = []
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
let result = {}
try {
  const page = await browser.newPage()
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(String(error.stack)))
  await page.addScriptTag({ content: part.text })
  result = await page.evaluate((count) => globalThis.runCore(count), Number(octets))
} catch (error) {
  faults.push(error.message)
} finally {
  await browser.close()
}
const size = ({ octets: plain, compressed }) => ({ octets: plain, compressed })
console.log(JSON.stringify({ whole: size(whole), part: size(part), ...result, faults }))
