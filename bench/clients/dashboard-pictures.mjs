// The screenshots of docs/dashboard.md: `npm run pictures:dashboard`. The page without a server, an experiment with a seed, at a moment that
// shows something; by day and by night.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import { bundle } from '../../native/bundle.mjs'

const SETTINGS = 'loss=1.5&delay=25&rate=10&queue=40&controller=cubic&sack=true&size=600000&seed=7&ackLoss=0&reorder=0'
const PICTURES = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))
const SHOTS = [
  { name: 'dashboard-experiment', scheme: 'light', width: 1240, height: 1000, at: 0.27, top: 'body' },
  {
    name: 'dashboard-packets',
    scheme: 'dark',
    width: 1100,
    height: 540,
    at: 0.24,
    top: '.ladder-view',
    choose: '.packet.again',
  },
]

/** Packet by packet until there is one such, and a few more; then that one is chosen. */
async function stepTo(page, choose) {
  for (let step = 0; step < 300 && (await page.locator(choose).count()) === 0; step++)
    await page.click('[aria-label="One packet on"]')
  for (let step = 0; step < 6; step++) await page.click('[aria-label="One packet on"]')
  await page.locator(choose).last().click()
}

const folder = mkdtempSync(join(tmpdir(), 'tunstack-pictures-'))
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
try {
  await bundle(folder, { isServed: false, isCompressed: false })
  for (const { name, scheme, width, height, at, top, choose } of SHOTS) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' })
    await page.goto(`${pathToFileURL(join(folder, 'index.html'))}#experiment?${SETTINGS}`)
    await page.click('[aria-label="To the end"]')
    await page.locator('.scrub').evaluate((input, part) => {
      input.value = String(part * Number(input.max))
      input.dispatchEvent(new Event('input'))
    }, at)
    if (choose !== undefined) await stepTo(page, choose)
    await page
      .locator(top)
      .first()
      .evaluate((element) => element.scrollIntoView())
    await page.evaluate(() => scrollBy(0, -12))
    await page.waitForTimeout(300)
    await page.screenshot({ path: join(PICTURES, `${name}.png`) })
    await page.close()
  }
} finally {
  await browser.close()
  rmSync(folder, { recursive: true })
}
