// A crowd of WebSockets on the kernel's TCP: `node chat.mjs URL CLIENTS MESSAGES ADDRESS`. Each says so many things and waits until it has
// heard everything that anybody said; one line of JSON tells how much that was, and how much came from another address.
import { once } from 'node:events'
import { WebSocket } from 'ws'

const [url, clients, messages, address] = process.argv.slice(2)
const all = Array.from({ length: Number(clients) }, () => new WebSocket(url, { rejectUnauthorized: false }))
await Promise.all(all.map((one) => once(one, 'open')))
let heard = 0
let wrong = 0
const over = all.map((one) => {
  let left = all.length * Number(messages)
  return new Promise((resolve, reject) => {
    one.on('message', (words) => {
      heard++
      if (!String(words).startsWith(`${address}: `)) wrong++
      if (--left === 0) resolve()
    })
    one.on('close', (code) => reject(new Error(`closed with ${code}, ${left} messages missing`)))
  })
})
for (let at = 0; at < Number(messages); at++) for (const one of all) one.send(`message ${at}`)
await Promise.all(over)
for (const one of all) one.removeAllListeners('close').close()
console.log(JSON.stringify({ heard, wrong }))
