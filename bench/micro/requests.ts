// What a request costs both ends, the tiny server's and its client's, over a link in memory: at 64 connections, and at 1,000, which no
// processor's cache holds. Each connection asks once in each call.
import { requests as askers } from '../garbage/http.ts'
import type { Measured, Suite } from './suite.ts'

function asked(connections: number): Measured {
  return { prepare: () => askers(connections).call, handles: () => ({ requests: connections }) }
}

export const requests: Suite = {
  'a request of each of 64 connections, both ends': asked(64),
  'a request of each of 1,000 connections, both ends': asked(1000),
}
