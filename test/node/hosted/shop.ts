// An application as people write it: a database, a shop on Fastify that asks it by `pg` and tells watchers over web sockets, and a customer
// who tries again. It knows nothing of simulations. Whoever runs it gives it addresses, and gets a log of all that happened.
import { once } from 'node:events'
import net from 'node:net'
import timers from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import pg from 'pg'
import { WebSocket, WebSocketServer } from 'ws'
import { TinyPostgres } from '../../support/tiny-postgres.ts'

export type Log = (line: string) => void

/** Taken when this is imported, as libraries do. */
const { setTimeout: kept, clearTimeout: keptClear } = globalThis

export interface Running {
  port: number
  close(): Promise<void>
}

export async function startDatabase(host: string, port: number, log: Log): Promise<Running> {
  const database = new TinyPostgres()
  database.server.on('connection', () => log('database: a client has come'))
  const listening = await database.listen(port, host)
  return { port: listening, close: () => database.close() }
}

export async function startShop(host: string, port: number, database: string, log: Log): Promise<Running> {
  const pool = new pg.Pool({ connectionString: database, max: 2, connectionTimeoutMillis: 3000, query_timeout: 3000 })
  pool.on('error', (error) => log(`shop: the pool has lost a connection: ${error.message}`))
  const fastify = Fastify({ forceCloseConnections: true })
  const watchers = new WebSocketServer({ server: fastify.server, path: '/watch' })
  watchers.on('connection', (watcher) => {
    log('shop: somebody watches')
    watcher.on('close', (code) => log(`shop: a watcher has gone: ${code}`))
  })
  fastify.setErrorHandler((error: Error, _request, reply) => reply.status(503).send({ error: error.message }))
  fastify.get('/orders', async () => (await pool.query('select * from orders')).rows)
  fastify.get('/broken', async () => (await pool.query('select * from nowhere')).rows)
  fastify.get('/slow', async () => {
    await sleep(200)
    return 'at last'
  })
  fastify.post('/orders', async (request, reply) => {
    const { what } = request.body as { what: string }
    await pool.query(`insert into orders values ('${what}')`)
    timers.setTimeout(() => {
      for (const watcher of watchers.clients) watcher.send(`somebody wants ${what}`)
    }, 20)
    return reply.status(201).send({ what })
  })
  await fastify.listen({ host, port })
  return {
    port: (fastify.server.address() as net.AddressInfo).port,
    close: async () => {
      watchers.close()
      await fastify.close()
      await pool.end()
    },
  }
}

/** Each try has its time; the pauses between them double. */
export async function fetchPatiently(url: string, log: Log, init: RequestInit = {}, tries = 8): Promise<Response> {
  for (let pause = 500; ; pause *= 2) {
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(4000) })
      if (response.status !== 503) return response
      log(`customer: ${((await response.json()) as { error: string }).error}`)
    } catch (error) {
      log(`customer: ${(error as Error).name}`)
    }
    if (--tries === 0) throw new Error('the shop does not answer')
    await sleep(pause)
  }
}

/** Watches, and comes back whenever it hears nothing any more. */
export class Watcher {
  readonly #url: string
  readonly #log: Log
  #socket: WebSocket | null = null
  #heartbeat: NodeJS.Timeout | undefined
  #again: NodeJS.Timeout | undefined
  #isDone = false

  constructor(url: string, log: Log) {
    this.#url = url
    this.#log = log
    this.#open()
  }

  #open(): void {
    const socket = new WebSocket(this.#url, { handshakeTimeout: 2000 })
    let isAlive = true
    this.#socket = socket
    socket.on('open', () => {
      this.#log('customer: watches')
      this.#heartbeat = setInterval(() => {
        if (!isAlive) socket.terminate()
        isAlive = false
        if (socket.readyState === WebSocket.OPEN) socket.ping()
      }, 5000)
    })
    socket.on('pong', () => {
      isAlive = true
    })
    socket.on('message', (text) => this.#log(`customer: hears that ${text}`))
    socket.on('error', (error) => this.#log(`customer: can't watch: ${error.message}`))
    socket.on('close', (code) => {
      clearInterval(this.#heartbeat)
      this.#log(`customer: watches no longer: ${code}`)
      if (!this.#isDone) this.#again = kept(() => this.#open(), 1000)
    })
  }

  async close(): Promise<void> {
    this.#isDone = true
    keptClear(this.#again)
    const closed = this.#socket && once(this.#socket, 'close')
    this.#socket?.close(1000)
    await closed
  }
}

/** A customer's day, with what may go wrong on a good one. */
export async function visit(shop: string, log: Log): Promise<void> {
  const url = `http://${shop}`
  const watcher = new Watcher(`ws://${shop}/watch`, log)
  await sleep(100)
  const say = async (answer: Response) => log(`customer: ${answer.status} ${await answer.text()}`)
  await say(await fetchPatiently(`${url}/orders`, log))
  const body = JSON.stringify({ what: 'tea' })
  const headers = { 'content-type': 'application/json' }
  await say(await fetchPatiently(`${url}/orders`, log, { method: 'POST', body, headers }))
  await sleep(100)
  await say(await fetchPatiently(`${url}/orders`, log))
  await say(await fetchPatiently(`${url}/nothing`, log))
  await say(await fetch(`${url}/broken`))
  await fetch(`${url}/slow`, { signal: AbortSignal.timeout(50) }).catch((error) => log(`customer: ${error.name}`))
  await sleep(250)
  const [hostname] = shop.split(':')
  const socket = net.connect({ host: hostname, port: 1, autoSelectFamily: false })
  socket.on('connect', () => log('customer: nobody should be there'))
  socket.on('error', (error: NodeJS.ErrnoException) => log(`customer: ${error.code} ${error.syscall}`))
  await new Promise<void>((resolve) => {
    socket.on('close', (hadError) => {
      log(`customer: closed, with an error: ${hadError}`)
      resolve()
    })
  })
  await watcher.close()
}
