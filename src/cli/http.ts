// The HTTP server of `tunstack serve`: its options, and starting it.
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Command } from 'cac'
import {
  createHttpServer,
  Files,
  type HttpServer,
  type LogFormat,
  logLine,
  type NodeStack,
  peerFilter,
  type SiteOptions,
  site,
} from '../index.ts'
import type { Options } from './options.ts'
import { CommandError, Exit, say, usageError } from './output.ts'

export interface HttpSettings {
  readonly port: number
  readonly root: string | null
  readonly listing: boolean
  readonly allow: readonly string[] | null
  readonly deny: readonly string[]
  /** `-` for stdout. */
  readonly log: string | null
  readonly logFormat: LogFormat
  readonly connections: number
  readonly connectionsPerPeer: number
  /** Null: as many as come. */
  readonly requestsPerSecond: number | null
}

export const DEFAULT_HTTP: HttpSettings = {
  port: 80,
  root: null,
  listing: false,
  allow: null,
  deny: [],
  log: null,
  logFormat: 'combined',
  connections: 50_000,
  connectionsPerPeer: 20_000,
  requestsPerSecond: null,
}

/** Octets of a request's body: what is counted is not kept. */
const MOST_BODY = 1e12
const MOST_CONNECTIONS = 1_000_000
const MOST_REQUESTS = 1_000_000
const GRACE = 2000

export function addHttpOptions(command: Command): Command {
  const { port, connections, connectionsPerPeer } = DEFAULT_HTTP
  return command
    .option('--port <port>', 'The port of the HTTP server', { default: port })
    .option('--no-http', 'Without the HTTP server')
    .option('--root <dir>', 'Serves the files of that folder; the start page is at /_tunstack/start then')
    .option('--listing', 'Folders without an index.html show what is in them')
    .option('--allow <networks>', 'Only these may connect, such as 10.0.0.0/8,fd00::/8', { default: 'everybody' })
    .option('--deny <networks>', 'These may not', { default: 'nobody' })
    .option('--log <file>', 'Writes a line for each request; --log=- for stdout')
    .option('--log-format <format>', 'common, combined or json', { default: 'combined' })
    .option('--connections <number>', 'HTTP clients at a time; others are told to come back', { default: connections })
    .option('--connections-per-peer <number>', 'The same for one address, or one /64', { default: connectionsPerPeer })
    .option('--requests-per-second <number>', 'Of one address, or one /64; more are told so', { default: 'any number' })
}

/** Null: without it. */
export function readHttp(options: Options): HttpSettings | null {
  if (options.isOff('http')) return null
  const settings: HttpSettings = {
    port: options.integer('port', DEFAULT_HTTP.port, 1, 65_535),
    root: options.text('root'),
    listing: options.flag('listing'),
    allow: options.list('allow'),
    deny: options.list('deny') ?? [],
    log: options.text('log'),
    logFormat: options.choice('log-format', DEFAULT_HTTP.logFormat, ['common', 'combined', 'json']),
    connections: options.integer('connections', DEFAULT_HTTP.connections, 1, MOST_CONNECTIONS),
    connectionsPerPeer: options.integer('connections-per-peer', DEFAULT_HTTP.connectionsPerPeer, 1, MOST_CONNECTIONS),
    requestsPerSecond:
      options.text('requests-per-second') === null ? null : options.integer('requests-per-second', 1, 1, MOST_REQUESTS),
  }
  filterOf(settings)
  return settings
}

function filterOf({ allow, deny }: HttpSettings) {
  try {
    return peerFilter(allow, deny)
  } catch (error) {
    throw usageError(`--allow and --deny are lists of networks: ${(error as Error).message}.`)
  }
}

export interface RunningHttp {
  readonly server: HttpServer
  /** Finishes what is in flight, for a while. */
  close(): Promise<void>
}

/** `dashboard` and `metrics`: their answers; null without them. `metrics` is asked of the server that is being started. */
export async function startHttp(
  stack: NodeStack,
  settings: HttpSettings,
  dashboard: SiteOptions['dashboard'] = null,
  metricsOf: (server: () => HttpServer) => SiteOptions['metrics'] = () => null,
): Promise<RunningHttp> {
  const { root, listing, logFormat, connections, connectionsPerPeer, requestsPerSecond } = settings
  const files = root === null ? null : await openFiles(root, listing)
  const sink = settings.log === null ? null : openLog(settings.log)
  const server: HttpServer = createHttpServer(
    site({ stack, server: () => server, files: files?.handle ?? null, dashboard, metrics: metricsOf(() => server) }),
    {
      limits: {
        connections,
        connectionsPerPeer,
        body: MOST_BODY,
        ...(requestsPerSecond === null ? {} : { requestsPerSecond }),
      },
      admits: settings.allow === null && settings.deny.length === 0 ? undefined : filterOf(settings),
      log: sink === null ? undefined : (entry) => void sink.write(`${logLine(entry, logFormat)}\n`),
      onError: (error) => say(`tunstack: the HTTP server: ${error instanceof Error ? error.message : error}`),
    },
  )
  server.listen(stack, { port: settings.port })
  return {
    server,
    async close() {
      await server.close(GRACE)
      if (sink instanceof WriteLog) await sink.end()
    },
  }
}

async function openFiles(root: string, listing: boolean): Promise<Files> {
  try {
    return await Files.open(root, { listing })
  } catch (error) {
    throw new CommandError(Exit.failed, `The folder ${root} can't be read (${(error as Error).message}).`)
  }
}

function openLog(path: string): { write(text: string): unknown } {
  return path === '-' ? process.stdout : new WriteLog(path)
}

/** A log that can't be written stops nobody: it is said once. */
class WriteLog {
  readonly #stream: WriteStream

  constructor(path: string) {
    this.#stream = createWriteStream(path, { flags: 'a' })
    this.#stream.once('error', ({ message }) => say(`tunstack: the log ends here, since ${path}: ${message}.`))
  }

  write(text: string): void {
    if (!this.#stream.destroyed) this.#stream.write(text)
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed) resolve()
      else this.#stream.end(resolve)
    })
  }
}
