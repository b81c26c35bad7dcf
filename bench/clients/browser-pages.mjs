// Headless Chromium: `node browser-pages.mjs EXECUTABLE ADDRESS ORIGIN…`. Opens each origin's page, asks it for many things from there, and lets two
// pages talk by WebSocket with the first two. One line of JSON tells what went wrong, and how each origin was spoken to.
import { chromium } from 'playwright-core'

const [executablePath, address, ...origins] = process.argv.slice(2)
const REQUESTS = 100
const faults = []
const pages = []
let messages = 0

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-proxy-server'] })
const context = await browser.newContext({ ignoreHTTPSErrors: true })
context.on('requestfailed', (request) => faults.push(`${request.url()}: ${request.failure()?.errorText}`))
context.on('console', (message) => {
  if (message.type() === 'error') faults.push(`${message.page()?.url()}: ${message.text()}`)
})

/** In the page: many requests at once, some of them large; the server must have seen the right address. */
async function ask({ count, address }) {
  const answers = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
      if (at % 10 === 0)
        return (await (await fetch(`/large?${at}`.replace(/\?.*/, ''), { cache: 'no-store' })).arrayBuffer()).byteLength
      return (await fetch('/who', { cache: 'no-store' })).json()
    }),
  )
  const wrong = answers.filter((one) => (typeof one === 'number' ? one !== 1_000_000 : one.address !== address))
  const [{ nextHopProtocol }] = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/who'))
  return { wrong: wrong.length, protocol: `${nextHopProtocol} ${answers[1].version}` }
}

/** In the page: says something when somebody else is there, and waits for both. */
function talk({ name, url }) {
  return new Promise((resolve, reject) => {
    const heard = []
    const socket = new WebSocket(url)
    socket.onopen = () => socket.send(`${name} is here`)
    socket.onerror = () => reject(new Error(`the WebSocket at ${url} failed`))
    socket.onmessage = ({ data }) => {
      heard.push(data)
      if (data.endsWith('is here') && !data.includes(name)) socket.send(`${name} says hello`)
      if (heard.filter((words) => words.endsWith('says hello')).length < 2) return
      resolve(heard)
      setTimeout(() => socket.close(), 100)
    }
    // Whoever comes first is not heard by the second: it says again that it is here.
    const again = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.send(`${name} is here`)
      else if (socket.readyState > WebSocket.OPEN) clearInterval(again)
    }, 200)
  })
}

try {
  for (const origin of origins) {
    const page = await context.newPage()
    const response = await page.goto(`${origin}/`)
    if (response?.status() !== 200) faults.push(`${origin}: ${response?.status()}`)
    const { wrong, protocol } = await page.evaluate(ask, { count: REQUESTS, address })
    if (wrong > 0) faults.push(`${origin}: ${wrong} wrong answers`)
    pages.push(protocol)
    await page.close()
  }
  for (const origin of origins.slice(0, 2)) {
    const url = `${origin.replace('http', 'ws')}/`
    const two = [await context.newPage(), await context.newPage()]
    for (const page of two) await page.goto(`${origin}/`)
    const heard = await Promise.all(two.map((page, at) => page.evaluate(talk, { name: ['Ann', 'Bob'][at], url })))
    for (const words of heard.flat()) if (!words.startsWith(`${address}: `)) faults.push(`${url}: ${words}`)
    messages += heard.flat().length
  }
} catch (error) {
  faults.push(error.message)
} finally {
  await browser.close()
}
console.log(JSON.stringify({ faults, pages, messages }))
