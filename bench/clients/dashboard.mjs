// Headless Chromium at the dashboard: `node dashboard.mjs EXECUTABLE ORIGIN PID CONTROL [FOLDER]`. Reads the list of connections beside
// `tunstack netstat --json`, looks into one of them, plays an experiment to its end, and goes through it packet by packet. One line of
// JSON tells what the page showed and everything that went wrong; screenshots go into the folder, if one is named.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const [executablePath, origin, pid, main, folder] = process.argv.slice(2)
const faults = []
const foreign = []
let watched = ''
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'] })
const page = await browser.newPage({ viewport: { width: 1360, height: 900 } })
page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
page.on('pageerror', (error) => faults.push(String(error.stack)))
page.on('requestfailed', (request) => {
  // A page that is left lets go of its events.
  if (!request.url().includes('/live')) faults.push(`${request.url()}: ${request.failure()?.errorText}`)
})
page.on('request', (request) => request.url().startsWith(origin) || foreign.push(request.url()))
page.setDefaultTimeout(20_000)

const shot = async (name) => folder && (await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true }))
const text = (selector) => page.locator(selector).first().textContent()

/** What `netstat` says, in the words of the page. */
function netstat() {
  const { sockets } = JSON.parse(execFileSync(process.execPath, [main, 'netstat', '--pid', pid, '--json', '-a', '-t']))
  const place = (address, port) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)
  return sockets
    .map(({ state, localAddress, localPort, remoteAddress, remotePort, owner, receiveQueue, sendQueue }) => {
      const remote = remoteAddress === null ? '*' : place(remoteAddress, remotePort)
      return [state, place(localAddress, localPort), remote, owner ?? '', receiveQueue, sendQueue].join(' ')
    })
    .sort()
}

function rows() {
  return page.evaluate(() =>
    [...document.querySelectorAll('.sockets tbody tr')]
      .map((row) => {
        const cell = (name) => row.querySelector(`[data-column="${name}"]`)?.textContent ?? ''
        const owner = cell('Owner') === 'this page' ? 'http' : cell('Owner')
        return [cell('State'), cell('Local'), cell('Remote'), owner, cell('Recv-Q'), cell('Send-Q')].join(' ')
      })
      .filter((row) => !row.startsWith('UDP'))
      .sort(),
  )
}

/** A page is a second behind: both must have come to agree. */
async function agree() {
  let shown = []
  let told = []
  for (let attempt = 0; attempt < 12; attempt++) {
    told = netstat()
    shown = await rows()
    if (JSON.stringify(shown) === JSON.stringify(told)) return { agree: true, rows: shown.length }
    await page.waitForTimeout(300)
  }
  return { agree: false, rows: shown.length, shown, told }
}

async function lookIntoOne() {
  await page.locator('.sockets tr[data-key^="10.7.0.2:7~"] td[data-column="Remote"] a').click()
  await page.locator('.watched .plot[data-segments]').first().waitFor()
  watched = new URL(page.url()).hash
  const wait = () =>
    page.evaluate(() => Number(document.querySelector('.watched .plot[data-segments]').dataset.segments) >= 3)
  for (let attempt = 0; attempt < 40 && !(await wait()); attempt++) await page.waitForTimeout(100)
  const points = await page
    .locator('.watched .plot-frame')
    .evaluateAll((all) => all.map(({ dataset }) => Number(dataset.points)))
  const seen = {
    segments: Number(await page.locator('.watched .plot[data-segments]').first().getAttribute('data-segments')),
    points,
    note: await text('.watched > .note'),
    packets: await page.locator('.watched .packet').count(),
    reasons: 0,
    state: await page.locator('.watched .state.server-now text').first().textContent(),
  }
  await page.locator('.watched .packet.server').last().click()
  seen.reasons = await page.locator('.watched .reason cite').count()
  seen.fields = await page.locator('.watched .details dt').count()
  await shot('connection')
  return seen
}

async function playExperiment() {
  await page.click('nav a[href="#experiment"]')
  await page.click('[data-preset="Lossy"]')
  await page.waitForSelector('.experiment[data-state="playing"]')
  await page.waitForFunction(() => Number.parseFloat(document.querySelector('.clock').textContent) > 5)
  await page.click('[aria-label="Pause"]')
  await shot('playing')
  await page.click('[aria-label="To the beginning"]')
  const steps = []
  for (let step = 0; step < 6; step++) {
    await page.click('[aria-label="One packet on"]')
    steps.push(`${await text('.clock')} ${(await text('.experiment .details h3')) ?? ''}`)
  }
  await page.click('[aria-label="To the end"]')
  // Back to the middle, and to the end once more.
  await page.locator('.scrub').focus()
  for (const key of ['Home', 'PageUp', 'PageUp', 'PageUp']) await page.keyboard.press(key)
  const middle = Number.parseFloat(await text('.clock'))
  await page.click('[aria-label="To the end"]')
  await page.waitForSelector('.experiment[data-state="done"]')
  const figure = (name) => text(`[data-figure="${name}"]`)
  const done = {
    steps,
    middle,
    end: Number.parseFloat(await text('.clock')),
    delivered: await figure('delivered'),
    lost: Number(await figure('lost')),
    again: Number(await figure('sent again')),
    points: await page
      .locator('.experiment .plot-frame')
      .evaluateAll((all) => all.map(({ dataset }) => Number(dataset.points))),
    ink: await Promise.all(
      (await page.locator('.experiment .plot-frame canvas').all()).map((canvas) => canvas.evaluate(inkOf)),
    ),
    states: await page.locator('.experiment .story li').count(),
    way: await page.locator('.experiment .way.lit').count(),
  }
  await shot('experiment')
  return done
}

/** At the width of a phone, by night: whether anything sticks out. */
async function fitPhone() {
  await page.setViewportSize({ width: 360, height: 740 })
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
  const widths = []
  for (const [name, hash] of [
    ['phone-experiment', '#experiment'],
    ['phone-connections', '#connections'],
    ['phone-connection', watched],
  ]) {
    await page.evaluate((to) => {
      location.hash = to
    }, hash)
    await page.waitForTimeout(1200)
    widths.push(await page.evaluate(() => document.documentElement.scrollWidth))
    await shot(name)
  }
  return widths
}

/** In the page: how many points of a canvas somebody has drawn upon. */
const inkOf = (canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let ink = 0
  for (let at = 3; at < data.length; at += 4) if (data[at] > 0) ink++
  return ink
}

let result = {}
try {
  await page.goto(`${origin}/_tunstack/`)
  await page.locator('.sockets tbody tr').first().waitFor()
  result = { list: await agree() }
  await shot('connections')
  result.connection = await lookIntoOne()
  result.experiment = await playExperiment()
  result.widths = await fitPhone()
} catch (error) {
  faults.push(error.message)
} finally {
  await browser.close()
}
console.log(JSON.stringify({ ...result, faults, foreign }))
