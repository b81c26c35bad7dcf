// The requests of `tunstack get`, one after another: where their bodies come from and go to, and what is told of each.
import { createReadStream, createWriteStream, readFileSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { ClientResponse, HttpClient, RequestInit } from '../index.ts'
import { CommandError, Exit, say, styled } from './output.ts'

export interface Asking {
  readonly url: string
  readonly method: string
  readonly headers: readonly [string, string][]
  /** As it was written: text, or `@` and a file. */
  readonly data: string | null
  /** Null: stdout. */
  readonly output: string | null
  readonly redirects: number
  readonly times: number
  readonly showsHead: boolean
  readonly fails: boolean
  readonly isVerbose: boolean
  readonly isJson: boolean
}

/** Durations are milliseconds. */
export interface Fetched {
  readonly url: string
  readonly status: number
  readonly octets: number
  /** Null where the connection was there already. */
  readonly handshake: number | null
  readonly answered: number
  readonly total: number
  /** What TCP has counted on this connection so far. */
  readonly tcp: {
    readonly local: string
    readonly remote: string
    readonly segmentsOut: number
    readonly segmentsIn: number
    readonly sentAgain: number
    readonly outOfOrder: number
    readonly roundTrip: number
  }
}

export class Fetching {
  readonly #client: HttpClient
  readonly #asking: Asking

  constructor(client: HttpClient, asking: Asking) {
    this.#client = client
    this.#asking = asking
  }

  async all(): Promise<Fetched[]> {
    const { output, times } = this.#asking
    const sink = output === null ? process.stdout : await openSink(output)
    const fetched: Fetched[] = []
    for (let done = 0; done < times; done++) fetched.push(await this.#one(sink))
    if (output !== null) await new Promise<void>((resolve) => sink.end(resolve))
    return fetched
  }

  async #one(sink: Writable): Promise<Fetched> {
    const { url, method, redirects, headers, isVerbose, isJson, showsHead, fails, output } = this.#asking
    const init: RequestInit = {
      method,
      headers,
      body: this.#body(),
      redirects,
      onInformation: (status) => this.#mention(`< HTTP/1.1 ${status}`),
      onRedirect: (response) => this.#mention(`< ${headOf(response).trim().replaceAll('\r\n', '\n< ')}`),
    }
    this.#mention(`> ${method} ${url}`)
    for (const [name, value] of headers) this.#mention(`> ${name}: ${value}`)
    const response = await this.#client.request(url, init)
    if (isVerbose) this.#mention(`< ${headOf(response).trim().replaceAll('\r\n', '\n< ')}`)
    const isQuiet = (isJson && output === null) || (fails && response.status >= 400)
    if (showsHead && !isQuiet) await write(sink, Buffer.from(headOf(response), 'latin1'))
    for await (const piece of response.pieces()) if (!isQuiet) await write(sink, piece)
    const fetched = figuresOf(response)
    if (isVerbose) this.#tell(fetched)
    if (fails && response.status >= 400 && !isJson) say(`tunstack: ${url} answered ${response.status}.`)
    return fetched
  }

  #body(): RequestInit['body'] {
    const { data } = this.#asking
    if (data === null || !data.startsWith('@')) return data
    return data === '@-' ? process.stdin : readBody(data.slice(1))
  }

  #mention(text: string): void {
    if (this.#asking.isVerbose) say(styled(text, 'dim'))
  }

  #tell({ octets, handshake, answered, total, tcp }: Fetched): void {
    const { local, remote, segmentsOut, segmentsIn, sentAgain, outOfOrder, roundTrip } = tcp
    const opened = handshake === null ? 'the connection was there already' : `handshake ${time(handshake)}`
    say(`* ${local} to ${remote}: ${opened}, answered after ${time(answered)}, ${octets} octets after ${time(total)}`)
    say(
      `* so far ${segmentsOut} segments out, ${segmentsIn} in, ${sentAgain} sent again, ${outOfOrder} came out of order, round trip ${time(roundTrip)}`,
    )
  }
}

function figuresOf(response: ClientResponse): Fetched {
  const { endpoint, url, status, received, timings } = response
  const { segmentsOut, segmentsIn, totalRetransmits, outOfOrder, rtt } = endpoint.info()
  const { began, opened, answered, ended } = timings
  const milliseconds = (value: number) => Math.round(value * 1000) / 1000
  return {
    url,
    status,
    octets: received,
    handshake: opened === null ? null : milliseconds(opened - began),
    answered: milliseconds(answered - began),
    total: milliseconds((ended ?? answered) - began),
    tcp: {
      local: withPort(endpoint.localAddress, endpoint.localPort),
      remote: withPort(endpoint.remoteAddress, endpoint.remotePort),
      segmentsOut,
      segmentsIn,
      sentAgain: totalRetransmits,
      outOfOrder,
      roundTrip: rtt / 1000,
    },
  }
}

function withPort(address: { toString(): string }, port: number): string {
  const text = address.toString()
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`
}

function headOf({ minor, status, statusText, headers }: ClientResponse): string {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.${minor} ${status} ${statusText}\r\n${lines.join('')}\r\n`
}

function time(milliseconds: number): string {
  return `${milliseconds.toFixed(2)} ms`
}

/** A small file is sent with its length, so that it may be sent again; what is not even a file comes by and by. */
function readBody(path: string): RequestInit['body'] {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_FS_FILE_TOO_LARGE') return createReadStream(path)
    throw new CommandError(Exit.failed, `${path} can't be read (${(error as Error).message}).`)
  }
}

function openSink(path: string): Promise<Writable> {
  const stream = createWriteStream(path)
  return new Promise((resolve, reject) => {
    stream.once('open', () => resolve(stream))
    stream.once('error', ({ message }) =>
      reject(new CommandError(Exit.failed, `${path} can't be written (${message}).`)),
    )
  })
}

/** Waits where the sink is slow, and so does the server then. */
async function write(sink: Writable, octets: Uint8Array): Promise<void> {
  if (!sink.write(octets)) await new Promise<void>((resolve) => sink.once('drain', resolve))
}
