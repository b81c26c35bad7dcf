// Headless Chromium loads pages, and tells as a line of JSON what each took and everything that went wrong: `URL…`.
import { chromium } from 'playwright-core'

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const pages = []
for (const url of process.argv.slice(2)) {
  const page = await browser.newPage()
  const faults = []
  const answers = []
  page.on('requestfailed', (request) => faults.push(`${request.url()}: ${request.failure()?.errorText}`))
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('response', (response) => answers.push({ url: response.url(), status: response.status() }))
  const began = performance.now()
  await page.goto(url, { waitUntil: 'networkidle' })
  const loaded = await page.evaluate(() => ({
    title: document.title,
    images: [...document.images].filter(({ complete, naturalWidth }) => complete && naturalWidth > 0).length,
    sheets: document.styleSheets.length,
    scripts: globalThis.loaded ?? 0,
  }))
  pages.push({ url, milliseconds: performance.now() - began, ...loaded, answers, faults })
  await page.close()
}
await browser.close()
console.log(JSON.stringify(pages))
