// What a connection knows of its server: what all connections share, and whom to ask.
import type { Endpoint } from '../runtime/endpoint.ts'
import type { LogEntry } from './access-log.ts'
import type { Keeper } from './head-reader.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpRequest } from './request.ts'
import type { RequestHead } from './request-head.ts'
import type { Answer } from './response.ts'
import type { ResponseWriter } from './response-writer.ts'

export interface ConnectionHost<Connection> extends Keeper {
  readonly limits: HttpLimits
  readonly handler: (request: HttpRequest) => Answer | Promise<Answer>
  readonly writer: ResponseWriter
  readonly head: RequestHead
  readonly isClosing: boolean
  /** False where this server has something against a request that is fine; the head then says what. */
  welcomes(head: RequestHead): boolean
  /** Milliseconds by which a request of that peer comes too early. */
  early(address: Endpoint['remoteAddress']): number
  readonly log: ((entry: LogEntry) => void) | null
  /** The stack's clock and the date, as they were when this turn's work began. */
  readonly moment: number
  readonly wall: number
  readClock(): void
  failed(error: unknown): void
  left(connection: Connection): void
}
