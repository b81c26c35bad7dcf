// A dashboard that is left open: `node open-dashboard.mjs EXECUTABLE ORIGIN`. Opens the page when `open` comes on standard input, closes it
// at `close`, and at `measure` prints a line of JSON: the octets of the page's heap after everything that nobody holds is collected, the
// nodes of its document, how many rows it shows, and what went wrong so far.
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'

const [executablePath, origin] = process.argv.slice(2)
const faults = []
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'] })
const page = await browser.newPage({ viewport: { width: 1360, height: 900 } })
page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
page.on('pageerror', (error) => faults.push(String(error.stack)))
const session = await page.context().newCDPSession(page)
await session.send('Performance.enable')

async function measure() {
  await session.send('HeapProfiler.collectGarbage')
  const { metrics } = await session.send('Performance.getMetrics')
  const figure = (name) => metrics.find((metric) => metric.name === name)?.value
  const rows = await page.locator('.sockets tbody tr').count()
  return { heap: figure('JSHeapUsedSize'), nodes: figure('Nodes'), rows, faults }
}

const commands = {
  async open() {
    await page.goto(`${origin}/_tunstack/`)
    await page.locator('.sockets tbody tr').first().waitFor()
    return {}
  },
  async close() {
    await page.goto('about:blank')
    return {}
  },
  measure,
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!(line in commands)) break
  console.log(JSON.stringify(await commands[line]()))
}
await browser.close()
